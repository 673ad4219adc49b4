"""Samples whose truth is known: groups of rows, each with a distribution of its own, drawn evenly over quantiles."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dlthink.checks.functionals import Groups


@dataclass
class Truth(Groups):
    """Groups of known distributions, in words, and their modes where these are known."""

    name: str = ""
    mode: Tensor | None = None


def levels(n: int) -> Tensor:
    """(i + 1/2) / n: so that a sample has the mean and quantiles of its distribution, and no luck is in it."""
    return (torch.arange(n, dtype=torch.float64) + 0.5) / n


def gathered(columns: list[list[Tensor]], name: str, mode: Tensor | None = None, seed: int = 0) -> Truth:
    """One truth of samples columns[group][target], each [n]; rows in a random order, targets independently."""
    chance = torch.Generator().manual_seed(seed)
    rows, group = [], []
    for g, targets in enumerate(columns):
        rows.append(torch.stack([y[torch.randperm(len(y), generator=chance)] for y in targets], 1))
        group.append(torch.full((len(targets[0]),), g))
    y, group = torch.cat(rows), torch.cat(group)
    order = torch.randperm(len(y), generator=chance)
    return Truth(y[order], group[order], name, mode)


def normal(n: int, mean: float, std: float) -> Tensor:
    """n quantiles of a normal distribution."""
    return mean + std * torch.special.ndtri(levels(n))


def skewed(n: int, middle: float, scale: float, shape: float) -> Tensor:
    """n quantiles of middle + scale (exp(shape Z) - 1), Z normal: a lognormal whose median lies at `middle`."""
    return middle + scale * torch.expm1(shape * torch.special.ndtri(levels(n)))


def skewed_mode(middle: float, scale: float, shape: float) -> float:
    """Where its density is largest."""
    return middle + scale * math.expm1(-(shape**2))


def counts(n: int, log_prob: Callable[[Tensor], Tensor], most: int) -> Tensor:
    """n quantiles of a distribution of 0, 1, ..., most, float64."""
    below = log_prob(torch.arange(most + 1, dtype=torch.float64)).exp().cumsum(0)
    return torch.searchsorted(below.contiguous(), levels(n)).clamp(max=most).double()


def poisson(rate: float) -> Callable[[Tensor], Tensor]:
    """log probability of counts of a Poisson distribution."""
    return lambda k: k * math.log(rate) - rate - torch.lgamma(k + 1)


def negative_binomial(mean: float, r: float) -> Callable[[Tensor], Tensor]:
    """log probability of counts with variance mean + mean^2 / r."""
    constant = r * math.log(r / (r + mean)) - math.lgamma(r)
    return lambda k: torch.lgamma(k + r) - torch.lgamma(k + 1) + k * math.log(mean / (r + mean)) + constant
