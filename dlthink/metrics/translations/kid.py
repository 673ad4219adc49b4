"""How far two sets of photos are apart: the kernel inception distance, with an interval."""

from __future__ import annotations

import math

import numpy as np

LEVEL = 95  # percent
MOST = 4000  # photos of a set; of more, as many evenly spread
ROWS = 1024  # of a kernel that are there at a time: 32 MB


def kids(fake: np.ndarray, real: np.ndarray, draws: int, seed: int = 0) -> np.ndarray:
    """100 MMD^2 with kernel (a.b / d + 1)^3, unbiased; then that of each draw: [1 + draws]. fake [n, d], real [m, d].

    MMD^2 = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{ij} k(x_i, y_j). It is 0 on average for two
    sets of one kind, and so below 0 half of the time. A draw: photos of both sets drawn with replacement, a photo
    weighing as often as it was drawn; pairs of a photo with its own copy are no pairs, so every draw is unbiased.
    Sets as large are drawn alike: of what two networks make of the same photos, the draws can be compared one by one.
    nan where a set has less than two photos or features are not finite.

    Source: Binkowski, Sutherland, Arbel & Gretton 2018, ICLR; Gretton et al. 2012, JMLR 13.
    """
    fake, real = (_evenly(x) for x in (fake, real))
    if min(len(fake), len(real)) < 2 or not (np.isfinite(fake).all() and np.isfinite(real).all()):
        return np.full(1 + draws, math.nan)
    chance = np.random.default_rng(seed)
    weights = [np.concatenate([np.ones((1, len(x))), drawn(len(x), draws, chance)]) for x in (fake, real)]
    values = -2 * weighed(fake, real, *weights) / (weights[0].sum(1) * weights[1].sum(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        for x, w in zip((fake, real), weights, strict=True):
            values += weighed(x, x, w, w, itself=False) / (w.sum(1) ** 2 - (w**2).sum(1))
    return 100 * values


def weighed(
    a: np.ndarray, b: np.ndarray, weight_a: np.ndarray, weight_b: np.ndarray, itself: bool = True
) -> np.ndarray:
    """sum_ij w_i k(a_i, b_j) v_j for each row of the weights: [draws]; itself: also i = j."""
    total = np.zeros(len(weight_a))
    for first in range(0, len(a), ROWS):
        some = slice(first, first + ROWS)
        k = kernel(a[some], b)
        if not itself:
            k[np.arange(len(k)), np.arange(len(k)) + first] = 0
        total += ((weight_a[:, some] @ k) * weight_b).sum(1)
    return total


def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(a.b / d + 1)^3: [n, m]."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def drawn(n: int, draws: int, chance: np.random.Generator) -> np.ndarray:
    """How often each of n photos is among n drawn with replacement: [draws, n]."""
    return chance.multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)


def summary(values: np.ndarray) -> tuple[float, float, float]:
    """The first value, which is of no draw, and the interval of the rest."""
    return float(values[0]), *interval(values[1:])


def interval(values: np.ndarray) -> tuple[float, float]:
    """The central 95 %; of sets so small that a draw is one photo only, without those draws."""
    values = values[np.isfinite(values)]
    if not len(values):
        return math.nan, math.nan
    low, high = np.percentile(values, [50 - LEVEL / 2, 50 + LEVEL / 2])
    return float(low), float(high)


def _evenly(x: np.ndarray) -> np.ndarray:
    return x if len(x) <= MOST else x[np.linspace(0, len(x) - 1, MOST).astype(np.int64)]
