"""Recalibration on validation: one factor for the width, or a monotone map of probabilities."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.distributions.real import OwnDistribution, quadrature, weighed_crps

OUTLIERS, BACKGROUND = 0.01, 1e-3  # share of targets that obey no law; their density, per standardized unit
FEWEST = 10  # validation targets between two knots in use

# 0, seventeen knots from 1e-10 to 0.01, 29 between 0.02 and 0.98, and the tail mirrored
_TAIL = torch.logspace(-10, -2, 17, dtype=torch.float64)
_END = torch.tensor([0.0], dtype=torch.float64)
KNOTS = torch.cat((_END, _TAIL, torch.linspace(0.02, 0.98, 29, dtype=torch.float64), 1 - _TAIL.flip(0), 1 - _END))


def identity() -> Tensor:
    """The probability between knots that changes nothing: [64] float32, and nothing is rounded near 1."""
    return KNOTS.diff().float()


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


def factor(law: Distribution, z: Tensor) -> Tensor:
    """The factor f of each target for which m + f (Z - m) makes z: [n, n_targets] most likely, m the mean of Z.

    Robust: one target in a hundred may obey no law at all (density 1e-3 per standard deviation of the targets), so a
    few wild values do not widen everybody's spread, as they would a Gaussian's without bound.
    """
    middle = law.mean
    wild = math.log(OUTLIERS * BACKGROUND)

    def score(f: Tensor) -> Tensor:
        f = f.to(z).expand(z.shape[-1])
        kind = law.moved((1 - f) * middle, f).log_prob(z) + math.log1p(-OUTLIERS)
        return torch.logaddexp(kind, torch.full_like(kind, wild)).mean(0)

    return highest(score, 1e-3, 1e3)


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


class Recalibrated(OwnDistribution):
    """cdf = R(F(y)), with R linear between knots (Kuleshov, Fenner & Ermon 2018, Algorithm 1).

    log_prob = log f(y) + log R'(F(y)); icdf(p) = F^-1(R^-1(p)). base should be in float64 (a float32 cannot tell
    1 - 1e-8 from 1); what is returned has the type of what is asked. mass: [64], R's increase from knot to knot.
    """

    def __init__(self, base: Distribution, mass: Tensor):
        super().__init__(base.batch_shape)
        like = base.mean
        mass = mass.to(like)
        mass = mass / mass.sum()
        self.base = base
        self.knots = KNOTS.to(like)
        self.levels = torch.cat((mass.new_zeros(1), mass.cumsum(0)[:-1], mass.new_ones(1)))
        self.slopes = mass / KNOTS.diff().to(like)

    def log_prob(self, value: Tensor) -> Tensor:
        slope = self.slopes[_between(self.knots, self.base.cdf(value))]
        return (self.base.log_prob(value) + slope.log()).to(value.dtype)

    def cdf(self, value: Tensor) -> Tensor:
        return self._observed(self.base.cdf(value)).to(value.dtype)

    def crps(self, value: Tensor) -> Tensor:
        points, mass = quadrature(self.base)
        below = self._observed(mass.cumsum(-1).clamp(max=1))
        return weighed_crps(points, below.diff(dim=-1, prepend=torch.zeros_like(below[..., :1])), value).to(value.dtype)

    def _observed(self, u: Tensor) -> Tensor:
        """R(u)."""
        i = _between(self.knots, u)
        return (self.levels[i] + self.slopes[i] * (u - self.knots[i])).clamp(0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        p = self.spread_over(value).to(self.levels)
        i = _between(self.levels, p)
        u = (self.knots[i] + (p - self.levels[i]) / self.slopes[i]).clamp(0, 1)
        u = torch.where(p < 1, u, 1.0)  # where rounding must not end the upper tail
        return self.base.icdf(u).to(value.dtype)

    @property
    def mean(self) -> Tensor:
        return self._moments()[0]

    @property
    def variance(self) -> Tensor:
        return self._moments()[1]

    def _moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance: the sum over cells of 40 standard deviations either way, narrow in the middle.

        One cdf for each edge, where a quantile function of a mixture would have to be searched for.
        """
        middle, std = self.base.mean, self.base.stddev
        edges = [0.7 * math.sinh(x) for x in torch.linspace(-4.74, 4.74, 129).tolist()]
        first = second = torch.zeros_like(middle)
        before = torch.zeros_like(middle)
        for a, b in pairwise(edges):
            after = self.cdf(middle + std * b) if b < edges[-1] else torch.ones_like(middle)
            centre, mass = 0.5 * (a + b), after - before
            first = first + centre * mass
            second = second + (centre**2 - (b - a) ** 2 / 12) * mass  # Sheppard's correction
            before = after
        return middle + std * first, std.square() * (second - first.square())


def _between(edges: Tensor, x: Tensor) -> Tensor:
    """Index of the interval of `edges` that x lies in."""
    return torch.searchsorted(edges, x.contiguous(), right=True).sub(1).clamp(0, len(edges) - 2)
