"""Gradients: do they reach every output, are they finite in every format, are they the slope of the cost?"""

from collections.abc import Iterator

import torch
from torch import Tensor

from dlthink.checks.cost_on_batch import CostOnBatch, directions, moved, names_of
from dlthink.checks.finding import Finding
from dlthink.checks.question import question
from dlthink.nested_tensors import each

STEP = 1e-5  # of a difference quotient in float64
SLOPE = 1e-3  # by which, in relation, gradient and quotient may differ
AGREE = 0.9  # cosine of two gradients that are about the same
STOPS = ("detach", "data", "no_grad")


@question("gradient arrives")
def check_reach(asked: CostOnBatch, outputs_per_target: int) -> Iterator[Finding]:
    """Does every number that the cost wants from the network get a gradient?"""
    name = "gradient arrives"
    deaf = []
    for what, slope in zip(names_of(asked.out), asked.slopes(), strict=True):
        if slope.ndim == 2 and slope.shape[1] % outputs_per_target == 0 and not isinstance(asked.out, dict):
            still = _still(asked, slope).view(-1, outputs_per_target)
            if still.all():
                yield _nothing_taught(asked)
                return
            if targets := _spans((still.all(1).nonzero().flatten() + 1).tolist()):
                yield _left_out(f"target {' and '.join(targets)} of {len(still)}")
                return
            if columns := _spans(still.all(0).nonzero().flatten().tolist()):
                deaf.append(f"number {' and '.join(columns)} of each target's {outputs_per_target}")
        elif not slope.any() and what in asked.y:  # what else a network makes, a cost need not look at
            deaf.append(what)
    if not deaf:
        yield Finding(name, "passed", "each number that the network gives learns from the cost")
        return
    stops = stopped(asked)
    yield Finding(
        name,
        "failed",
        f"no gradient reaches {', '.join(deaf)}: it stays what the first weights made it, whatever the data say",
        f"{stops} cuts it off" if stops else "use every output in forward, or ask for fewer: outputs_per_target",
    )


def _spans(numbers: list[int]) -> list[str]:
    """Whole numbers, those that follow each other together: 2, 4 to 7."""
    begins = [n for n in numbers if n - 1 not in numbers]
    ends = [n for n in numbers if n + 1 not in numbers]
    return [f"{a}" if a == b else f"{a} to {b}" for a, b in zip(begins, ends, strict=True)]


def _still(asked: CostOnBatch, slope: Tensor) -> Tensor:
    """Which columns get no gradient from any sample; of a cost that draws by chance, in no draw."""
    still = (slope == 0).all(0)
    if bool(still.any()) and asked.draws:
        still = torch.stack([(slopes[0] == 0).all(0) for _, slopes in asked.often()]).all(0)
    return still


def _left_out(targets: str) -> Finding:
    """Some of several targets are not taught."""
    return Finding(
        "gradient arrives",
        "failed",
        f"no gradient reaches the answers for {targets}: they stay what the first weights made them, whatever the "
        f"data say",
        "does out[:, 0] stand where all targets should, or is the worst of them alone taken, max() over targets? "
        "A mean over targets teaches each",
    )


def _nothing_taught(asked: CostOnBatch) -> Finding:
    """No slope anywhere: the first answers are as good as any."""
    return Finding(
        "gradient arrives",
        "failed",
        f"first answers cost {asked.value():.3g} and get no gradient at all: the cost has nothing to teach a network "
        f"that knows nothing",
        "is it flat where it is bad, a clamp or relu the wrong way round; or asked of what is right already, the "
        "nearest own photo and the farthest other?",
    )


@question("dead answers")
def check_dead(asked: CostOnBatch, kind: str) -> Iterator[Finding]:
    """Samples whose answer is wrong and gets no gradient, at the start."""
    if isinstance(asked.out, dict):
        return
    (slope,) = asked.slopes()
    if bool((slope == 0).all(1).any()) and asked.draws:
        slope = torch.cat([slopes[0] for _, slopes in asked.often()], 1)
    still = (slope == 0).all(1).double().mean().item()
    if still > 0.02:
        yield Finding(
            "dead answers",
            "failed",
            f"{still:.0%} of first answers get no gradient at all though they are wrong: a network that answers so "
            f"for a sample cannot learn from it",
            "relu, clamp and max have a flat side, softplus and exp have none; a mask may leave samples out",
        )


@question("number formats")
def check_formats(asked: CostOnBatch, single: CostOnBatch) -> Iterator[Finding]:
    """Finite in float32 (`single`) and where the network answers in bfloat16, and there about what it is in float64?"""
    name = "number formats"
    rounded = each(lambda t: t.bfloat16().float() if t.is_floating_point() else t, asked.out)
    exact, plain, half = asked.slopes(), single.slopes(), single.slopes(rounded)
    for word, slopes in (("float32", plain), ("bfloat16", half)):
        if not all(slope.isfinite().all() for slope in slopes):
            yield Finding(
                name,
                "failed",
                f"where the network answers in {word} the gradient is not finite, and the first step makes every "
                f"weight nan",
                "look for exp of large, log or division of small numbers; write them by logsumexp, log1p, softplus",
            )
            return
    if (_turned(exact, plain) and not single.draws) or _turned(plain, half):
        yield Finding(
            name,
            "told",
            "rounded numbers get another gradient: digits are lost",
            "look for differences of large numbers; write (a - b)^2, not a^2 - 2ab + b^2",
        )
        return
    yield Finding(name, "passed", "gradients in float32 and from answers in bfloat16 are finite and near float64's")


@question("gradient is slope")
def check_slope(asked: CostOnBatch) -> Iterator[Finding]:
    """Is the gradient what difference quotients of the cost say?"""
    name = "gradient is slope"
    if asked.dtype != torch.float64:
        yield Finding(
            name,
            "told",
            "not asked: the cost does not run in float64, where differences are exact",
            "convert constants by .to(out.dtype)",
        )
        return
    slopes = asked.slopes()
    ratios: list[tuple[float, float]] = []
    for seed in range(3):
        along = directions(asked.out, seed)
        size = sum(float(one.square().sum()) for one in along) ** 0.5
        along = [one / size for one in along]
        said = sum(float((slope * one).sum()) for slope, one in zip(slopes, along, strict=True))
        true = _quotient(asked, along, STEP)
        if abs(said - true) > SLOPE * max(abs(said), abs(true)):  # of a cost that loses digits, farther apart
            true = min(true, _quotient(asked, along, 10 * STEP), key=lambda one: abs(one - said))
        ratios.append((said, true))
        scale = max(abs(true) for _, true in ratios) + max(abs(said) for said, _ in ratios) + 1e-12
        wrong = [(said, true) for said, true in ratios if abs(said - true) > SLOPE * scale]
        if seed == 1 and not wrong:  # the third cannot change that
            break
    if len(wrong) <= 1:  # one may have crossed a corner
        yield Finding(name, "passed", "equal to difference quotients of the cost: what is descended is what is written")
        return
    said, true = wrong[0]
    stops = stopped(asked)
    if stops:
        yield Finding(
            name,
            "told",
            f"it stops gradients on purpose ({stops}): the slope is {true:.3g} where the gradient says {said:.3g}, so "
            f"what is descended is not what the curve of the cost shows",
            "judge it by its metrics, not by its value",
        )
    else:
        yield Finding(
            name,
            "failed",
            f"the gradient says {said:.3g} where the cost changes by {true:.3g}: descent goes somewhere else than down",
            "a backward of your own is wrong, or rounding, argmax, sorting or numpy stand where a slope should",
        )


def _quotient(asked: CostOnBatch, along: list[Tensor], step: float) -> float:
    """How much the cost changes in that direction, by a central difference."""
    ahead, behind = (asked.value(moved(asked.out, along, by)) for by in (step, -step))
    return (ahead - behind) / (2 * step)


@question("a step downhill")
def check_descent(asked: CostOnBatch) -> Iterator[Finding]:
    """Does a small step against the gradient lower the cost?"""
    slopes = asked.slopes()
    before, size = asked.value(), sum(float(slope.square().sum()) for slope in slopes)
    if size == 0:
        return
    for exponent in range(2, 8):
        after = asked.value(moved(asked.out, slopes, -(10.0**-exponent) / size**0.5))
        if after < before:
            yield Finding("a step downhill", "passed", "a small step against the gradient lowers the cost")
            return
    stops = stopped(asked)
    yield Finding(
        "a step downhill",
        "told" if stops else "failed",
        f"no step against the gradient lowers the cost: it stays at {before:.4g} or rises",
        "gradients are stopped, so its value need not fall" if stops else "see whether the gradient is its slope",
    )


def _turned(a: list[Tensor], b: list[Tensor]) -> bool:
    """Do two gradients point elsewhere, or is one much the longer?"""
    a, b = (torch.cat([one.double().flatten() for one in slopes]) for slopes in (a, b))
    long = (a.norm() * b.norm()).clamp(min=1e-300)
    return bool((a @ b) / long < AGREE or not 1 / 1.5 < a.norm() / b.norm().clamp(min=1e-300) < 1.5)


def stopped(asked: CostOnBatch) -> str | None:
    """Where the cost stops gradients: `my_cost.py:7: detach`, or the word alone for dlthink's own."""
    for operation in asked.operations().noted:
        if operation.name in STOPS:
            return f"{operation.place}: {operation.name}" if operation.place else operation.name
    return None
