"""The Poisson distribution with the cdf, quantiles and RPS that torch lacks."""

import torch
from torch import Tensor

from dlthink.distributions.count import SUMMED, CountDistribution
from dlthink.distributions.real import exact


class Poisson(CountDistribution):
    """P(k) = rate^k exp(-rate) / k!: mean = variance = rate."""

    def __init__(self, rate: Tensor):
        super().__init__(rate)
        self.rate = rate

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def variance(self) -> Tensor:
        return self.rate

    def log_pmf(self, k: Tensor) -> Tensor:
        (rate,) = self.parameters
        return torch.xlogy(k, rate) - rate - torch.lgamma(k + 1)

    def cdf(self, value: Tensor) -> Tensor:
        """P(K <= value): the sum of the probabilities up to there; above 10,000, where that takes long, to 1e-9, the
        regularised upper incomplete gamma function Q(floor(value) + 1, rate).

        Source: Johnson, Kemp & Kotz 2005, Univariate Discrete Distributions, section 4.5.
        """
        (rate,) = self.parameters
        k, summed = exact(value).floor(), super().cdf(value.clamp(max=SUMMED))
        return torch.where(k > SUMMED, self._like(value, torch.special.gammaincc(k.clamp(min=0) + 1, rate)), summed)

    def crps(self, value: Tensor) -> Tensor:
        """(y - rate) (2 F(y) - 1) + 2 rate P(y) - rate exp(-2 rate) (I0(2 rate) + I1(2 rate)).

        Source: Wei & Held 2014, TEST 23; Jordan, Krüger & Lerch 2019, J. Stat. Software 90, appendix A.
        """
        (rate,) = self.parameters
        y = exact(value)
        bessel = torch.special.i0e(2 * rate) + torch.special.i1e(2 * rate)
        score = (y - rate) * (2 * self.cdf(y) - 1) + rate * (2 * self.log_prob(y).exp() - bessel)
        return self._like(value, score)

    def sample(self, sample_shape: tuple[int, ...] = ()) -> Tensor:
        return torch.poisson(self.rate.expand(self._extended_shape(torch.Size(sample_shape))))
