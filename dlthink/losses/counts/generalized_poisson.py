"""Counts that scatter more than a Poisson variable does, or less: one distribution for both directions."""

import torch
from torch import Tensor

from dlthink.distributions.data_dependent_branch import may_hold
from dlthink.distributions.generalized_poisson import GeneralizedPoisson as Distribution
from dlthink.losses.counts._count_table import CountTable
from dlthink.losses.counts._counts import CEILING, FLOOR, Dispersed, Where

TERMS = 12  # of Z; where more counts than these have a probability, it is 1 within 1e-8
FEW = torch.tensor(-1 / TERMS, device="cpu")  # of a, below which fewer counts have one
LEAST = torch.tensor(-0.5, device="cpu")  # a mean
MOST = 8.0  # log of the largest dispersion


class GeneralizedPoisson(Dispersed):
    """NLL = theta (1 + a k) - k log theta - (k - 1) log(1 + a k) + log k! + log Z,  theta = mu / (1 + a mu).

    Elicits the whole distribution where counts are generalized Poisson; of any counts that scatter more the mean.

    log mu = out + log_mean, variance = mu (1 + a mu)^2. For a < 0 only counts with 1 + a k > 0 have a probability, and
    Z is their sum; for a >= 0 it is 1. The raw number makes a = exp(raw) - 1 / (K + 2), K the largest training count,
    so that this one and the next have a probability. mu ends where a mu = -1/2 (Consul), and the cost goes on along its
    tangent. `dispersion` says where the raw number comes from (shared | target | network); training starts at
    a = (sqrt(variance / mean) - 1) / mean of the counts. Slope by log mu: (mu - k) / (1 + a mu)^2, and that of log Z.

    Source: Consul & Jain 1973, Technometrics 15; Famoye 1993, Commun. Stat. Theory Methods 22 (by the mean).
    """

    bound: Tensor  # [n_targets]

    def __init__(self, n_targets: int, dispersion: Where = "target"):
        super().__init__(n_targets, dispersion)
        self.register_buffer("bound", torch.full((n_targets,), 4.0))

    def numbers(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """a, above -1 / bound, and its slope by the raw number."""
        slope = raw.clamp(max=MOST).exp()
        return slope - self.bound.reciprocal(), slope

    def bounded(self, log_mean: Tensor, a: Tensor, _: Tensor) -> Tensor:
        return torch.minimum(log_mean.clamp(FLOOR, CEILING), (LEAST / a.clamp(max=-1e-9)).log())

    def family(self, counted: CountTable, log_mean: Tensor, a: Tensor, slope: Tensor) -> tuple[Tensor, ...]:
        k, each = counted.k, log_mean.neg().exp()  # 1 / mean
        theta = (each + a).reciprocal()
        inverse, log_theta = theta * each, theta.log()  # theta is at least exp(-80)
        value, by_a = counted.of(_beyond_the_mean, a)
        many = torch.addcmul(theta, theta * a, k)
        value, by_theta, by_a = (value + many).addcmul(k, log_theta, value=-1), many - k, by_a.addcmul(theta, k)
        if may_hold(a < FEW):
            log_z, z_by_theta, z_by_a = _normalizer(a, log_theta, theta)
            value, by_theta, by_a = value + log_z, by_theta + z_by_theta, by_a + z_by_a
        return value, by_theta * inverse, by_a.addcmul(theta, by_theta, value=-1) * slope  # by_theta: by log theta

    def distribution(self, log_mean: Tensor, a: Tensor, _: Tensor) -> Distribution:
        return Distribution(log_mean.exp(), a)

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        largest = y.amax(0)
        self.bound.copy_((largest.amax() if self.dispersion == "shared" else largest) + 2)
        a = ((variance / mean).sqrt() - 1) / mean
        least = 0.2 / self.bound  # above the lowest: there its slope is not too small yet
        return torch.maximum(a + self.bound.reciprocal(), least).clamp(max=100).log()[None]


def _beyond_the_mean(k: Tensor, log_k: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    """log k! - (k - 1) log(1 + a k), and its derivative by a.

    1 + a k is at least 1e-6: below it are only counts that no training has.
    """
    log_room = (a * k).clamp(min=1e-6 - 1).log1p()
    return log_k.addcmul(k, log_room, value=-1) + log_room, k.addcmul(k, k, value=-1) * log_room.neg().exp()


def _normalizer(a: Tensor, log_theta: Tensor, theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log Z and its derivatives by log theta and by a, both at fixed others."""
    k = torch.arange(TERMS, dtype=theta.dtype, device=theta.device).view(-1, *(1 for _ in theta.shape))
    room = a * k + 1
    inside, safe = room > 0, room.clamp(min=1e-6)
    fixed = torch.where(inside, (k - 1) * safe.log() - torch.lgamma(k + 1), -torch.inf)
    pmf = ((k * log_theta).add_(fixed) - theta * safe).exp_()
    z = pmf.sum(0)
    slope = (pmf * (k * (k - 1) / safe)).sum(0) / z
    count = pmf.mul_(k).sum(0) / z
    few = a < FEW
    by_theta = count - theta * (1 + a * count)
    return tuple(torch.where(few, each, 0.0) for each in (z.log(), by_theta, slope - theta * count))
