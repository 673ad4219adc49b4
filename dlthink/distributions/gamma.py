"""The gamma distribution by its mean and shape, exact for shapes near 0 and for large ones, with its CRPS."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from dlthink.distributions.lognormal import LARGEST
from dlthink.distributions.real import RealDistribution, broadcast_shape, exact
from dlthink.distributions.rising_factorial import STIRLING
from dlthink.distributions.student_t import log_normalizer

FROM = 8.0  # a shape, from which Stirling's series is as good as lgamma
NEAR, TERMS = 0.3, 12  # |e| below which exp(e) - 1 - e is a series, and its terms: to 1e-16 of it


def log_ratio_cost(e: Tensor, ceiling: float = math.inf) -> Tensor:
    """exp(e) - 1 - e >= 0, without loss of digits where e is small; above `ceiling` along its tangent."""
    near = e.clamp(-NEAR, NEAR)
    series = torch.ones_like(e)
    for i in range(TERMS, 0, -1):
        series = 1 + near * series / (i + 2)
    below = e.clamp(max=ceiling)
    whole = torch.expm1(below) - below + (torch.expm1(below) * (e - below) if math.isfinite(ceiling) else 0.0)
    return torch.where(e.abs() < NEAR, 0.5 * near.square() * series, whole)


def _by(function: Callable, *given: Tensor) -> Tensor:
    """A function of scipy, which knows none of torch's devices."""
    return torch.as_tensor(function(*(x.detach().cpu().numpy() for x in given))).to(given[0])


def log_norm(shape: Tensor) -> Tensor:
    """lgamma(k) - k log k + k of a shape k, which is log(2 pi / k) / 2 + 1 / (12 k) - ... where k is large."""
    large, small = shape.clamp(min=FROM), shape.clamp(max=FROM)
    square, series = large**-2, torch.zeros_like(large)
    for coefficient in reversed(STIRLING):
        series = coefficient + square * series
    far = 0.5 * (math.log(2 * math.pi) - large.log()) + series / large
    return torch.where(shape < FROM, torch.lgamma(small) - torch.xlogy(small, small) + small, far)


class Gamma(RealDistribution):
    """start + exp(log_mean) G / shape, G a gamma variable of that shape: variance = mean^2 / shape where start is 0.

    log f(y) = -log_norm(shape) - shape (exp(e) - 1 - e) - log x,  x = y - start, e = log x - log_mean.
    Source of the CRPS: Scheuerer & Möller 2015, Ann. Appl. Stat. 9; Jordan, Krüger & Lerch 2019.
    """

    def __init__(self, log_mean: Tensor, shape: Tensor, start: Tensor | None = None):
        super().__init__(broadcast_shape(log_mean.shape, shape.shape))
        self.log_mean, self.shape = log_mean, shape
        self.start = torch.zeros_like(log_mean) if start is None else start

    @property
    def mean(self) -> Tensor:
        return self.start + self.log_mean.clamp(max=LARGEST).exp()

    @property
    def stddev(self) -> Tensor:
        return (self.log_mean - 0.5 * self.shape.log()).clamp(max=LARGEST).exp()

    @property
    def variance(self) -> Tensor:
        return self.stddev.square()

    def log_prob(self, value: Tensor) -> Tensor:
        x = value - self.start
        log_x = torch.where(x > 0, x, 1.0).log()
        found = -log_norm(self.shape) - self.shape * log_ratio_cost(log_x - self.log_mean) - log_x
        return torch.where(x > 0, found, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        return self._below(exact(value), 0).to(value.dtype)

    def icdf(self, value: Tensor) -> Tensor:
        from scipy.special import gammainccinv, gammaincinv  # here, since it takes its time to load

        p, shape = exact(self.spread_over(value)), exact(self.shape)
        g = torch.where(p < 0.5, _by(gammaincinv, shape, p), _by(gammainccinv, shape, 1 - p))
        return (exact(self.start) + exact(self.log_mean).exp() * g / shape).to(value.dtype)

    def crps(self, value: Tensor) -> Tensor:
        """x (2 F_k(x) - 1) - m (2 F_(k+1)(x) - 1) - m / (k B(1/2, k)), k the shape, m the mean, all less the start."""
        y, k, m = exact(value), exact(self.shape), exact(self.log_mean).exp()
        x = y - exact(self.start)
        beta = (2 / k).sqrt() * log_normalizer(2 * k).exp()  # 1 / (k B(1/2, k))
        found = x * (2 * self._below(y, 0) - 1) - m * (2 * self._below(y, 1) - 1) - m * beta
        return found.to(value.dtype)

    def _below(self, value: Tensor, more: int) -> Tensor:
        """P(Y <= value), of that rate and a shape larger by `more`."""
        from scipy.special import gammainc  # torch's is wrong in the tenth digit at shapes of 30

        k = exact(self.shape)
        r = (value - exact(self.start)).clamp(min=0) * (-exact(self.log_mean)).exp()
        return _by(gammainc, k + more, k * r)

    def affine(self, loc: Tensor, scale: Tensor) -> "Gamma":
        return Gamma(self.log_mean + scale.log(), self.shape, loc + scale * self.start)

    def widened(self, factor: Tensor) -> "Gamma":
        """Its std times `factor`, with the same mean."""
        return Gamma(self.log_mean, self.shape / factor.square(), self.start)
