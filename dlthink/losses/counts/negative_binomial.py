"""Counts that scatter more than a Poisson variable does: the rate itself is gamma-distributed around its mean."""

import torch
from torch import Tensor

from dlthink.distributions.negative_binomial import NegativeBinomial as Law
from dlthink.distributions.rising_factorial import rising_factorial_slopes
from dlthink.losses.counts._counts import Dispersed

LEAST, MOST = -14.0, 8.0  # log dispersion


class NegativeBinomial(Dispersed):
    """NLL = log k! - log G(k + r) / (G(r) r^k) - k log mean + (k + r) log(1 + mean / r),  log mean = out + log_mean.

    Elicits the whole distribution where counts are negative binomial; of any counts the mean.

    NB2: variance = mean + mean^2 / r. The raw number is log(1 / r), the log of the `dispersion`: it comes from where
    that setting says (shared | target | network), and training starts at (variance - mean) / mean^2 of the counts. It
    stays between exp(-14), which is Poisson, and exp(8). Slopes: (mean - k) / (1 + mean / r) by log mean.

    Source: Cameron & Trivedi 2013, section 3.3; Hilbe 2011, chapter 8.
    """

    def family(self, k: Tensor, log_mean: Tensor, raw: Tensor) -> tuple[Tensor, ...]:
        dispersion = raw.clamp(LEAST, MOST).exp()
        mean, top = log_mean.exp(), k + dispersion.reciprocal()
        ratio = mean * dispersion
        share, log_share = (ratio + 1).reciprocal(), ratio.log1p()
        rising, slope = rising_factorial_slopes(dispersion, k)
        value = torch.addcmul(torch.lgamma(k + 1) - rising, top, log_share).addcmul(k, log_mean, value=-1)
        by_raw = torch.addcmul(top * ratio * share - slope, log_share, dispersion.reciprocal(), value=-1)
        return value, (mean - k) * share, by_raw

    def law(self, log_mean: Tensor, raw: Tensor) -> Law:
        return Law(log_mean.exp(), raw.clamp(LEAST, MOST).exp())

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        return ((variance - mean) / mean.square()).clamp(0.01, 100).log()[None]
