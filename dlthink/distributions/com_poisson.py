"""The Conway-Maxwell-Poisson distribution by its mean: counts that scatter more than a Poisson variable, or less."""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from dlthink.distributions.count import CountDistribution
from dlthink.distributions.data_dependent_branch import may_hold

DIRECT = 2048  # counts that are summed one by one; beyond, as many places evenly spaced around the mean
PASSES = {torch.float32: (2, 1e-4)}  # of Halley's method, at most; the last one is where step^2 (1 + variance) is less
MORE_PASSES = (4, 1e-10)  # of other types
PER_BIT = 1 / math.log(2)
AT_ONCE = 2**19  # bytes of a term of all sums together: what a cache holds


class Normalizer(NamedTuple):
    """What the sums over all counts give; each of the shape of log mean and nu."""

    log_rate: Tensor  # log lambda, by which the mean is what it should be
    log_z: Tensor
    variance: Tensor
    log_factorial: Tensor  # E log k!
    covariance: Tensor  # of k and log k!


class ComPoisson(CountDistribution):
    """P(k) = lambda^k / (k!)^nu / Z, lambda what gives this mean: nu > 1 scatters less than Poisson, nu < 1 more.

    nu = 1 is Poisson, nu -> 0 geometric (the most it can scatter), nu -> infinity the least that whole numbers of this
    mean can. terms: only counts below it have a probability; None: all counts have.

    Source: Conway & Maxwell 1962; Shmueli et al. 2005, Appl. Stat. 54; Huang 2017, Stat. Modelling 17 (by the mean).
    """

    def __init__(self, mean: Tensor, nu: Tensor, terms: int | None = None):
        super().__init__(mean, nu)
        self.terms = terms

    def at(self, index: Tensor) -> ComPoisson:
        some = super().at(index)
        some.terms = self.terms
        some.normalizer = Normalizer(*(each.flatten()[index].unsqueeze(-1) for each in self.normalizer))
        return some

    def log_pmf(self, k: Tensor) -> Tensor:
        nu, sums = self.parameters[1], self.normalizer
        log_p = k * sums.log_rate - nu * torch.lgamma(k + 1) - sums.log_z
        return log_p if self.terms is None else torch.where(k < self.terms, log_p, -torch.inf)

    @property
    def mean(self) -> Tensor:
        return self.parameters[0].to(self.dtype)

    @property
    def variance(self) -> Tensor:
        return self.normalizer.variance.to(self.dtype)

    @cached_property
    def normalizer(self) -> Normalizer:
        """In float64."""
        mean, nu = self.parameters
        wanted = self.terms or int(_reach(mean, nu).amax()) + 2
        return normalizer(mean.log(), nu, min(wanted, DIRECT), direct=wanted <= DIRECT)


def normalizer(log_mean: Tensor, nu: Tensor, terms: int, direct: bool) -> Normalizer:
    """Solve for lambda by Halley's method on the log of the mean, from a guess that is exact in all limits.

    log_mean and nu broadcast. direct: sum the counts 0 .. terms - 1, and be sure that no more is needed; else `terms`
    places evenly spaced about the mean stand for all counts (a sum over a bell is its integral, as long as it is wider
    than the spacing and has died away at 0). Terms are taken relative to that at the mean, which is at least 1/e of the
    largest, and moments about it, so nothing cancels and nothing overflows. The last step is taken along the Taylor
    series, without another sum.
    """
    log_mean, nu = torch.broadcast_tensors(log_mean, nu)
    shape = log_mean.shape
    some = max(1, AT_ONCE // (terms * log_mean.element_size()))
    if shape.numel() > some:
        pairs = zip(*(each.flatten().split(some) for each in (log_mean, nu)), strict=True)
        parts = zip(*(normalizer(*pair, terms, direct) for pair in pairs), strict=True)
        return Normalizer(*(torch.cat(part).view(shape) for part in parts))
    mean = log_mean.exp()
    k, away, width = _places(mean, nu, terms, direct)
    log_factorial, at_mean = torch.lgamma(k + 1), nu * torch.lgamma(mean + 1)
    bits = PER_BIT * at_mean - (PER_BIT * nu) * log_factorial  # exp takes ten times as long where it gives 0
    log_rate, (passes, near) = _guess(log_mean, mean, nu), PASSES.get(mean.dtype, MORE_PASSES)
    for left in reversed(range(passes)):
        p = torch.addcmul(bits, away, PER_BIT * log_rate).exp2_()
        z, once = p.sum(0), p * away
        twice = once * away
        first, second, third = (each / z for each in (once.sum(0), twice.sum(0), (twice * away).sum(0)))
        found, variance = mean + first, second.addcmul(first, first, value=-1)
        third = third.addcmul(first, torch.add(second, variance, alpha=2), value=-1)
        # f = log(found) - log_mean: f' = variance / found, f'' = third / found - f'^2
        slope = variance / found
        newton = (first / mean).log1p() / slope
        bend = 1 - 0.5 * (third / variance - slope) * newton
        step = (newton / bend.clamp(0.5, 2)).clamp(-3, 3)
        log_rate = log_rate - step
        if left and not may_hold(step.square().mul_(variance + 1) > near):
            break
    factorial, one, two = (each.mul_(log_factorial).sum(0) / z for each in (p, once, twice))
    covariance = one.addcmul(first, factorial, value=-1)
    bend = two.addcmul(factorial, second, value=-1).addcmul(first, covariance, value=-2)  # of k, k and log k!
    half = 0.5 * step.square()
    log_z = (z.log() - at_mean).addcmul(mean, log_rate).addcmul(step, first, value=-1)
    log_z = log_z.addcmul(half, variance.addcmul(step, third, value=-1 / 3))
    return Normalizer(
        log_rate,
        log_z if direct else log_z + width.log(),
        variance.addcmul(step, third, value=-1),
        factorial.addcmul(step, covariance, value=-1).addcmul(half, bend),
        covariance.addcmul(step, bend, value=-1),
    )


def _guess(log_mean: Tensor, mean: Tensor, nu: Tensor) -> Tensor:
    """log lambda, to 0.025 for nu <= 1.8, and 0.005 near 1; beyond to 0.4: exact in the limits of nu and of the mean.

    The slope by nu at nu = 1 is E log(k + 1), which the first formula has to 0.03; at nu = 0 it is exact.
    """
    little = 1.8  # up to here the first formula is the best
    guess = torch.addcmul(log_mean, nu - 1, mean.log1p() - (0.5 * nu) * mean / ((mean + 1) * (mean + 1.6)))
    if may_hold(nu > little):
        few = log_mean - torch.log1p((mean * (torch.exp2(1 - nu) - 1)).clamp(min=-0.9))
        many = nu * (mean + (0.5 - 0.5 / nu)).clamp(min=1e-3).log()
        if may_hold(nu > 7):
            many = torch.where(mean < nu / 8, _guess_of_three(mean, nu), many)
        guess = torch.where(nu <= little, guess, torch.where(mean < 0.9, few, many))
    return guess


def _guess_of_three(mean: Tensor, nu: Tensor) -> Tensor:
    """Where counts hardly scatter, they are the nearest to the mean and, at its mean as often, its neighbours."""
    nearest = mean.round()
    away, low, high = mean - nearest, nearest.log(), nearest.log1p()
    return nu / 2 * (high + low) + torch.asinh(away / (2 - 2 * away.abs()) * (nu / 2 * (high - low)).exp())


def _reach(mean: Tensor, nu: Tensor) -> Tensor:
    """A count beyond which there is nothing."""
    scale = 1 / torch.maximum(nu, 1 / (1 + mean))  # of the tail; never more than the geometric distribution's
    return mean + 8 * (mean.clamp(min=1) * scale).sqrt() + 30 * scale


def _places(mean: Tensor, nu: Tensor, terms: int, direct: bool) -> tuple[Tensor, Tensor, Tensor | float]:
    """Counts that are summed, how far they are from the mean, and how far apart; the first axis is theirs."""
    j = torch.arange(terms, dtype=mean.dtype, device=mean.device).view(-1, *(1 for _ in mean.shape))
    if direct:
        return j, j - mean, 1.0
    top = _reach(mean, nu).ceil()
    bottom = (2 * mean - top).floor().clamp(min=0)
    spacing = ((top - bottom) / (terms - 1)).clamp(min=1)
    j, start = j - terms // 2, bottom + spacing * (terms // 2)  # from the middle on: less is subtracted
    return torch.addcmul(start, spacing, j), torch.addcmul(start - mean, spacing, j), spacing
