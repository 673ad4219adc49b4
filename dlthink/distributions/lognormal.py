"""The log-normal distribution, with tails that last in float32 and a closed CRPS."""

import math

import torch
from torch import Tensor

from dlthink.distributions.normal import cumulative
from dlthink.distributions.real import RealDistribution, broadcast_shape, exact

LARGEST = 80.0  # the largest log of a mean or a std that is read out: exp(89) is no float32


class LogNormal(RealDistribution):
    """start + exp(loc + scale N(0, 1)).

    log f(y) = -log x - log scale - log(2 pi) / 2 - (log x - loc)^2 / (2 scale^2), x = y - start; 0 below the start.
    Source of the CRPS: Baran & Lerch 2015, Q. J. R. Meteorol. Soc. 141.
    """

    def __init__(self, loc: Tensor, scale: Tensor, start: Tensor | None = None):
        super().__init__(broadcast_shape(loc.shape, scale.shape))
        self.loc, self.scale = loc, scale
        self.start = torch.zeros_like(loc) if start is None else start

    @property
    def mean(self) -> Tensor:
        return self.start + self._log_mean.clamp(max=LARGEST).exp()

    @property
    def stddev(self) -> Tensor:
        """mean sqrt(exp(scale^2) - 1), where the start is 0."""
        square = self.scale.square()
        small = torch.expm1(square.clamp(max=1)).log()
        relative = torch.where(square < 1, small, square + torch.log1p(-(-square).exp()))
        return (self._log_mean + 0.5 * relative).clamp(max=LARGEST).exp()

    @property
    def variance(self) -> Tensor:
        return self.stddev.square()

    @property
    def _log_mean(self) -> Tensor:
        return self.loc + 0.5 * self.scale.square()

    def log_prob(self, value: Tensor) -> Tensor:
        x = value - self.start
        log_x = torch.where(x > 0, x, 1.0).log()
        found = -0.5 * ((log_x - self.loc) / self.scale).square() - log_x - self.scale.log()
        return torch.where(x > 0, found - 0.5 * math.log(2 * math.pi), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        return cumulative(((value - self.start).clamp(min=0).log() - self.loc) / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        return self.start + (self.loc + self.scale * torch.special.ndtri(value)).exp()

    def crps(self, value: Tensor) -> Tensor:
        """x (2 Phi(w) - 1) - 2 m (Phi(w - s) + Phi(s / sqrt 2) - 1), w = (log x - loc) / s, s the scale, m the mean."""
        loc, scale, x = exact(self.loc), exact(self.scale), exact(value) - exact(self.start)
        w = (x.clamp(min=0).log() - loc) / scale
        mean = (loc + 0.5 * scale.square()).exp()
        far = cumulative(w - scale) - cumulative(-math.sqrt(0.5) * scale)
        return (x * torch.erf(math.sqrt(0.5) * w) - 2 * mean * far).to(value.dtype)

    def affine(self, loc: Tensor, scale: Tensor) -> "LogNormal":
        return LogNormal(self.loc + scale.log(), self.scale.expand_as(self.loc), loc + scale * self.start)

    def widened(self, factor: Tensor) -> "LogNormal":
        """The spread of its log times `factor`, with the same median: its mean follows from both."""
        return LogNormal(self.loc, factor * self.scale, self.start)
