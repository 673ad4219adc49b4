"""The Conway-Maxwell-Poisson distribution by its mean: counts that scatter more than a Poisson variable, or less."""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from dlthink.distributions.count import CountDistribution

DIRECT = 2048  # counts that are summed one by one; beyond, as many places evenly spaced around the mean
PASSES = {torch.float32: 2}  # of Halley's method; else 4
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
    than the spacing and has died away at 0). The last step is taken along the Taylor series, without another sum.
    """
    shape = torch.broadcast_shapes(log_mean.shape, nu.shape)
    some = max(1, AT_ONCE // (terms * log_mean.element_size()))
    if shape.numel() > some:
        pairs = zip(*(each.expand(shape).flatten().split(some) for each in (log_mean, nu)), strict=True)
        parts = zip(*(normalizer(*pair, terms, direct) for pair in pairs), strict=True)
        return Normalizer(*(torch.cat(part).view(shape) for part in parts))
    log_mean, mean = log_mean.expand(shape), log_mean.expand(shape).exp()
    j, start, spacing = _places(mean, nu, terms, direct)
    column = j.view(-1, *(1 for _ in shape))
    k = torch.addcmul(start, spacing, column)
    log_factorial = torch.lgamma(k + 1)
    fixed, weights = -nu * log_factorial, torch.stack((torch.ones_like(j), j))
    log_rate = _guess(log_mean, mean, nu)
    for _ in range(PASSES.get(mean.dtype, 4)):
        log_p = torch.addcmul(fixed, log_rate, k)
        highest = log_p.amax(0)
        p = log_p.sub_(highest).mul_(1 / math.log(2)).exp2_()  # exp takes ten times as long where nothing is left
        z, first = _sums(weights, p)
        first = first / z
        second, cube = _sums(weights, (column - first).square_().mul_(p)) / z
        found, variance = start + spacing * first, spacing.square() * second
        third = spacing**3 * (cube - first * second)
        # f = log(found) - log_mean: f' = variance / found, f'' = third / found - f'^2
        slope = variance / found
        newton = (log_mean - found.log()) / slope
        bend = 1 + 0.5 * (third / variance - slope) * newton
        step = (newton / bend.clamp(0.5, 2)).clamp(-3, 3)
        log_rate = log_rate + step
    log_z = z.log() + highest + spacing.log()
    log_z = log_z + step * (found + step * (variance / 2 + step * third / 6))
    mean_factorial, product = _sums(weights, p.mul_(log_factorial)) / z
    covariance = spacing * (product - first * mean_factorial)
    return Normalizer(log_rate, log_z, variance + step * third, mean_factorial + step * covariance, covariance)


def _sums(weights: Tensor, p: Tensor) -> Tensor:
    """Over the terms of p: [terms, ...], each of the weights: [m, terms]. Returns [m, ...]."""
    with torch.autocast(p.device.type, enabled=False):  # a half has no digits for this
        return torch.tensordot(weights, p, 1)


def _guess(log_mean: Tensor, mean: Tensor, nu: Tensor) -> Tensor:
    """log lambda, to 0.04 for nu <= 1, to 0.3 beyond: exact in the limits of nu and of the mean, and for nu = 1."""
    spread = log_mean + (nu - 1) * mean.log1p()
    few = log_mean - torch.log1p((mean * (torch.exp2(1 - nu) - 1)).clamp(min=-0.9))
    many = nu * (mean + 0.5 - 0.5 / nu).clamp(min=1e-3).log()
    nearest = mean.round()  # where counts hardly scatter, they are this one and, at its mean as often, its neighbours
    away, low, high = mean - nearest, nearest.log(), nearest.log1p()
    three = nu / 2 * (high + low) + torch.asinh(away / (2 - 2 * away.abs()) * (nu / 2 * (high - low)).exp())
    beyond = torch.where(mean < nu / 8, three, many)
    return torch.where(nu <= 1, spread, torch.where(mean < 0.9, few, beyond))


def _reach(mean: Tensor, nu: Tensor) -> Tensor:
    """A count beyond which there is nothing."""
    scale = 1 / torch.maximum(nu, 1 / (1 + mean))  # of the tail; never more than the geometric law's
    return mean + 8 * (mean.clamp(min=1) * scale).sqrt() + 30 * scale


def _places(mean: Tensor, nu: Tensor, terms: int, direct: bool) -> tuple[Tensor, Tensor, Tensor]:
    """j: [terms], start and spacing: the places are k = start + spacing j."""
    j = torch.arange(terms, dtype=mean.dtype, device=mean.device)
    if direct:
        return j, mean.new_zeros(()), mean.new_ones(())
    top = _reach(mean, nu).ceil()
    bottom = (2 * mean - top).floor().clamp(min=0)
    spacing = ((top - bottom) / (terms - 1)).clamp(min=1)
    return j - terms // 2, bottom + spacing * (terms // 2), spacing  # from the middle on: less is subtracted
