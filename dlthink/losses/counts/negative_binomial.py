"""Counts that scatter more than a Poisson variable does: the rate itself is gamma-distributed around its mean."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from dlthink.distributions.negative_binomial import NegativeBinomial as Distribution
from dlthink.distributions.rising_factorial import rising_factorial_slopes, rising_factorial_table
from dlthink.losses.counts._count_table import CountTable
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

    def numbers(self, raw: Tensor) -> tuple[Tensor]:
        """dispersion."""
        return (raw.clamp(LEAST, MOST).exp(),)

    def family(self, counted: CountTable, log_mean: Tensor, dispersion: Tensor) -> tuple[Tensor, ...]:
        r, mean = dispersion.reciprocal(), log_mean.exp()
        ratio = mean * dispersion
        share, log_share = (ratio + 1).reciprocal(), ratio.log1p()
        value, rising = counted.of(_beyond_the_mean, dispersion, table=_table)
        k, top = counted.k, counted.k + r
        value = torch.addcmul(value, top, log_share).addcmul(k, log_mean, value=-1)
        by_raw = torch.addcmul(top * (ratio * share) - rising, log_share, r, value=-1)
        return value, (mean - k) * share, by_raw

    def distribution(self, log_mean: Tensor, dispersion: Tensor) -> Distribution:
        return Distribution(log_mean.exp(), dispersion)

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        return ((variance - mean) / mean.square()).clamp(0.01, 100).log()[None]


def _beyond_the_mean(
    k: Tensor, log_k: Tensor, dispersion: Tensor, rising: Callable = rising_factorial_slopes
) -> tuple[Tensor, Tensor]:
    """log k! - log G(k + r) / (G(r) r^k); the slope of the second by log dispersion."""
    value, slope = rising(dispersion, k)
    return log_k - value, slope


_table = partial(_beyond_the_mean, rising=rising_factorial_table)
