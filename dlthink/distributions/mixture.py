"""The equal mixture of an ensemble's members; and any distribution as points with masses, which gives its CRPS."""

import math

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.distributions.real import RealDistribution, exact

NODES = 64  # quantiles that stand for a distribution in its CRPS


def quadrature(distribution: Distribution) -> tuple[Tensor, Tensor]:
    """A distribution by points in ascending order and their masses: [n, n_targets, points] twice.

    `NODES` quantiles, p = sin^2(pi u / 2) with u even in (0, 1), dense at both ends, each for the mass sin(pi u); of a
    mixture those of all its members, since its own would have to be searched for.
    """
    each = distribution.members if isinstance(distribution, Mixture) else distribution
    like = each.mean
    u = (torch.arange(NODES, dtype=torch.float64, device="cpu") + 0.5) / NODES
    p, mass = ((math.pi / 2 * u).sin() ** 2).to(like), (math.pi * u).sin().to(like)
    points = each.icdf(p.view(NODES, *[1] * like.ndim)).movedim(0, -1)  # [n, (members,) n_targets, NODES]
    if each is not distribution:
        points, mass = points.transpose(-2, -3).flatten(-2), mass.repeat(distribution.size)
    points, order = points.sort(-1)
    return points, (mass / mass.sum())[order]


def weighed_crps(points: Tensor, mass: Tensor, value: Tensor) -> Tensor:
    """E|X - y| - E|X - X'| / 2 of a distribution by points (Gneiting & Raftery 2007, equation 21): [n, n_targets]."""
    away = (mass * (points - value.unsqueeze(-1)).abs()).sum(-1)
    centred = 2 * mass.cumsum(-1) - mass - 1  # sum over i, j of w_i w_j |x_i - x_j| / 2 = sum of w_i x_i centred_i
    return away - (mass * centred * points).sum(-1)


class Mixture(RealDistribution):
    """The equal mixture of members: each [n, members, n_targets], the mixture [n, n_targets]."""

    def __init__(self, members: Distribution):
        *rows, self.size, targets = members.batch_shape
        super().__init__(torch.Size((*rows, targets)))
        self.members = members

    @property
    def mean(self) -> Tensor:
        return self.members.mean.mean(-2)

    @property
    def aleatoric(self) -> Tensor:
        """Root of the mean variance within members."""
        return self.members.variance.mean(-2).sqrt()

    @property
    def epistemic(self) -> Tensor:
        """Standard deviation of the members' means."""
        return self.members.mean.std(-2, correction=0)

    @property
    def variance(self) -> Tensor:
        return self.members.variance.mean(-2) + self.members.mean.var(-2, correction=0)

    def log_prob(self, value: Tensor) -> Tensor:
        return self.members.log_prob(value.unsqueeze(-2)).logsumexp(-2) - math.log(self.size)

    def cdf(self, value: Tensor) -> Tensor:
        return self.members.cdf(value.unsqueeze(-2)).mean(-2)

    def icdf(self, value: Tensor) -> Tensor:
        """By bisection: it lies between the lowest and the highest quantile of the members."""
        p = self.spread_over(value)
        quantiles = exact(self.members.icdf(p.unsqueeze(-2)))
        low, high = quantiles.amin(-2), quantiles.amax(-2)
        for _ in range(50):
            middle = low + 0.5 * (high - low)
            below = self.cdf(middle) < p
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        ends = (p <= 0) | (p >= 1)  # infinite, where infinity - infinity is not a number
        return torch.where(ends, quantiles[..., 0, :], 0.5 * (low + high)).to(self.mean.dtype)

    def crps(self, value: Tensor) -> Tensor:
        return weighed_crps(*quadrature(self), value)

    def sample(self, sample_shape: tuple[int, ...] = ()) -> Tensor:
        drawn = self.members.sample(sample_shape)
        member = torch.randint(self.size, (*drawn.shape[:-2], 1, drawn.shape[-1]), device=drawn.device)
        return drawn.gather(-2, member).squeeze(-2)

    def affine(self, loc: Tensor, scale: Tensor) -> "Mixture":
        return Mixture(self.members.affine(loc.unsqueeze(-2), scale.unsqueeze(-2)))

    def widened(self, factor: Tensor) -> "Mixture":
        """Each member `widened` about its own centre."""
        return Mixture(self.members.widened(factor.unsqueeze(-2)))
