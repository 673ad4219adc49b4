"""Critical difference of costs over several data sets: are their ranks further apart than chance would put them?

On each of N data sets the k groups are ranked by its own score, 1 the best, ties sharing their mean. With mean ranks R

    chi2 = 12 N / (k (k + 1)) (sum R^2 - k (k + 1)^2 / 4)             Friedman's statistic
    F    = (N - 1) chi2 / (N (k - 1) - chi2)                          of k - 1 and (k - 1)(N - 1) degrees of freedom
    z    = (R_i - R_j) / sqrt(k (k + 1) / (6 N))                      of a pair, corrected by Holm
    CD   = q sqrt(k (k + 1) / (6 N))                                  Nemenyi: mean ranks nearer than that may be equal

where q is the 95 % quantile of the studentized range over sqrt(2). Source: Demsar 2006, JMLR 7, section
3.2; F is of Iman & Davenport 1980.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from dlthink.errors import BadInput
from dlthink.runs.comparison import Comparison, below, direction, scores, shared
from dlthink.runs.paired_difference import holm
from dlthink.runs.ranking import DOUBT
from dlthink.runs.verdict import p_value

FEWEST = 3  # data sets, of which a rank says anything


@dataclass
class Ranks:
    """ranks: [N, k] of each data set and each group; by: the score that each data set ranks by."""

    groups: list[str]
    data_sets: list[str]
    by: list[str]
    ranks: np.ndarray
    left_out: list[str]  # groups that some data set lacks

    @property
    def mean(self) -> np.ndarray:
        """[k] over the data sets."""
        return self.ranks.mean(0)

    @property
    def error(self) -> float:
        """Standard error of a difference of two mean ranks, where all groups are alike."""
        n, k = self.ranks.shape
        return math.sqrt(k * (k + 1) / (6 * n))

    @property
    def chi2(self) -> float:
        """Friedman's statistic."""
        n, k = self.ranks.shape
        return float(12 * n / (k * (k + 1)) * ((self.mean**2).sum() - k * (k + 1) ** 2 / 4))

    @property
    def f(self) -> float:
        """Iman and Davenport's; infinite where every data set ranks alike."""
        n, k = self.ranks.shape
        rest = n * (k - 1) - self.chi2
        return (n - 1) * self.chi2 / rest if rest > 1e-9 else math.inf

    @property
    def p(self) -> float:
        """Of no difference between any of them, by F."""
        from scipy.special import fdtrc

        n, k = self.ranks.shape
        return float(fdtrc(k - 1, (k - 1) * (n - 1), self.f))

    def pairs(self, reference: int, several: bool = True) -> dict[int, float]:
        """p of each other group against that of the place `reference`, after Holm: for all pairs where it was picked
        as the best of `several`, else for its own."""
        from scipy.special import ndtr

        k = len(self.groups)
        others = [place for place in range(k) if place != reference]
        raw = [2 * float(ndtr(-abs(self.mean[place] - self.mean[reference]) / self.error)) for place in others]
        return dict(zip(others, holm(raw, k * (k - 1) // 2 if several else k - 1), strict=True))

    def critical_difference(self, level: float = 1 - DOUBT) -> float:
        """Nemenyi's, of all pairs at once."""
        from scipy.stats import studentized_range  # takes its time to load

        return float(studentized_range.ppf(level, len(self.groups), math.inf)) / math.sqrt(2) * self.error

    def cliques(self, apart: float) -> list[tuple[float, float]]:
        """(first, last) mean rank of groups that lie within `apart`, as few as say it all; no group alone."""
        mean = np.sort(self.mean)
        ends = [(low, mean[mean <= low + apart].max()) for low in mean]
        return [
            (low, high)
            for i, (low, high) in enumerate(ends)
            if high > low and not any(other >= high for _, other in ends[:i])
        ]


def across(compared: Comparison, keys: Sequence[str], names: Sequence[str] = ()) -> Ranks:
    """Ranks of the groups that differ in anything but `keys`, whose values tell the data sets.

    names: the score to rank by; without, each data set's own first one. Raises BadInput.
    """
    found, every, groups = _on_each(compared, keys)
    if len(groups) < 2 or len(found) < FEWEST:
        raise BadInput(
            f"across={','.join(keys)}: groups of runs on all of {len(found)} data sets: {len(groups)}; ranks need "
            f"2 groups and {FEWEST} data sets; across= compares without ranks"
        )
    ranks, by = [], []
    for place, of in found.items():
        runs = [run for group in groups for run in of[group]]
        name = names[0] if names else next(iter(shared(runs)), None)
        better = direction(name, scores(runs)) if name else None
        if better is None:
            raise BadInput(f"{place}: its runs do not say which way {name or 'a metric'} is better; give metrics=NAME")
        means = [float(np.mean([run.numbers.get(name, math.nan) for run in of[group]])) for group in groups]
        ranks.append(_ranked(np.array(means) * (1 if better == "min" else -1)))
        by.append(name)
    return Ranks(groups, list(found), by, np.stack(ranks), [group for group in every if group not in groups])


def enough(compared: Comparison, keys: Sequence[str]) -> bool:
    """Were several groups trained on so many data sets that ranks say anything?"""
    found, _, groups = _on_each(compared, keys)
    return len(groups) > 1 and len(found) >= FEWEST


def _on_each(compared: Comparison, keys: Sequence[str]) -> tuple[dict[str, dict[str, list]], list[str], list[str]]:
    """({data set: {group: its runs}}, all groups, those that are on every data set)."""
    found: dict[str, dict[str, list]] = {}
    for values, runs in compared.groups.items():
        said = [(key, value) for key, value in zip(compared.keys, values, strict=True) if value is not None]
        place = " ".join(f"{key}={value}" for key, value in said if below(key, keys))
        group = " ".join(f"{key}={value}" for key, value in said if not below(key, keys)) or "all runs"
        found.setdefault(place, {})[group] = [*runs.values()]
    every = list(dict.fromkeys(group for groups in found.values() for group in groups))
    return found, every, [group for group in every if all(group in of for of in found.values())]


def lines(found: Ranks, reference: int | None = None) -> list[str]:
    """The ranks as a table, the test, and what it says."""
    order = np.argsort(found.mean, kind="stable")
    best = int(order[0]) if reference is None else reference
    p = found.pairs(best, several=reference is None)
    wide = max(map(len, found.groups))
    said = [f"mean ranks over {len(found.data_sets)} data sets (1: best)"]
    for place in order:
        each = " ".join(f"{rank:g}" for rank in found.ranks[:, place])
        apart = "" if place == best else f"{_words(found, place, best, p[place])}"
        said.append(f"  {found.groups[place]:<{wide}}  {found.mean[place]:.3f}  ({each})  {apart}".rstrip())
    n, k = found.ranks.shape
    sure = "not all are alike, beyond doubt" if found.p < DOUBT else "all may be alike"
    said.append(
        f"Friedman: chi2 = {found.chi2:.2f}, F({k - 1}, {(k - 1) * (n - 1)}) = {found.f:.2f}, "
        f"p = {found.p:.2g}: {sure}."
    )
    said.append(
        f"ranked by: {', '.join(f'{name} ({place})' for place, name in zip(found.data_sets, found.by, strict=True))}"
    )
    if found.left_out:
        said.append(f"left out, not trained on all of them: {', '.join(found.left_out)}")
    return said


def write_csv(file: IO[str], found: Ranks) -> None:
    """A row a group: its mean rank, and its rank on each data set."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["runs", "mean_rank", *found.data_sets])
    for place in np.argsort(found.mean, kind="stable"):
        writer.writerow([found.groups[place], found.mean[place], *found.ranks[:, place]])


def _words(found: Ranks, place: int, best: int, p: float) -> str:
    shown = p_value(p)
    if p >= DOUBT:
        return f"cannot be told from {found.groups[best]}, {shown}"
    return f"{'worse' if found.mean[place] > found.mean[best] else 'better'} beyond doubt, {shown}"


def _ranked(costs: np.ndarray) -> np.ndarray:
    """1 for the smallest; equal ones share their mean rank. nan is last."""
    costs = np.where(np.isnan(costs), np.inf, costs)
    less = (costs[None, :] < costs[:, None]).sum(1)
    return less + ((costs[None, :] == costs[:, None]).sum(1) + 1) / 2
