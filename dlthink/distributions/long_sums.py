"""Sums over many counts: beyond ten thousand a distribution of counts is smooth, and a few places stand for a stretch
of them.

Around its mean a distribution changes over a standard deviation, in its tails over an eighth of the way from there, and
nowhere over less than a quarter of the count itself; stretches are as wide. The sum over one is the integral from half
a count before the first to half a count behind the last, by 16 Gauss-Legendre places, less 1/24 of the change of the
slope (Euler-Maclaurin by midpoints; Abramowitz & Stegun 1964, 23.1.30 and 25.4.30). What is left out is below 1e-8 of
all probability, which is what rounding leaves of lgamma at millions. Stretches of 16 counts and less are added up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.polynomial import legendre
from torch import Tensor

PLACES = 16
NARROW = 64.0  # standard deviation of distributions that are added up one by one
FAR = 40.0  # standard deviations from the mean: there is nothing beyond


def _matrices() -> tuple[Tensor, ...]:
    """Places and weights on [-1, 1]; what makes the integrals from -1, and the slopes, of values at the places."""
    places, weights = legendre.leggauss(PLACES)
    series = np.linalg.inv(legendre.legvander(places, PLACES - 1))  # values -> coefficients
    integral = legendre.legvander(places, PLACES) @ legendre.legint(series, lbnd=-1)
    slope = legendre.legvander(places, PLACES - 2) @ legendre.legder(series)
    return tuple(torch.from_numpy(np.ascontiguousarray(each)) for each in (places, weights, integral, slope))


PLACE, WEIGHT, INTEGRAL, SLOPE = _matrices()


def edges(mean: Tensor, std: Tensor, start: float) -> Tensor:
    """First counts of stretches from `start` on, [n, stretches + 1], for means and standard deviations [n].

    All counts between are in one; below the first and beyond the last there is no probability to speak of.
    """
    last = mean + FAR * std + 2 * FAR * std.square() / mean.clamp(min=1)  # an exponential tail falls over var / mean
    at = (mean - FAR * std).clamp(min=start).floor()
    found = [at]
    while bool((at < last).any()):
        width = torch.minimum(at / 4, torch.maximum(std, (at - mean).abs() / 8)).clamp(min=PLACES).floor()
        at = torch.where(at < last, at + torch.where(std < NARROW, PLACES, width), at)
        found.append(at)
    return torch.stack(found, -1)


@dataclass
class Stretches:
    """Sums of P(k) over stretches of counts.

    log_pmf: of counts [n, m], which need not be whole, for n distributions; edges: [n, stretches + 1], whole numbers
    that do not fall; below: [n], P(K < first edge).
    """

    log_pmf: Callable[[Tensor], Tensor]
    edges: Tensor
    below: Tensor

    def __post_init__(self):
        left, self.width = self.edges[:, :-1, None], self.edges.diff(dim=-1)[..., None]
        self.added = self.width <= PLACES  # one by one
        one = torch.arange(PLACES).to(left)
        smooth = left - 0.5 + self.width * (PLACE.to(left) + 1) / 2
        weight = self.width * WEIGHT.to(left) / 2
        self.weight = torch.where(self.added, (one < self.width).to(left), weight)
        self.pmf = self._pmf(torch.where(self.added, left + one, smooth))
        before, at = self._pmf(self.edges - 1), self._pmf(self.edges)
        self.between = (before + at) / 2  # P at half a count before each edge
        self.rise = at - before
        bend = torch.where(self.added[..., 0], 0.0, self.rise.diff(dim=-1) / 24)
        self.sums = (self.pmf * self.weight).sum(-1) - bend
        self.up_to = torch.cat((self.below[:, None], self.below[:, None] + self.sums.cumsum(-1)), -1)  # P(K < edge)

    def _pmf(self, k: Tensor) -> Tensor:
        return self.log_pmf(k.flatten(1)).exp().view(k.shape)

    def squares(self, y: Tensor) -> Tensor:
        """sum over k, from the first edge on, of (P(K <= k) - 1{k >= y})^2: [n]; each y: [n] is an edge."""
        pmf, start, step = self.pmf, self.up_to[:, :-1, None], self.width / 2
        # P(K <= k) = integral up to k + P(k) / 2 + P'(k) / 12; its squares are then summed as P is
        smooth = step * (pmf @ INTEGRAL.T.to(pmf)) + pmf / 2 + (pmf @ SLOPE.T.to(pmf)) / (12 * step)
        smooth = smooth + self.rise[:, :-1, None] / 24
        inside = start + torch.where(self.added, (self.pmf * self.weight).cumsum(-1), smooth)
        beyond = (self.edges[:, :-1] >= y[:, None]).to(inside)
        sums = ((inside - beyond[..., None]).square() * self.weight).sum(-1)
        left, right = self.up_to[:, :-1] - beyond, self.up_to[:, 1:] - beyond
        bend = (right * self.between[:, 1:] - left * self.between[:, :-1]) / 12
        return (sums - torch.where(self.added[..., 0], 0.0, bend)).sum(-1)

    def first_to_reach(self, p: Tensor) -> Tensor:
        """The smallest k with P(K <= k) >= p: [n]; the last edge where that is never reached."""
        stretch = (self.up_to[:, 1:] < p[:, None]).sum(-1, keepdim=True)
        last = self.sums.shape[1] - 1
        place = stretch.clamp(max=last)
        left, right = self.edges.gather(1, place), self.edges.gather(1, place + 1)
        if bool((right - left <= PLACES).all()):
            one = torch.arange(PLACES).to(left)
            pmf = self.log_pmf(left + one).exp() * (one < right - left)
            below = self.up_to.gather(1, place) + pmf.cumsum(-1)
            inside = ((below < p[:, None]) & (one < right - left)).sum(-1)
            return torch.where(stretch[:, 0] > last, right[:, 0], torch.minimum(left[:, 0] + inside, right[:, 0] - 1))
        finer = (left + (right - left) * torch.linspace(0, 1, PLACES + 1).to(left)).floor()
        inside = Stretches(self.log_pmf, finer, self.up_to.gather(1, place)[:, 0]).first_to_reach(p)
        return torch.where(stretch[:, 0] > last, right[:, 0], inside)
