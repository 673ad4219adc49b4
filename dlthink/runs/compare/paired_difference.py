"""Paired difference of two groups of runs: its mean, 95 % interval and p value, over seeds and over items.

A difference d[s, i] of run s and item i (a molecule, a row, a stretch of time) is mu + a_s + b_i + e_si: chance of
the training and of the test set, both drawn anew where somebody else repeats the comparison. With mean squares of
runs, items and the rest, MS_a, MS_b and MS_e, the mean over S runs and I items has the variance
(MS_a + MS_b - MS_e) / (S I), and

    half width^2 = t(S - 1)^2 MS_a / (S I) + t(I - 1)^2 max(MS_b - MS_e, 0) / (S I)

where t is Student's quantile. Each part keeps its own degrees of freedom, since few runs and many items know their
parts unequally well: with 3 to 10 runs such intervals cover 94 to 98 % where 95 % are asked for (a test simulates it);
Satterthwaite's one t for the sum covers 89 % with two runs.

Of m pairs that were looked at, the one with the smallest p is judged at 0.05 / m, the next at 0.05 / (m - 1), and so on
to the first that may be chance; all others are judged as that one (Holm). So in 5 % of repetitions at most a difference
is beyond doubt that is none. Each has the interval of the level at which it is judged: beyond doubt it is without 0.
Source: Searle, Casella & McCulloch 1992, Variance Components, section 4.5 (the variance); Graybill & Wang 1980, JASA
75 (parts with quantiles of their own); Holm 1979, Scandinavian Journal of Statistics 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

DOUBT = 0.05  # p value, corrected, above which a difference may be chance
MOST_RUNS = 100  # that are advised
P_DIGITS = 12  # of the smallest p value that is told from 0


@dataclass
class Difference:
    """A mean, and the parts of its variance: from runs and from items, each (variance, degrees of freedom).

    runs, items: how many there were; items is 0 where nothing is known of single ones. unlike: were the two examined
    on other items, of which no error is known?
    """

    mean: float
    of_runs: tuple[float, int] | None  # None: one run, so it cannot be told
    of_items: tuple[float, int] | None
    runs: int
    items: int
    unlike: bool = False

    @property
    def same(self) -> bool:
        """Is there no difference at all, in several runs or many items?"""
        return self.known and self.mean == 0 and all(variance == 0 for variance, _ in self._parts())

    @property
    def known(self) -> bool:
        """Whether anything is known of its error."""
        return bool(self._parts()) and not math.isnan(self.mean)

    def half_width(self, doubt: float = DOUBT) -> float:
        """Of the interval that misses the true difference in a share `doubt` of all repetitions; nan where it is not
        known."""
        from scipy.special import stdtrit

        parts = self._parts()
        squares = [float(stdtrit(freedom, 1 - doubt / 2)) ** 2 * variance for variance, freedom in parts]
        return math.sqrt(sum(squares)) if self.known else math.nan

    @property
    def p(self) -> float:
        """Of no difference: the doubt whose interval just reaches 0; nan where the error is not known."""
        if not self.known:
            return math.nan
        low, high = -P_DIGITS * math.log(10), 0.0  # of log p, halved again and again; wider intervals have a smaller p
        for _ in range(50):
            middle = (low + high) / 2
            reaches = self.half_width(math.exp(middle)) >= abs(self.mean)
            low, high = (middle, high) if reaches else (low, middle)
        return math.exp(high)

    def runs_to_tell(self, doubt: float = DOUBT) -> int | None:
        """How many runs would tell a difference of this size from none, were it the true one; None: too many."""
        if self.of_runs is None or not self.known:
            return None
        per_run = self.of_runs[0] * self.runs
        for n in range(self.runs + 1, MOST_RUNS + 1):
            if replace(self, of_runs=(per_run / n, n - 1), runs=n).half_width(doubt) < abs(self.mean):
                return n
        return None

    def _parts(self) -> list[tuple[float, int]]:
        return [part for part in (self.of_runs, self.of_items) if part is not None]


def over_runs(d: Iterable[float]) -> Difference:
    """Of one difference a run, [S]: Student's paired t."""
    d = np.asarray(list(d), dtype=np.float64)
    n = len(d)
    return Difference(float(d.mean()), (float(d.var(ddof=1)) / n, n - 1) if n > 1 else None, None, n, 0)


def over_both(d: np.ndarray, weight: np.ndarray) -> Difference:
    """Of d: [S, I], the same I items in each of S runs; weight: [I], what an item counts in the mean.

    A weighted mean is a ratio of sums; its residuals w (d - mean) / mean of w stand for it (the delta method).
    With one run, what its training added by chance cannot be told: the interval is one over items alone.
    """
    runs, items = d.shape
    share = weight / weight.mean()
    mean = float((d * share).mean())
    if items < 2:
        return over_runs((d * share).mean(1))
    u = share * (d - mean)
    by_run, by_item, cells = u.mean(1), u.mean(0), runs * items
    of_items = runs * float(by_item.var(ddof=1))
    if runs == 1:
        return Difference(mean, None, (of_items / cells, items - 1), 1, items)
    rest = u - by_run[:, None] - by_item + u.mean()
    of_rest = float((rest**2).sum()) / ((runs - 1) * (items - 1))
    of_runs = items * float(by_run.var(ddof=1))
    return Difference(mean, (of_runs / cells, runs - 1), (max(of_items - of_rest, 0.0) / cells, items - 1), runs, items)


def over_parts(parts: list[Difference]) -> Difference:
    """The mean of differences on parts of the data that share no item (folds): their variances add up.

    Where a part was trained on once, what that added by chance is in none of them: then the parts are the repetitions.
    """
    if len(parts) == 1:
        return parts[0]
    n, mean = len(parts), float(np.mean([part.mean for part in parts]))
    items = sum(part.items for part in parts)
    if any(part.of_runs is None for part in parts):
        return Difference(mean, over_runs(part.mean for part in parts).of_runs, None, n, items)
    of_items = [part.of_items for part in parts if part.of_items is not None]
    return Difference(
        mean,
        _together([part.of_runs for part in parts], n),
        _together(of_items, n) if of_items else None,
        sum(part.runs for part in parts),
        items,
    )


def _together(parts: list[tuple[float, int]], n: int) -> tuple[float, int]:
    """Variance and degrees of freedom of a mean of n independent estimates; the freedoms of like parts add up."""
    return sum(variance for variance, _ in parts) / n**2, sum(freedom for _, freedom in parts)


def holm(p: Sequence[float], pairs: int | None = None) -> list[tuple[float, float]]:
    """Of each p value: corrected for so many `pairs` (None: these alone), and the doubt at which it is judged.

    nan, which is not known, stays nan; its doubt is that of the last.
    """
    pairs = len(p) if pairs is None else pairs
    found, largest, doubt, failed = {}, 0.0, DOUBT / max(pairs, 1), False
    for rank, i in enumerate(sorted((i for i in range(len(p)) if not math.isnan(p[i])), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (pairs - rank) * p[i]))
        doubt = doubt if failed else DOUBT / (pairs - rank)
        failed = failed or largest >= DOUBT
        found[i] = largest, doubt
    return [found.get(i, (math.nan, doubt)) for i in range(len(p))]
