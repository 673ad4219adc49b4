"""The negative binomial distribution by its mean and dispersion: a Poisson variable whose rate is gamma-distributed."""

import torch
from torch import Tensor

from dlthink.distributions.count import CountDistribution
from dlthink.distributions.rising_factorial import log_rising_factorial

LEAST = 1e-14  # a dispersion below it is that of a Poisson variable to rounding


class NegativeBinomial(CountDistribution):
    """NB2: P(k) = G(k + r) / (G(r) k!) (r / (r + mean))^r (mean / (r + mean))^k,  r = 1 / dispersion.

    variance = mean + dispersion mean^2. dispersion -> 0 is Poisson, and dispersion = 0 is Poisson, too.
    Source: Cameron & Trivedi 2013, Regression Analysis of Count Data, section 3.3; Hilbe 2011.
    """

    def __init__(self, mean: Tensor, dispersion: Tensor):
        super().__init__(mean, dispersion)

    @property
    def mean(self) -> Tensor:
        return self.parameters[0].to(self.dtype)

    @property
    def variance(self) -> Tensor:
        mean, dispersion = self.parameters
        return (mean + dispersion * mean.square()).to(self.dtype)

    @property
    def _clamped(self) -> tuple[Tensor, Tensor]:
        return self.parameters[0], self.parameters[1].clamp(min=LEAST)

    def log_pmf(self, k: Tensor) -> Tensor:
        mean, dispersion = self._clamped
        share = torch.log1p(mean * dispersion)  # log(1 + mean / r)
        rising = log_rising_factorial(dispersion, k) + torch.xlogy(k, mean)
        return rising - k * share - share / dispersion - torch.lgamma(k + 1)

    def log_pmf_of(self, counts: Tensor) -> Tensor:
        """By the ratio of each to the one before, mean (1 + a (k - 1)) / (k (1 + a mean))."""
        mean, dispersion = self._clamped
        first, rest = self.log_pmf(counts[:1]), counts[1:]
        ratio = torch.log1p(dispersion * (rest - 1)) + (mean.log() - torch.log1p(dispersion * mean)) - rest.log()
        return torch.cat((first.expand(len(ratio), 1), first + ratio.cumsum(-1)), -1)

    def sample(self, sample_shape: tuple[int, ...] = ()) -> Tensor:
        shape = self._extended_shape(torch.Size(sample_shape))
        mean, dispersion = (each.expand(shape) for each in self.parameters)
        r = 1 / dispersion.clamp(min=LEAST)
        return torch.poisson(torch._standard_gamma(r) * mean / r).to(self.dtype)
