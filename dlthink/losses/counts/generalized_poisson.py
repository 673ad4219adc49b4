"""Counts that scatter more than a Poisson variable does, or less: one law for both directions."""

import torch
from torch import Tensor

from dlthink.distributions.generalized_poisson import GeneralizedPoisson as Law
from dlthink.losses.counts._counts import CEILING, Dispersed, Where

TERMS = 12  # of Z; where more counts than these have a probability, it is 1 within 1e-8
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

    def __init__(self, n_targets: int, dispersion: Where = "target"):
        super().__init__(n_targets, dispersion)
        self.register_buffer("bound", torch.full((n_targets,), 4.0))

    def shape(self, raw: Tensor) -> Tensor:
        """a, above -1 / bound."""
        return raw.clamp(max=MOST).exp() - self.bound.reciprocal()

    def ceiling(self, raw: Tensor) -> Tensor:
        a = self.shape(raw)
        return torch.where(a < 0, (-0.5 / a.clamp(max=-1e-9)).log(), CEILING)

    def family(self, k: Tensor, log_mean: Tensor, raw: Tensor) -> tuple[Tensor, ...]:
        a = self.shape(raw)
        inverse = (a * log_mean.exp() + 1).reciprocal()
        log_theta = log_mean + inverse.log()
        theta = log_theta.exp()
        room = (a * k + 1).clamp(min=1e-6)  # below it only counts that no training has
        value = torch.lgamma(k + 1) + theta * room - k * log_theta - (k - 1) * room.log()
        by_theta = theta * room - k  # by log theta
        by_a = (theta - (k - 1) / room) * k
        log_z, z_by_theta, z_by_a = self._normalizer(a, log_theta, theta)
        by_theta, by_a = by_theta + z_by_theta, by_a + z_by_a
        return value + log_z, by_theta * inverse, (by_a - theta * by_theta) * (a + self.bound.reciprocal())

    @staticmethod
    def _normalizer(a: Tensor, log_theta: Tensor, theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """log Z and its derivatives by log theta and by a, both at fixed others."""
        k = torch.arange(TERMS, dtype=theta.dtype, device=theta.device)
        a = a.unsqueeze(-1)
        room = a * k + 1
        inside, safe = room > 0, room.clamp(min=1e-6)
        fixed = torch.where(inside, (k - 1) * safe.log() - torch.lgamma(k + 1), -torch.inf)
        pmf = (torch.addcmul(fixed, k, log_theta.unsqueeze(-1)) - theta.unsqueeze(-1) * safe).exp()
        z = pmf.sum(-1)
        count = (pmf * k).sum(-1) / z
        slope = (pmf * (k * (k - 1) / safe)).sum(-1) / z
        few = a.squeeze(-1) < -1 / TERMS
        by_theta = count - theta * (1 + a.squeeze(-1) * count)
        zero = theta.new_zeros(())
        return (torch.where(few, each, zero) for each in (z.log(), by_theta, slope - theta * count))

    def law(self, log_mean: Tensor, raw: Tensor) -> Law:
        return Law(log_mean.exp(), self.shape(raw))

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        largest = y.amax(0)
        self.bound.copy_((largest.amax() if self.dispersion == "shared" else largest) + 2)
        a = ((variance / mean).sqrt() - 1) / mean
        least = 0.2 / self.bound  # above the lowest: there its slope is not too small yet
        return torch.maximum(a + self.bound.reciprocal(), least).clamp(max=100).log()[None]
