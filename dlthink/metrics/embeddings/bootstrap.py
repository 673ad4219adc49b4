"""Intervals by drawing people, not photos: photos of one person are not independent of each other."""

import math

import numpy as np

from dlthink.false_accept_rate import allowed
from dlthink.metrics.embeddings.pair_distances import Pairs

DRAWS = 200
LEVEL = 95  # percent
NEAREST = 0.05  # share of the pairs of two people that is kept whole: false accepts are among them
OTHERS = 100_000  # of the rest, which matters for the AUC only, a random sample stands for all


def people_drawn(people: int, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """How often each person is among `people` drawn with replacement: [draws, people] float64."""
    if not people:
        return np.zeros((draws, 0))
    chance = np.random.default_rng(seed)
    return np.stack([np.bincount(chance.integers(0, people, people), minlength=people) for _ in range(draws)]) * 1.0


def interval(drawn: np.ndarray) -> tuple[float, float]:
    """The central 95 % of the draws in which the number is defined; nan where that is less than half of them.

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentiles).
    """
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) <= DRAWS // 2:
        return math.nan, math.nan
    low, high = np.percentile(drawn, [50 - LEVEL / 2, 50 + LEVEL / 2])
    return float(low), float(high)


def share(right: np.ndarray, asked: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """sum of right / sum of asked when person k counts weight[:, k] times: [draws]; right, asked: [people]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return weight @ right / (weight @ asked)


class Resampled:
    """The pairs of drawn people: a pair of person k counts w_k times, one of persons k and l w_k w_l times.

    `group`: [n] of each photo of `pairs`, for rates of one group.
    """

    def __init__(self, pairs: Pairs, group: np.ndarray | None = None):
        flat, n = pairs.different, len(pairs.different)
        self.pairs = pairs
        edge = np.partition(flat, int(NEAREST * n))[int(NEAREST * n)] if n else 0.0
        near = (flat < edge).nonzero()[0]
        chance = np.random.default_rng(0)
        rest = np.arange(n) if n <= 4 * OTHERS else np.unique(chance.integers(0, n, OTHERS))
        rest = rest[flat[rest] >= edge]
        index = np.concatenate([near, rest])
        times = np.repeat([1.0, (n - len(near)) / max(1, len(rest))], [len(near), len(rest)])
        order = np.argsort(flat[index], kind="stable")
        self.d, self.times = flat[index[order]], times[order]
        i, j = pairs.places(index[order])
        self.first, self.second = pairs.person[i], pairs.person[j]
        order = np.argsort(pairs.same, kind="stable")
        at, to = (places[order] for places in pairs.same_at)
        self.same, self.of = pairs.same[order], pairs.person[at]
        self.after = np.searchsorted(self.d, self.same), np.searchsorted(self.d, self.same, side="right")
        if group is not None:
            self.group = group
            self.same_group = np.where(group[at] == group[to], group[at], -1)
            self.group_of_both = np.where(group[i] == group[j], group[i], -1)

    def auc(self, weight: np.ndarray) -> float:
        total = np.concatenate([[0.0], self._different(weight).cumsum()])
        own = weight[self.of]
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(1 - own @ (total[self.after[0]] + total[self.after[1]]) / (2 * own.sum() * total[-1]))

    def val_at(self, far: float, weight: np.ndarray) -> float:
        k = self._refused(far, weight)
        if k is None:
            return math.nan
        own = weight[self.of]
        return float(own[: np.searchsorted(self.same, self.d[k])].sum() / own.sum()) if own.sum() else math.nan

    def by_group(self, far: float, weight: np.ndarray, groups: list[int]) -> np.ndarray:
        """(VAL, FAR) of the pairs inside each group at the one threshold of `far` over all pairs: [2, groups]."""
        made = np.full((2, len(groups)), math.nan)
        k = self._refused(far, weight)
        if k is None:
            return made
        own, accepted = weight[self.of], np.searchsorted(self.same, self.d[k])
        end = np.searchsorted(self.d, self.d[k])
        other = self.times[:end] * weight[self.first[:end]] * weight[self.second[:end]]
        for column, g in enumerate(groups):
            inside = self.same_group == g
            positive, negative = own[inside].sum(), self.pairs.number_different(weight, self.group == g)
            if positive:
                made[0, column] = own[:accepted][inside[:accepted]].sum() / positive
            if negative:
                made[1, column] = other[self.group_of_both[:end] == g].sum() / negative
        return made

    def _different(self, weight: np.ndarray) -> np.ndarray:
        return self.times * weight[self.first] * weight[self.second]

    def _refused(self, far: float, weight: np.ndarray) -> int | None:
        """Place of the nearest pair of two people that must be refused; None where a single one is more than `far`."""
        accepted = allowed(far, float(self.pairs.number_different(weight)))
        if not accepted:
            return None
        total = self._different(weight).cumsum()
        k = int(np.searchsorted(total, accepted, side="right"))
        return k if k < len(total) else None
