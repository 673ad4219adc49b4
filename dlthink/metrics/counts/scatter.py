"""How far counts scatter, apart from errors of their predicted mean: a unit ill predicted scatters no more."""

import torch
from torch import Tensor

from dlthink.metrics.counts.noise import Noise

LEVEL = 0.01  # how often the tests of all units together speak for nothing
GROUPS, ENOUGH = 10, 400  # of like predictions, at most; counts in each, at least
MORE_ZEROS = 0.02  # share of the zeros that is worth a word


class Scatter:
    """Which units scatter more or less than was predicted, have more zeros, or a mean that is off: [units] each.

    A squared residual holds the variance and the squared error of the mean. The latter is taken out twice:

    calibrated  in groups of like predictions, means are multiplied by c = counts / means. A distribution of c times the
                mean has c times the variance where it is a sum of c such distributions, up to c^2 where the mean itself
                is random: `most` and `least` are the larger and the smaller one. Its P(0) is P(0)^c
    shared      residuals r, r' of two rows side by side scatter independently, but have smooth errors of the mean in
                common: 2 sum of r r' over such pairs is the sum of squared errors. It counts where it is beyond chance

    squares     squared residuals about calibrated means, less what is shared
    spread      of that sum, squared: the larger one of the sum of squares, and that of a negative binomial of this mean
                and variance (Poisson's at least). Bonferroni's correction for the number of units
    mean_error  squared error of the mean as predicted, over the predicted variance, by pairs side by side or by pairs
                of like predictions; 0 where chance could have done it
    """

    def __init__(self, noise: Noise) -> None:
        k, mean, variance = noise.k, noise.mean, noise.variance
        self.tests = k.shape[1]
        c = _counts_over_means(k, mean)
        calibrated = c * mean
        squares = (k - calibrated).square()
        least, most = variance * torch.minimum(c, c.square()), variance * torch.maximum(c, c.square())
        heavy = 6 * ((most - calibrated) / calibrated.square()).nan_to_num(0.0).clamp(min=0) * most
        spread = torch.maximum((squares - most).square().sum(0), (most * (1 + heavy) + 2 * most.square()).sum(0))
        shared, chance = self._beyond_chance(k - calibrated, most)
        self.squares, self.spread = squares.sum(0) - shared, spread + chance
        self.least, self.most = least.sum(0), most.sum(0)
        self.more = self._sure(self.squares - self.most, self.spread)
        self.less = self._sure(self.least - self.squares, self.spread)
        as_negative_binomial = _zeros_of_negative_binomial(calibrated, squares)
        self.more_zeros = self._more_zeros(k, noise.chance(0) ** c) & self._more_zeros(k, as_negative_binomial)
        alike = mean.argsort(dim=0, stable=True)
        orders = (k - mean, variance), ((k - mean).gather(0, alike), variance.gather(0, alike))
        found = torch.stack([self._beyond_chance(*order)[0] for order in orders]).amax(0)
        self.mean_error = found / variance.sum(0)

    def _beyond_chance(self, residual: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """What pairs of rows have in common, and its squared spread; both 0 where chance could have done it."""
        r, v = (of[: len(of) // 2 * 2].unflatten(0, (-1, 2)).prod(1) for of in (residual, variance))
        shared, chance = 2 * r.sum(0), 4 * torch.maximum(r.square().sum(0), v.sum(0))
        sure = self._sure(shared, chance)
        return shared.where(sure, 0.0), chance.where(sure, 0.0)

    def _more_zeros(self, k: Tensor, expected: Tensor) -> Tensor:
        """Units that were silent more often than with these probabilities."""
        zeros = (k == 0).double()
        surplus = (zeros - expected).sum(0)
        sure = self._sure(surplus, (expected * (1 - expected)).sum(0))
        return sure & (surplus > MORE_ZEROS * zeros.sum(0))

    def _sure(self, total: Tensor, squares: Tensor) -> Tensor:
        """Where total / sqrt(squares) is beyond what chance does once in 100 such rows of tests."""
        beyond = torch.special.ndtri(torch.tensor(1 - LEVEL / 2 / max(1, self.tests), dtype=torch.float64))
        return total > beyond * squares.clamp(min=1e-300).sqrt()


def _counts_over_means(k: Tensor, mean: Tensor) -> Tensor:
    """[n, units] counts over predicted means, summed over the rows of like predictions; 1 where none is predicted."""
    ratio = torch.ones_like(mean)
    for unit, (counts, means) in enumerate(zip(k.T, mean.T, strict=True)):
        groups = max(1, min(GROUPS, int(counts.sum() / ENOUGH)))
        for some in means.argsort(dim=0, stable=True).tensor_split(groups):
            if means[some].sum() > 0:
                ratio[some, unit] = counts[some].sum() / means[some].sum()
    return ratio


def _zeros_of_negative_binomial(mean: Tensor, squares: Tensor) -> Tensor:
    """Probability of 0 by the dispersion that the squared residuals have."""
    a = ((squares - mean).sum(0) / mean.square().sum(0)).clamp(min=1e-6)
    return torch.exp(-torch.log1p(a * mean) / a)
