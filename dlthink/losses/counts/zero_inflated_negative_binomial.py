"""Counts that are negative binomial, but for zeros that have a cause of their own."""

import torch
from torch import Tensor

from dlthink.distributions.zero_inflated import ZeroInflated
from dlthink.losses.counts._count_table import CountTable
from dlthink.losses.counts._zero_inflated import zero_inflated
from dlthink.losses.counts.negative_binomial import NegativeBinomial


class ZeroInflatedNegativeBinomial(NegativeBinomial):
    """NLL = -log(pi + (1 - pi) NB(0)) at k = 0, else -log NB(k) - log(1 - pi), with NB as in `negative_binomial`.

    Elicits the whole distribution where counts are zero-inflated negative binomial.

    log mu = out + log_mean is that of the negative binomial counts; the mean is (1 - pi) mu. Two raw numbers, the log
    of the dispersion and the logit of pi; `dispersion` says where both come from (shared | target | network). Training
    starts with half of the moments' overdispersion in each, where an output of 0 predicts the mean count.

    Source: Greene 1994, NYU working paper EC-94-10; Lambert 1992, Technometrics 34.
    """

    shapes = 2

    def numbers(self, raw: Tensor, logit: Tensor) -> tuple[Tensor, ...]:
        """dispersion, logit of pi."""
        return *super().numbers(raw), logit

    def family(self, counted: CountTable, log_mean: Tensor, dispersion: Tensor, logit: Tensor) -> tuple[Tensor, ...]:
        return zero_inflated(counted, logit, *super().family(counted, log_mean, dispersion))

    def distribution(self, log_mean: Tensor, dispersion: Tensor, logit: Tensor) -> ZeroInflated:
        return ZeroInflated(super().distribution(log_mean, dispersion), logit)

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        half = 0.5 * (variance - mean) / mean.square()
        return torch.stack((half.clamp(0.01, 100), half.clamp(0.02, 1))).log()

    def prepare(self, y: Tensor) -> None:
        super().prepare(y)
        self.log_mean += torch.nn.functional.softplus(self.start[-1])  # - log(1 - pi)
