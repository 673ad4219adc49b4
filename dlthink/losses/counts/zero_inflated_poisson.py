"""Counts that are Poisson, but for zeros that have a cause of their own."""

import torch
from torch import Tensor

from dlthink.distributions.poisson import Poisson
from dlthink.distributions.zero_inflated import ZeroInflated
from dlthink.losses.counts._count_table import CountTable
from dlthink.losses.counts._counts import Dispersed
from dlthink.losses.counts._zero_inflated import zero_inflated


class ZeroInflatedPoisson(Dispersed):
    """NLL = -log(pi + (1 - pi) exp(-mu)) at k = 0, else mu - k log mu + log k! - log(1 - pi).

    Elicits the whole distribution where counts are zero-inflated Poisson; of other counts not quite the mean.

    log mu = out + log_mean is that of the Poisson counts (Lambert's form); the mean is (1 - pi) mu. The raw number is
    the logit of pi, and `dispersion` says where it comes from (shared | target | network). Training starts at
    pi / (1 - pi) = (variance - mean) / mean^2, where an output of 0 predicts the mean count.

    Source: Lambert 1992, Technometrics 34.
    """

    def family(self, counted: CountTable, log_mean: Tensor, logit: Tensor) -> tuple[Tensor, ...]:
        mean = log_mean.exp()
        value = torch.addcmul(counted.log_factorial, counted.k, log_mean, value=-1) + mean
        return zero_inflated(counted, logit, value, mean - counted.k)

    def distribution(self, log_mean: Tensor, logit: Tensor) -> ZeroInflated:
        return ZeroInflated(Poisson(log_mean.exp()), logit)

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        return ((variance - mean) / mean.square()).clamp(0.02, 10).log()[None]

    def prepare(self, y: Tensor) -> None:
        super().prepare(y)
        self.log_mean += torch.nn.functional.softplus(self.start[-1])  # - log(1 - pi)
