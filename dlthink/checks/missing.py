"""Targets that nobody has measured, nan in y: do they teach nothing, and those beside them as much as ever?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dlthink.checks import elicitation
from dlthink.checks.cost_on_batch import CostOnBatch
from dlthink.checks.finding import Finding
from dlthink.checks.kinds.kind import made
from dlthink.checks.question import question
from dlthink.checks.spare_term import blind, without

if TYPE_CHECKING:
    from dlthink.checks.kinds.kind import Kind, Make
    from dlthink.checks.truth import Truth

NONE = 1e-6  # of the largest pull: rounding


@question("missing")
def check_missing(kind: Kind, make: Make, truth: Truth, start: Tensor) -> Iterator[Finding]:
    """Of a cost that is finite with missing targets. One that is not says so itself before a run, and in one line."""
    name = "missing"
    y = truth.y.clone()
    for target in range(y.shape[1]):
        y[target :: y.shape[1] + 1, target] = torch.nan  # some rows are whole
    try:
        loss = elicitation.prepared(made(make, kind.facts()), y)
        for term in blind(loss, truth, start):  # what is the same whatever the targets are has no target to miss
            loss = without(loss, term)
        terms, slopes = CostOnBatch(loss, start[truth.group[:64]], y[:64]).terms_and_slopes()
    except Exception:  # whatever a cost says of targets that it is not for
        return
    if not all(bool(term.isfinite()) for term in terms.values()):
        return
    pull = slopes[0].unflatten(1, (y.shape[1], -1)).abs().amax(2)
    if not bool(pull.isfinite().all()):
        why = "with a missing target (nan) the cost is finite and its gradient is not: one step makes every weight nan"
        cure = "a mask behind a formula does not stop its nan: replace first, torch.where(known, y, 0), and mask then"
        yield Finding(name, "failed", why, cure)
        return
    known = ~y[:64].isnan()
    partly, least = known & ~known.all(1, keepdim=True), NONE * float(pull.max())
    if float(pull[~known].max()) > least:
        share = float(pull[~known].mean() / pull[known].mean().clamp(min=1e-300))
        yield Finding(
            name,
            "failed",
            f"a target that nobody has measured (nan) teaches {share:.0%} as much as one that is known: it counts as "
            f"some value, and draws answers there",
            "known = ~y.isnan(): the cost of each target times known, over known.sum()",
        )
    elif float(pull[partly].max()) <= least:
        yield Finding(
            name,
            "told",
            "a sample with one missing target (nan) is left out whole: what else was measured of it teaches nothing",
            "mask targets one by one, known = ~y.isnan() without .all(1)",
        )
    else:
        yield Finding(name, "passed", "a target that nobody has measured (nan) teaches nothing, those beside it do")
