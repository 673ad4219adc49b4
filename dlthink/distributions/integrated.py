"""Cdf, quantiles and CRPS of a distribution of reals that has `log_prob`, mean and variance alone, as torch's StudentT
has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.distributions import transform_to
from torch.distributions.transforms import Transform, identity_transform

from dlthink.distributions.optional_formulas import log_prob
from dlthink.distributions.real import exact

REACH, STEP = 6.0, 0.03  # of t: sinh(6) is 202 standard deviations
FARTHEST = 1e300
LOST = 1e-3  # of all probability: who loses more is not integrated well enough to be used


class Integrated:
    """The trapezoid rule over t in y = T(u), u = u_0 + s sinh(t): dense at the mean, and far into either tail.

    T takes the real line to the support (exp where y is positive), so that no density has an edge; u_0 and s are the
    mean and standard deviation there. Node by node: memory is that of some values for each distribution. All answers
    are nan of a distribution without a finite mean and variance, or of which more than 0.1 % of probability is not
    found.
    """

    def __init__(self, distribution: Any):
        self.distribution = distribution
        try:
            self.link: Transform = transform_to(distribution.support)
        except (NotImplementedError, AttributeError):
            self.link = identity_transform
        mean, std = exact(distribution.mean), exact(distribution.variance).sqrt()
        self.middle = self.link.inv(mean)
        self.wide = std / self.link.log_abs_det_jacobian(self.middle, mean).exp()

    def _nodes(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Ascending: y, its mass, and the cdf there."""
        below = torch.zeros_like(self.middle)
        for t in torch.arange(-REACH, REACH + STEP / 2, STEP, dtype=torch.float64).tolist():
            u = self.middle + self.wide * math.sinh(t)
            y = self.link(u).clamp(-FARTHEST, FARTHEST)
            density = log_prob(self.distribution, y.to(self.distribution.mean.dtype))
            log_mass = exact(density) + self.link.log_abs_det_jacobian(u, y) + (self.wide * math.cosh(t) * STEP).log()
            mass = log_mass.exp().nan_to_num(0.0, 0.0, 0.0)
            yield y, mass, below + mass / 2
            below = below + mass

    def cdf(self, value: Tensor) -> Tensor:
        value, found, last, at = exact(value), None, self.middle.new_tensor(0.0), None
        for y, _, below in self._nodes():
            if found is None:
                found = torch.zeros_like(below + value)
            else:
                share = ((value - at) / (y - at).clamp(min=1e-300)).clamp(0, 1)
                found = found + share * (below - last)
            at, last = y, below
        return self._known(found, last).clamp(0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        value = exact(value)
        found = last = at = None
        for y, _, below in self._nodes():
            if found is None:
                found = (y + 0 * value).where(value > 0, -math.inf)
            else:
                share = ((value - last) / (below - last).clamp(min=1e-300)).clamp(0, 1)
                found = torch.where((value > last) & (value < 1), at + share * (y - at), found)
            at, last = y, below
        return self._known(found.where(value < 1, math.inf), last)

    def crps(self, value: Tensor) -> Tensor:
        """E|X - y| - E|X - X'| / 2 of the nodes (Gneiting & Raftery 2007, equation 21)."""
        value, score, below = exact(value), 0.0, self.middle
        for y, mass, below in self._nodes():
            score = score + mass * ((y - value).abs() - y * (2 * below - 1))
        return self._known(score, below)

    def _known(self, found: Tensor, whole: Tensor) -> Tensor:
        return torch.where((whole - 1).abs() <= LOST, found, math.nan)
