"""Recalibration on validation: one factor for the width, or a monotone map of probabilities."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.distributions.recalibrated import KNOTS, identity

OUTLIERS, BACKGROUND = 0.01, 1e-3  # share of targets that are outliers; their density, per standardized unit
FEWEST = 10  # validation targets between two knots in use


def highest(score: Callable[[Tensor], Tensor], low: float, high: float) -> Tensor:
    """For each target the positive x in [low, high] with the highest score(x): [n_targets] -> [n_targets].

    A grid in log x, since likelihoods of outliers have several hills, then golden sections about its best point.
    """
    grid = torch.linspace(math.log(low), math.log(high), 61, dtype=torch.float64).tolist()
    first = score(torch.tensor(math.exp(grid[0])))
    scores = torch.stack([first, *(score(first.new_tensor(math.exp(x))) for x in grid[1:])])
    best = first.new_tensor(grid)[scores.nan_to_num(-math.inf).argmax(0)]
    step, golden = grid[1] - grid[0], (math.sqrt(5) - 1) / 2
    a, b = best - step, best + step
    for _ in range(30):
        left, right = b - golden * (b - a), a + golden * (b - a)
        lower = score(left.exp()) > score(right.exp())
        a, b = torch.where(lower, a, left), torch.where(lower, right, b)
    return (0.5 * (a + b)).exp()


def known_mean(values: Tensor, z: Tensor) -> Tensor:
    """Mean of each column of values [n, n_targets] over the rows that z knows, which are not nan: [n_targets]."""
    return torch.where(z.isnan(), math.nan, values).nanmean(0)


def factor(widened: Callable[[Tensor], Distribution], z: Tensor) -> Tensor:
    """The factor f of each target for which the distributions widened(f) make z: [n, n_targets] most likely.

    What is missing in z, nan, is passed over; of a target that is missing altogether f is 1.

    Robust: one target in a hundred may be an outlier (density 1e-3 per standard deviation of the targets), so a
    few wild values do not widen everybody's spread, as they would a Gaussian's without bound.
    """
    wild = math.log(OUTLIERS * BACKGROUND)

    def score(f: Tensor) -> Tensor:
        f = f.to(z).expand(z.shape[-1])
        kind = widened(f).log_prob(z.nan_to_num()) + math.log1p(-OUTLIERS)
        return known_mean(torch.logaddexp(kind, torch.full_like(kind, wild)), z)

    return torch.where(z.isnan().all(0), 1.0, highest(score, 1e-3, 1e3))


def frequencies(u: Tensor) -> Tensor:
    """Observed probability between neighbouring knots, from the predicted probabilities u = F(y) of all targets.

    Knots with fewer than 10 targets since the one before are passed over, and the map is linear across them: it stays
    strictly increasing, and noise is not learned. Fewer than 20 targets in all teach nothing. [64] float32.
    """
    place = torch.searchsorted(KNOTS.to(u), u.flatten().contiguous()).sub(1).clamp(0, len(KNOTS) - 2)
    counts = torch.bincount(place, minlength=len(KNOTS) - 1).tolist()
    edges, held = [0], []
    since = 0
    for i, count in enumerate(counts, 1):
        since += count
        if since >= FEWEST:
            edges.append(i)
            held.append(since)
            since = 0
    if len(held) < 2:
        return identity().to(u.device)
    held[-1] += since
    edges[-1] = len(counts)
    mass = KNOTS.diff()
    for a, b, many in zip(edges[:-1], edges[1:], held, strict=True):
        mass[a:b] *= many / u.numel() / (KNOTS[b] - KNOTS[a])
    return mass.float().to(u.device)
