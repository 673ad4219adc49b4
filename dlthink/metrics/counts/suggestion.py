"""Which law do the counts ask for? One line, where they ask for another than was predicted."""

import math

import torch
from torch import Tensor

from dlthink.metrics.counts.noise import Noise

LEVEL = 0.01  # how often all tests together speak for nothing
FAR = 0.1  # by how much the scatter must be off to be worth a word
MOST_NAMES = 5
EQUAL = 1e-6  # variance and mean of a Poisson law


def suggestion(noise: Noise, units: list[str], word: str) -> str | None:
    """`what; what to try`, or None: which units scatter more or less than was predicted, or have more zeros.

    Of each unit: the sum of (k - mean)^2 - variance over its spread, a normal variable where the predicted law is
    right; the spread is the larger one of the root of the sum of squares, and that of a negative binomial of this
    mean and variance (Poisson's at least). And its zeros less those of the law, and less those of such a negative
    binomial, over their spread. Bonferroni's correction for the number of units; and the ratio of the sums must be 10 %
    off, the zeros 2 %. word: what a unit is called.
    """
    mean, variance, k = noise.mean, noise.variance, noise.k
    if not bool(variance.isfinite().all()) or not len(k):
        return None
    squares = (k - mean).square()
    excess, ratio = squares - variance, squares.sum(0) / variance.sum(0)
    heavy = 6 * ((variance - mean) / mean.square()).clamp(min=0) * variance
    spread = torch.maximum(excess.square().sum(0), (variance * (1 + heavy) + 2 * variance.square()).sum(0))
    sure = _beyond_chance(excess.sum(0), spread, len(units))
    more, less = sure & (excess.sum(0) > 0) & (ratio > 1 + FAR), sure & (excess.sum(0) < 0) & (ratio < 1 - FAR)
    poisson = bool(((variance - mean).abs() <= EQUAL * mean).all())
    law = "Poisson" if poisson else "predicted"
    zeros = _more_zeros(k, noise.chance(0)) & _more_zeros(k, _zeros_of_negative_binomial(mean, squares))
    if poisson and 2 * (zeros & more).sum() < more.sum():
        zeros = torch.zeros_like(zeros)  # a few of those that scatter more: that is what is said
    said = []
    if more.any():
        said.append(f"{_listed(more, units, word)} scatter more than {law} ({_range(ratio[more])} the variance)")
    if zeros.any():
        than = "a negative binomial of that variance" if more.any() else law
        said.append(f"{_listed(zeros, units, word)} have more zeros than {than}")
    if less.any():
        said.append(f"{_listed(less, units, word)} scatter less than {law} ({_range(ratio[less])} the variance)")
    if not said:
        return None
    if less.any():
        advice = "loss=com_poisson or generalized_poisson"
    elif zeros.any():
        advice = "loss=zero_inflated_negative_binomial"
    else:
        advice = "loss=negative_binomial" if poisson else "loss.dispersion=network, another law, or more covariates"
    return f"{', '.join(said)}; try {advice}"


def _beyond_chance(total: Tensor, squares: Tensor, tests: int) -> Tensor:
    """Where |total| / sqrt(squares) is beyond what chance does once in 100 such rows of tests."""
    beyond = torch.special.ndtri(torch.tensor(1 - LEVEL / 2 / max(1, tests), dtype=torch.float64))
    return total.abs() > beyond * squares.clamp(min=1e-300).sqrt()


def _more_zeros(k: Tensor, expected: Tensor) -> Tensor:
    """Units that were silent more often than with these probabilities."""
    zeros = (k == 0).double()
    surplus, squares = (zeros - expected).sum(0), (expected * (1 - expected)).sum(0)
    return _beyond_chance(surplus, squares, k.shape[1]) & (surplus > 0.02 * zeros.sum(0))


def _zeros_of_negative_binomial(mean: Tensor, squares: Tensor) -> Tensor:
    """Probability of 0 by the dispersion that the squared residuals have."""
    a = ((squares - mean).sum(0) / mean.square().sum(0)).clamp(min=1e-6)
    return torch.exp(-torch.log1p(a * mean) / a)


def _listed(which: Tensor, units: list[str], word: str) -> str:
    names = [units[place] for place in which.nonzero()[:, 0].tolist()]
    if len(names) == len(units) and len(names) > 2:
        return f"all {len(names)} {word}s"
    if len(names) == 1:
        return f"{word} {names[0]}"
    shown = names[:MOST_NAMES]
    if len(names) > MOST_NAMES:
        return f"{word}s {', '.join(shown)} and {len(names) - MOST_NAMES} more"
    return f"{word}s {', '.join(shown[:-1])} and {shown[-1]}"


def _range(ratio: Tensor) -> str:
    low, high = (round(float(end), 2) for end in (ratio.min(), ratio.max()))
    return f"{low:g} times" if math.isclose(low, high) else f"{low:g} to {high:g} times"
