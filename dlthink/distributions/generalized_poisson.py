"""The generalized Poisson distribution: counts that scatter more than a Poisson variable, or less."""

from functools import cached_property

import torch
from torch import Tensor

from dlthink.distributions.count import CountDistribution

ENOUGH = 24  # where more counts than these have a probability, these add up to 1 to rounding as they are


class GeneralizedPoisson(CountDistribution):
    """P(k) = theta^k (1 + a k)^(k - 1) exp(-theta (1 + a k)) / (k! Z),  theta = mu / (1 + a mu).

    variance = mu (1 + a mu)^2: a > 0 scatters more than Poisson, a < 0 less, a = 0 is Poisson. For a < 0 only counts
    with 1 + a k > 0 have a probability; without Z, which is the sum over these, they would not quite add up to 1 (by
    less than 1e-5 for a > -1/8), nor would mean and variance be quite those of the formulas: `mean` and `variance` are
    what they are. As Consul demands, a mu >= -1/2, so that the variance is at least a quarter of mu.

    Source: Consul & Jain 1973, Technometrics 15; Consul 1989; Famoye 1993, Commun. Stat. Theory Methods 22.
    """

    def __init__(self, mu: Tensor, dispersion: Tensor):
        super().__init__(mu, dispersion)

    def at(self, index: Tensor) -> "GeneralizedPoisson":
        some = super().at(index)
        some._sums = tuple(each.flatten()[index].unsqueeze(-1) for each in self._sums)
        return some

    def log_pmf(self, k: Tensor) -> Tensor:
        mu, a = self.parameters
        room = 1 + a * k
        return torch.where(room > 0, _log_terms(mu, a, k, room), -torch.inf) - self._sums[0]

    @cached_property
    def _sums(self) -> tuple[Tensor, Tensor, Tensor]:
        """log Z, mean, variance."""
        mu, a = self.parameters
        log_z, mean, variance = torch.zeros_like(mu), mu.clone(), mu * (1 + a * mu).square()
        few = a < -1 / ENOUGH
        if bool(few.any()):
            mu, a = mu[few], a[few]
            k = torch.arange(ENOUGH, dtype=mu.dtype, device=mu.device).unsqueeze(-1)
            room = 1 + a * k
            pmf = torch.where(room > 0, _log_terms(mu, a, k, room).exp(), 0.0)
            z = pmf.sum(0)
            centre = (k * pmf).sum(0) / z
            log_z[few], mean[few] = z.log(), centre
            variance[few] = ((k - centre).square() * pmf).sum(0) / z
        return log_z, mean, variance

    @property
    def mean(self) -> Tensor:
        return self._sums[1].to(self.dtype)

    @property
    def variance(self) -> Tensor:
        return self._sums[2].to(self.dtype)


def _log_terms(mu: Tensor, a: Tensor, k: Tensor, room: Tensor) -> Tensor:
    """log P(k) + log Z."""
    theta = mu / (1 + a * mu)
    safe = torch.where(room > 0, room, 1.0)
    return torch.xlogy(k, theta) + (k - 1) * safe.log() - theta * room - torch.lgamma(k + 1)
