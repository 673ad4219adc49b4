"""Does the cost change when the unit of the target does, and should it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

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
def check_units(kind: Kind, make: Make, truth: Truth, found: Minimum, start: torch.Tensor) -> Iterator[Finding]:
    """The same targets in a unit a thousand times smaller: the same slopes, the same answer?"""
    name = "units"
    other = Truth(TIMES * truth.y, truth.group, truth.name)
    here, there = (elicitation.prepared(made(make, kind.facts()), t.y) for t in (truth, other))
    answers = start[truth.group[:64]]
    both = []
    for cost, known in ((here, truth), (there, other)):
        rng.seed(0)  # the same draws, if it draws
        both.append(CostOnBatch(cost, answers, known.y[:64]))
    slopes = [asked.slopes()[0] for asked in both]
    times = float(slopes[1].norm() / slopes[0].norm().clamp(min=1e-300))
    if torch.allclose(slopes[0], slopes[1], rtol=1e-3, atol=1e-3 * float(slopes[0].abs().max())):
        yield Finding(name, "passed", "in another unit of the target nothing changes: it is standardized inside")
        return
    moved = minimise(there, other, start)
    same = moved.bounded and _same(found, moved, truth)
    yield Finding(
        name,
        "told",
        f"grams for kilograms: slopes are {times:.2g} times as large"
        + (", the answer is the same" if same else ", and it asks for another answer: a constant in it has a unit"),
        "standardize y inside by the mean and std that prepare(y) learns, and a learning rate fits every unit",
    )


def _same(found: Minimum, moved: Minimum, truth: Truth) -> bool:
    """Are centre and spread that are read out the same but for the unit?"""
    near = found.allowed(2 * NEAR) + moved.allowed(0.0)
    pairs = [(centre(found.predicted), centre(moved.predicted))]
    if spread(found.predicted) is not None:
        pairs.append((spread(found.predicted), spread(moved.predicted)))
    return all(float(((b / TIMES - a) / truth.std).abs().max()) <= near for a, b in pairs)
