"""The distributions that costs of real numbers read out: torch's interface, good tails, `moved`, often `crps`.

moved(loc, scale) is the law of loc + scale X. crps(y) = E|X - y| - E|X - X'| / 2, in the units of y (Gneiting & Raftery
2007, JASA 102), where it is cheap. Nothing is validated: a negative spread is to be seen, not to be caught here.
"""

import math

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions import Laplace as TorchLaplace
from torch.distributions import Normal as TorchNormal

ROOT_2_PI = math.sqrt(2 * math.pi)
NODES = 64  # quantiles that stand for a law in its CRPS


def exact(x: Tensor) -> Tensor:
    """In float64, where the device has it."""
    return x if x.device.type == "mps" else x.double()


def phi(z: Tensor) -> Tensor:
    """Density of N(0, 1)."""
    return torch.exp(-0.5 * z.square()) / ROOT_2_PI


def cumulative(z: Tensor) -> Tensor:
    """P(N(0, 1) <= z); torch's ndtr is 1 + erf and loses the lower tail."""
    return 0.5 * torch.erfc(-math.sqrt(0.5) * z)


def normal_crps(error: Tensor, spread: Tensor) -> Tensor:
    """e (2 Phi(z) - 1) + s (2 phi(z) - 1 / sqrt(pi)), z = e / s (Gneiting & Raftery 2007, equation 21).

    With e outside, nothing large cancels in the gradient however small s is.
    """
    z = error / spread
    return error * (torch.erf(math.sqrt(0.5) * z)) + spread * (2 * phi(z) - 1 / math.sqrt(math.pi))


def laplace_crps(error: Tensor, spread: Tensor) -> Tensor:
    """|e| + b exp(-|e| / b) - 3 b / 4 (Jordan, Krüger & Lerch 2019, J. Stat. Software 90)."""
    away = error.abs()
    return away + spread * (torch.exp(-away / spread) - 0.75)


class Normal(TorchNormal):
    """torch's Normal, whose tails do not end at six standard deviations in float32."""

    def __init__(self, loc: Tensor, scale: Tensor):
        super().__init__(loc, scale, validate_args=False)

    def cdf(self, value: Tensor) -> Tensor:
        return cumulative((value - self.loc) / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * torch.special.ndtri(value)

    def crps(self, value: Tensor) -> Tensor:
        return normal_crps(value - self.loc, self.scale)

    def moved(self, loc: Tensor, scale: Tensor) -> "Normal":
        return Normal(loc + scale * self.loc, scale * self.scale)


class Laplace(TorchLaplace):
    """torch's Laplace, with exact tails."""

    def __init__(self, loc: Tensor, scale: Tensor):
        super().__init__(loc, scale, validate_args=False)

    def cdf(self, value: Tensor) -> Tensor:
        z = (value - self.loc) / self.scale
        tail = 0.5 * torch.exp(-z.abs())
        return torch.where(z < 0, tail, 1 - tail)

    def icdf(self, value: Tensor) -> Tensor:
        away = torch.log(2 * torch.minimum(value, 1 - value))
        return self.loc + self.scale * torch.where(value < 0.5, away, -away)

    def crps(self, value: Tensor) -> Tensor:
        return laplace_crps(value - self.loc, self.scale)

    def moved(self, loc: Tensor, scale: Tensor) -> "Laplace":
        return Laplace(loc + scale * self.loc, scale * self.scale)


class OwnDistribution(Distribution):
    """What torch's base class wants of a law on the real line that it does not know."""

    arg_constraints = {}
    support = constraints.real

    def __init__(self, batch_shape: torch.Size):
        super().__init__(batch_shape, validate_args=False)

    def spread_over(self, p: Tensor) -> Tensor:
        """Probabilities p, broadcast against the batch."""
        return p.expand(torch.broadcast_shapes(p.shape, self.batch_shape))

    def sample(self, sample_shape: tuple[int, ...] = ()) -> Tensor:
        like = self.mean
        u = torch.rand(self._extended_shape(torch.Size(sample_shape)), dtype=like.dtype, device=like.device)
        return self.icdf(u)


def quadrature(law: Distribution) -> tuple[Tensor, Tensor]:
    """A law by points in ascending order and their masses: [n, n_targets, points] twice.

    `NODES` quantiles, p = sin^2(pi u / 2) with u even in (0, 1), dense at both ends, each for the mass sin(pi u); of a
    mixture those of all its members, since its own would have to be searched for.
    """
    each = law.members if isinstance(law, Mixture) else law
    like = each.mean
    u = (torch.arange(NODES, dtype=torch.float64, device="cpu") + 0.5) / NODES
    p, mass = ((math.pi / 2 * u).sin() ** 2).to(like), (math.pi * u).sin().to(like)
    points = each.icdf(p.view(NODES, *[1] * like.ndim)).movedim(0, -1)  # [n, (members,) n_targets, NODES]
    if each is not law:
        points, mass = points.transpose(-2, -3).flatten(-2), mass.repeat(law.size)
    points, order = points.sort(-1)
    return points, (mass / mass.sum())[order]


def weighed_crps(points: Tensor, mass: Tensor, value: Tensor) -> Tensor:
    """E|X - y| - E|X - X'| / 2 of a law by points (Gneiting & Raftery 2007, equation 21): [n, n_targets]."""
    away = (mass * (points - value.unsqueeze(-1)).abs()).sum(-1)
    centred = 2 * mass.cumsum(-1) - mass - 1  # sum over i, j of w_i w_j |x_i - x_j| / 2 = sum of w_i x_i centred_i
    return away - (mass * centred * points).sum(-1)


class Mixture(OwnDistribution):
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

    def moved(self, loc: Tensor, scale: Tensor) -> "Mixture":
        return Mixture(self.members.moved(loc.unsqueeze(-2), scale.unsqueeze(-2)))
