"""Does the cost change when the unit of the target does, and should it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dlthink.checks import elicitation
from dlthink.checks.cost_on_batch import CostOnBatch
from dlthink.checks.elicitation import centre, spread
from dlthink.checks.finding import Finding
from dlthink.checks.functionals import NEAR
from dlthink.checks.kinds.kind import made
from dlthink.checks.minimum import Minimum, minimise
from dlthink.checks.question import question
from dlthink.checks.truth import Truth
from dlthink.training import rng

if TYPE_CHECKING:
    from dlthink.checks.kinds.kind import Kind, Make

TIMES = 1000.0  # grams for kilograms


@question("units")
def check_units(kind: Kind, make: Make, truth: Truth, found: Minimum, start: Tensor) -> Iterator[Finding]:
    """The same targets in a unit a thousand times smaller: the same slopes, the same answer? And one of them alone?"""
    name, answers = "units", start[truth.group[:64]]

    def asked(y: Tensor) -> tuple[nn.Module, Tensor]:
        """The cost of these targets, and its slopes."""
        cost = elicitation.prepared(made(make, kind.facts()), y)
        rng.seed(0)  # the same draws, if it draws
        return cost, CostOnBatch(cost, answers, y[:64]).slopes()[0]

    other = Truth(TIMES * truth.y, truth.group, truth.name)
    (_, here), (cost, there) = asked(truth.y), asked(other.y)
    if _equal(here, there):
        alone = torch.ones_like(truth.y[0])
        alone[-1] = TIMES
        yield _standardized(name, _equal(here, asked(alone * truth.y)[1]))
        return
    times = float(there.norm() / here.norm().clamp(min=1e-300))
    moved = minimise(cost, other, start)
    same = moved.bounded and _same(found, moved, truth)
    yield Finding(
        name,
        "told",
        f"grams for kilograms: slopes are {times:.2g} times as large"
        + (", the answer is the same" if same else ", and it asks for another answer: a constant in it has a unit"),
        "standardize y inside by the mean and std that prepare(y) learns, and a learning rate fits every unit",
    )


def _standardized(name: str, each: bool) -> Finding:
    """Of a cost whose slopes know no unit. each: nor where one target alone has another unit?"""
    if each:
        return Finding(name, "passed", "in another unit of the target nothing changes: it is standardized inside")
    return Finding(
        name,
        "told",
        "one target alone in grams for kilograms, and slopes are others: all share one scale, so the target with the "
        "largest numbers is learned and others hardly are",
        "a mean and std for each target, y.mean(0) and y.std(0) in prepare(y)",
    )


def _equal(here: Tensor, there: Tensor) -> bool:
    return torch.allclose(here, there, rtol=1e-3, atol=1e-3 * float(here.abs().max()))


def _same(found: Minimum, moved: Minimum, truth: Truth) -> bool:
    """Are centre and spread that are read out the same but for the unit?"""
    near = found.allowed(2 * NEAR) + moved.allowed(0.0)
    pairs = [(centre(found.predicted), centre(moved.predicted))]
    if spread(found.predicted) is not None:
        pairs.append((spread(found.predicted), spread(moved.predicted)))
    return all(float(((b / TIMES - a) / truth.std).abs().max()) <= near for a, b in pairs)
