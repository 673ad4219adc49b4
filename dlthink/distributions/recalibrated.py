"""A recalibrated distribution: predicted probabilities mapped to their observed frequencies."""

import math
from itertools import pairwise

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.distributions.mixture import quadrature, weighed_crps
from dlthink.distributions.real import RealDistribution

# 0, seventeen knots from 1e-10 to 0.01, 29 between 0.02 and 0.98, and the tail mirrored
_TAIL = torch.logspace(-10, -2, 17, dtype=torch.float64)
_END = torch.tensor([0.0], dtype=torch.float64)
KNOTS = torch.cat((_END, _TAIL, torch.linspace(0.02, 0.98, 29, dtype=torch.float64), 1 - _TAIL.flip(0), 1 - _END))


def identity() -> Tensor:
    """The probability between knots that changes nothing: [64] float32, and nothing is rounded near 1."""
    return KNOTS.diff().float()


class Recalibrated(RealDistribution):
    """cdf = R(F(y)), with R linear between knots (Kuleshov, Fenner & Ermon 2018, Algorithm 1).

    log_prob = log f(y) + log R'(F(y)); icdf(p) = F^-1(R^-1(p)). base should be in float64 (a float32 cannot tell
    1 - 1e-8 from 1); what is returned has the type of what is asked. mass: [64], R's increase from knot to knot.
    """

    def __init__(self, base: Distribution, mass: Tensor):
        super().__init__(base.batch_shape)
        like = base.mean
        mass = mass.to(like)
        mass = mass / mass.sum()
        self.base, self.mass = base, mass
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

    def affine(self, loc: Tensor, scale: Tensor) -> "Recalibrated":
        return Recalibrated(self.base.affine(loc, scale), self.mass)

    @property
    def mean(self) -> Tensor:
        return self._moments()[0]

    @property
    def variance(self) -> Tensor:
        return self._moments()[1]

    def _moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance: the sum over cells of 40 standard deviations either way, narrow in the middle.

        One cdf for each edge, where a quantile function of a mixture would have to be searched for. Of a distribution
        so skewed that one cell holds nearly all of it, the variance is the one before.
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
        ratio = second - first.square()
        return middle + std * first, std.square() * torch.where(ratio > 0, ratio, 1.0)


def _between(edges: Tensor, x: Tensor) -> Tensor:
    """Index of the interval of `edges` that x lies in."""
    return torch.searchsorted(edges, x.contiguous(), right=True).sub(1).clamp(0, len(edges) - 2)
