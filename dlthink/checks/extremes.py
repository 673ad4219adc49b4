"""Finite at the ends: answers far out, targets far out."""

from collections.abc import Iterator

import torch

from dlthink.checks.cost_on_batch import CostOnBatch, Values
from dlthink.checks.finding import Finding
from dlthink.checks.question import question, refusal
from dlthink.nested_tensors import each

FEW = 0.02  # of the answers
NAN = "one such batch makes every weight nan"
FAR, FARTHEST = 10.0, 100.0  # answers: reached by a bad start; reached by nobody who looks


def check_extremes(single: CostOnBatch, outliers: Values) -> Iterator[Finding]:
    """Cost and gradient, in float32, where answers are 0, 10 and 100 either way, and where targets are outliers."""
    name = "extremes"
    for size in (0.0, FAR, FARTHEST):
        wrong = _wrong(single, _answers(single.out, size), single.y)
        if wrong:
            what = "answers that are all 0, as of many a network at the start," if not size else f"answers of {size:g}"
            yield Finding(
                name,
                "failed" if size < FARTHEST else "told",
                f"with {what} {wrong}",
                "exp overflows above 88, log and sqrt have no slope at 0: clamp before exp, or use softplus, log1p, "
                "logsumexp",
            )
            return
    wrong = _wrong(single, single.out, outliers)
    if wrong:
        yield Finding(name, "failed", f"a target ten standard deviations out: {wrong}", "see which function overflows")
        return
    yield Finding(name, "passed", "finite at answers of 0, 10 and 100 either way, and at outliers among the targets")


@question("a way back")
def check_flat(asked: CostOnBatch) -> Iterator[Finding]:
    """Far out, where every answer is wrong: is there a way back?"""
    if isinstance(asked.out, dict):
        return
    still = {}
    for size in (FAR, -FAR):
        out = torch.full_like(asked.out, size)
        still[size] = _still(asked.slopes(out)[0])
        if still[size] > FEW and asked.draws:
            still[size] = _still(*(slopes[0] for _, slopes in asked.often(out)))
    size, worst = max(still.items(), key=lambda item: item[1])
    if worst > FEW:
        yield Finding(
            "a way back",
            "told",
            f"at answers of {size:g}, {worst:.0%} of them get no gradient: whoever strays there stays there",
            "a clamp is flat beyond its bounds; let the cost go on along its tangent, or use softplus",
        )
    else:
        yield Finding("a way back", "passed", "answers that have strayed far, to 10 and -10, are taught the way back")


def _still(*slopes: torch.Tensor) -> float:
    """The share of answers that get no gradient, in none of the draws."""
    return torch.stack([slope == 0 for slope in slopes]).all(0).double().mean().item()


def _answers(out: Values, size: float) -> Values:
    chance = torch.Generator().manual_seed(3)

    def at(tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_floating_point():
            return tensor
        signs = torch.randint(0, 2, tensor.shape, generator=chance).to(tensor) * 2 - 1
        return size * signs

    return each(at, out)


def _wrong(asked: CostOnBatch, out: Values, y: Values) -> str | None:
    try:
        terms, slopes = asked.terms_and_slopes(out, y)
    except Exception as error:
        return f"the cost ends the run: {refusal(error)}"
    for term, value in terms.items():
        if not value.isfinite():
            return f"the term {term} is {float(value)}: {NAN}"
    if not all(slope.isfinite().all() for slope in slopes):
        return f"the cost is finite and its gradient is not: {NAN}"
    return None
