"""Does a cost compare each sample's answer with that sample's target? Asked by samples that change places.

And is what it predicts of a sample the same whoever is asked beside it? Asked by half of them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.training import rng
from dlthink.training.operation_trace import Operations
from dlthink.user_errors import own_code, written

FEW = 61  # samples: a prime, so that hardly a number of targets is the same
SAME = {torch.float64: 1e-13, torch.float32: 1e-5}  # costs that are nearer, in relation, are one

TOGETHER = {torch.float64: 1e-7, torch.float32: 1e-2}  # and these, of samples in another order

Cost = Callable[[Tensor, Tensor], dict[str, float] | None]


NEAR = 1e-3  # in relation to the largest: predictions that are nearer are one


def check_alone(loss: nn.Module, cost: nn.Module, out: Any, predicted: dict[str, Any]) -> None:
    """predict(out) of some of the samples must be what it is of all of them, which `predicted` holds.

    Else what is predicted of a sample depends on the batch that it comes in. Nothing is asked where out is no tensor,
    or where two times the same are not alike. cost: in evaluation mode. Raises BadInput with the line.
    """
    if not isinstance(out, Tensor) or len(out) < 4:
        return
    some = torch.arange(0, len(out), 2, device=out.device)
    with own_code(f"in predict, out {list(out[some].shape)}"):
        again, fewer = cost.predict(out), cost.predict(out[some])
    for name, value in predicted.items():
        if not isinstance(value, Tensor) or value.shape[:1] != out.shape[:1] or not _near(value, again.get(name)):
            continue
        if not _near(value[some], fewer.get(name)):
            raise BadInput(
                f"{written(type(loss).predict)}(out): {name} of a sample depends on which others are asked beside it; "
                f"is a mean, maximum or softmax over samples, dim 0? What is to be known of all is for prepare(y)"
            )


def _near(a: Tensor, b: Any) -> bool:
    if not isinstance(b, Tensor) or a.shape != b.shape:
        return False
    a, b = a.double(), b.double()
    largest = a.nan_to_num(0.0, 0.0, 0.0).abs().max()
    return torch.allclose(a, b, rtol=NEAR, atol=NEAR * float(largest), equal_nan=True)


def check_sample_order(loss: nn.Module, twin: Callable[[], nn.Module], out: Any, y: Any) -> None:
    """Samples of out and y that change places together must leave the cost as it is; apart, they must change it.

    The second finds [n] against [n, 1], which torch makes [n, n] of: a cost of every answer and every target, that
    trains to nonsense. twin() is a copy of `loss` to ask. Nothing is asked where out or y are no tensors with a row for
    each sample, or all targets are the same. Raises BadInput with the line where it is the user's own.
    """
    if not (isinstance(out, Tensor) and isinstance(y, Tensor)) or len(out) != len(y):
        return
    out, y = out.detach()[:FEW], y[:FEW]
    n = len(y)
    if n < 4 or bool((y == y[0]).all()):
        return
    name, shapes = f"{written(type(loss).forward)}(out, y)", f"out {list(out.shape)}, y {list(y.shape)}"
    ask, dtype = _asker(twin, out, y)
    out, y = out.to(dtype), y.to(dtype) if y.is_floating_point() else y
    chance = torch.Generator().manual_seed(0)
    noise = torch.randn(out.shape, generator=chance, dtype=dtype).to(out.device)
    outputs = [out, out + 0.3 * noise, *([y.roll(3, 0)] if out.shape == y.shape and y.is_floating_point() else [])]
    costs = [ask(answer, y) for answer in outputs]

    order = torch.randperm(n, generator=chance).to(out.device)
    together = ask(out[order], y[order])
    if costs[0] and together and not draws(loss, twin, out, y):
        for term, value in costs[0].items():
            if not _alike(value, together[term], TOGETHER[dtype]):
                raise BadInput(
                    f"{name}: the term {term} depends on the order of the samples ({shapes}), which is drawn by "
                    f"chance; is a view, reshape or transpose wrong? Pairs of samples are drawn by torch.randperm"
                )

    deaf, no_other = _deaf(ask, outputs, y, costs, SAME[dtype])
    if not deaf:
        return
    with Operations() as operations:
        ask(outputs[0], y)
    where = operations.meets_itself(n)
    if where or no_other:
        other = ask(outputs[0], y[order] + y[order] if y.is_floating_point() else y[:1].expand_as(y))
        if not where and other and costs[0] and _alike(other[deaf[0]], costs[0][deaf[0]], SAME[dtype]):
            raise BadInput(f"{name}: the term {deaf[0]} does not depend on y, so there is nothing to learn from")
        where = where or "is it [n] against [n, 1], of which torch makes [n, n]"
        raise BadInput(
            f"{name}: the term {deaf[0]} stays the same whichever answer is compared with whichever target "
            f"({shapes}): {where}; give both the same shape"
        )


def _deaf(
    ask: Cost, outputs: list[Tensor], y: Tensor, costs: list[dict[str, float] | None], tolerance: float
) -> tuple[list[str], bool]:
    """Terms that stay the same whichever answer is compared with whichever target; does the cost have no other?

    costs: those of each of the outputs in their places. Terms that no output changes at all say nothing: a hinge, say,
    that none of them reaches.
    """
    apart = [[ask(answer.roll(by, 0), y) for by in (1, len(y) // 2)] for answer in outputs]
    pairs = [(cost, moved) for cost, several in zip(costs, apart, strict=True) for moved in several if cost and moved]
    known = [cost for cost in costs if cost]
    if not pairs or len(known) < 2:
        return [], False
    same = [term for term in known[0] if all(_alike(a[term], b[term], tolerance) for a, b in pairs)]
    flat = [term for term in same if all(_alike(known[0][term], cost[term], tolerance) for cost in known[1:])]
    return [term for term in same if term not in flat], len(same) == len(known[0])


def _asker(twin: Callable[[], nn.Module], out: Tensor, y: Tensor) -> tuple[Cost, torch.dtype]:
    """The terms of a fresh copy as numbers, under the same draws each time; in float64 where the cost can do that."""
    start = rng.state()

    def ask(dtype: torch.dtype, out: Tensor, y: Tensor) -> dict[str, float] | None:
        rng.restore(start)
        out, y = out.to(dtype, copy=True).requires_grad_(), y.to(dtype) if y.is_floating_point() else y
        try:
            terms = twin().to(dtype)(out * 1, y.clone())
            values = {name: float(term) for name, term in terms.items()}
        except Exception:  # of an answer that it cannot take; its own has been asked before
            return None
        return values if all(np.isfinite(value) for value in values.values()) else None

    dtype = torch.float64 if ask(torch.float64, out, y) else torch.float32
    return (lambda out, y: ask(dtype, out, y)), dtype


def draws(loss: nn.Module, twin: Callable[[], nn.Module], out: Tensor, y: Tensor) -> bool:
    """Does the cost draw by chance?"""
    own = (torch.Generator, np.random.Generator, np.random.RandomState)
    if any(isinstance(value, own) for module in loss.modules() for value in vars(module).values()):
        return True
    before = rng.state()
    try:
        twin().to(out.dtype)(out.clone(), y.clone())
    except Exception:
        return True
    after = rng.state()
    rng.restore(before)
    return not (
        all(before[name] == after[name] for name in ("python", "numpy"))
        and torch.equal(before["torch"], after["torch"])
        and all(map(torch.equal, before["cuda"], after["cuda"]))
    )


def _alike(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b), 1e-6)
