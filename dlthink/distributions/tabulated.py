"""A distribution of counts that has `log_prob` alone, torch's Poisson say, as a table, which has cdf, quantiles and
RPS."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dlthink.distributions.categorical_counts import CategoricalCounts
from dlthink.distributions.optional_formulas import ask, log_prob
from dlthink.distributions.real import exact

LARGEST = 4096  # counts of a table
CELLS = 2**24  # of a table: 128 MB
NEARLY, NOTHING = 0.999, 1e-10  # of all probability: where so much has been, so little is the end


def tabulated(distribution: Any, shape: torch.Size, at: Tensor | None = None) -> CategoricalCounts | None:
    """The distribution of each place of `shape` by its probabilities of 0, 1, ... up to where there is nothing left.

    at: places of the flattened shape, [m]; then the table is that of distributions [m, 1]. None where the distribution
    has no `log_prob`, or reaches beyond 4,096, or to where a table would be too large.
    """
    mean, rows, total = ask(distribution, "mean"), [], 0.0
    device = None if mean is None else mean.device
    for count in range(LARGEST + 1):
        found = log_prob(distribution, torch.full(shape, float(count), device=device))
        if found is None:
            return None
        found = exact(found.detach()).expand(shape)
        rows.append(found if at is None else found.flatten()[at].unsqueeze(-1))
        share = rows[-1].exp()
        total = total + share
        if bool(((total >= NEARLY) & (share <= NOTHING)).all()):
            return CategoricalCounts(torch.stack(rows, -1))
        if len(rows) * rows[-1].numel() > CELLS:
            return None
    return None
