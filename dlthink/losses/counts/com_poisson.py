"""Counts that scatter more than a Poisson variable does, or less, down to the least that whole numbers can."""

import math

import torch
from torch import Tensor

from dlthink.distributions.com_poisson import ComPoisson as Distribution
from dlthink.distributions.com_poisson import normalizer
from dlthink.losses.counts._count_table import CountTable
from dlthink.losses.counts._counts import FLOOR, Dispersed, Where

LEAST, MOST = math.log(0.05), math.log(50.0)  # log nu
TERMS = 512  # of the normalizer, at most


class ComPoisson(Dispersed):
    """NLL = nu log k! - k log lambda + log Z,  Z = sum over j of lambda^j / (j!)^nu,  log mean = out + log_mean.

    Elicits the whole distribution where counts are Conway-Maxwell-Poisson; of any counts the mean.

    Conway-Maxwell-Poisson by its mean: lambda is what gives it, solved for each bin. nu = 1 is Poisson, nu > 1 scatters
    less, nu < 1 more (up to the geometric distribution). The raw number is log nu; `dispersion` says where it comes
    from (shared | target | network), and training starts at mean / variance of the counts. Counts end at 2 K + 11, K
    the largest training count; where that is above 512, they are without end, and the sum over 512 places around the
    mean stands for Z. Means end at K + 1, and the cost goes on along its tangent. Slope by log mean:
    (mean - k) mean / variance.

    Source: Conway & Maxwell 1962; Shmueli et al. 2005, Appl. Stat. 54; Huang 2017, Stat. Modelling 17 (by the mean);
    Stevenson 2016, J. Comput. Neurosci. 41 (spikes).
    """

    largest: Tensor  # the largest count of training, a scalar

    def __init__(self, n_targets: int, dispersion: Where = "target"):
        super().__init__(n_targets, dispersion)
        self.register_buffer("largest", torch.tensor(50.0))
        self._count_terms()
        self.register_load_state_dict_post_hook(lambda loss, _: loss._count_terms())

    def _count_terms(self) -> None:
        """Numbers of its own, so that no step has to ask the device for them."""
        terms = 2 * int(self.largest) + 12
        self.terms = terms if terms <= TERMS else None
        self.most = math.log1p(float(self.largest))  # log mean

    def numbers(self, raw: Tensor) -> tuple[Tensor]:
        """nu."""
        return (raw.clamp(LEAST, MOST).exp(),)

    def bounded(self, log_mean: Tensor, nu: Tensor) -> Tensor:
        return log_mean.clamp(FLOOR, self.most)

    def family(self, counted: CountTable, log_mean: Tensor, nu: Tensor) -> tuple[Tensor, ...]:
        mean, k = log_mean.exp(), counted.k
        sums = normalizer(log_mean, nu, self.terms or TERMS, direct=bool(self.terms))
        log_k, away, inverse = counted.log_factorial, mean - k, sums.variance.reciprocal()
        value = torch.addcmul(sums.log_z, nu, log_k).addcmul(k, sums.log_rate, value=-1)
        by_nu = (log_k - sums.log_factorial).addcmul(away, sums.covariance * inverse)
        return value, away * (mean * inverse), nu * by_nu

    def distribution(self, log_mean: Tensor, nu: Tensor) -> Distribution:
        return Distribution(log_mean.exp(), nu, self.terms)

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        self.largest.copy_(y.max())
        self._count_terms()
        return (mean / variance.clamp(min=1e-3)).clamp(0.1, 3).log()[None]
