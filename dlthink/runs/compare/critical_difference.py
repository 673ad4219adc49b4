"""Critical difference of costs over several data sets: are their ranks further apart than chance would put them?

On each of N data sets the k groups are ranked by its own score, 1 the best, ties sharing their mean. With mean ranks R

    chi2 = 12 N / (k (k + 1)) (sum R^2 - k (k + 1)^2 / 4)             Friedman's statistic
    F    = (N - 1) chi2 / (N (k - 1) - chi2)                          of k - 1 and (k - 1)(N - 1) degrees of freedom
    z    = (R_i - R_j) / sqrt(k (k + 1) / (6 N))                      of a pair
    CD   = q sqrt(k (k + 1) / (6 N))                                  Nemenyi: mean ranks nearer than that may be equal

where q is the 95 % quantile of the studentized range over sqrt(2), and p of a pair is what is left of that range beyond
sqrt(2) z, so that words and picture say the same. Beside a group that somebody names, p is Holm's for the k - 1 pairs
with it. Source: Demsar 2006, JMLR 7, section 3.2; F is of Iman & Davenport 1980; Holm 1979, Scandinavian Journal of
Statistics 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlthink.errors import BadInput
from dlthink.runs.compare.comparison import Comparison, below, direction, directions, shared
from dlthink.runs.compare.paired_difference import DOUBT, holm
from dlthink.runs.compare.verdict import p_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEWEST = 3  # data sets, of which a rank says anything
DATA_SETS = ("data", "data.path")  # settings that tell data sets apart, where nobody says which
TARGET = ("data.target",)  # and what is predicted in one


@dataclass
class Ranks:
    """ranks: [N, k] of each data set and each group; by: the score that each data set ranks by."""

    groups: list[str]
    data_sets: list[str]
    by: list[str]
    ranks: np.ndarray
    left_out: list[str]  # groups that some data set lacks
    reference: int | None = None  # the place that others are compared with; None: the best one

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
        """p of each other group beside that of the place `reference`: Nemenyi's, of all pairs, where it was picked as
        the best of `several`, else Holm's, of its own."""
        from scipy.special import ndtr

        z = {i: abs(float(mean - self.mean[reference])) / self.error for i, mean in enumerate(self.mean)}
        del z[reference]
        if several:
            from scipy.stats import studentized_range  # takes its time to load

            beyond = studentized_range.sf(math.sqrt(2) * np.array([*z.values()]), len(self.groups), math.inf)
            return dict(zip(z, beyond.tolist(), strict=True))
        corrected = holm([2 * float(ndtr(-each)) for each in z.values()])
        return {place: p for place, (p, _) in zip(z, corrected, strict=True)}

    def critical_difference(self, doubt: float = DOUBT) -> float:
        """Nemenyi's, of all pairs at once."""
        from scipy.stats import studentized_range  # takes its time to load

        return float(studentized_range.ppf(1 - doubt, len(self.groups), math.inf)) / math.sqrt(2) * self.error

    def lines(self) -> list[str]:
        """The ranks as a table, the test, and what it says."""
        wide = max(map(len, self.groups))
        said = [f"mean ranks over {len(self.data_sets)} data sets (1: best)"]
        for place, apart in self._apart():
            each = " ".join(f"{rank:g}" for rank in self.ranks[:, place])
            said.append(f"  {self.groups[place]:<{wide}}  {self.mean[place]:.3f}  ({each})  {apart}".rstrip())
        return [*said, *self._test()]

    def _apart(self) -> list[tuple[int, str]]:
        """The places of the groups, best first, and what is said of each beside the reference."""
        best = int(self.order[0]) if self.reference is None else self.reference
        p = self.pairs(best, several=self.reference is None)
        return [(place, "" if place == best else self._said(place, best, p[place])) for place in self.order]

    def _test(self) -> list[str]:
        """Friedman's, by what each data set ranks, and who is left out."""
        n, k = self.ranks.shape
        sure = "not all are alike, beyond doubt" if self.p < DOUBT else "all may be alike"
        pairs = zip(self.data_sets, self.by, strict=True)
        said = [
            f"Friedman: chi2 = {self.chi2:.2f}, F({k - 1}, {(k - 1) * (n - 1)}) = {self.f:.2f}, "
            f"{p_value(self.p)}: {sure}.",
            f"ranked by: {', '.join(f'{name} ({place})' for place, name in pairs)}",
        ]
        if self.left_out:
            said.append(f"left out, not trained on all of them: {', '.join(self.left_out)}")
        return said

    def _said(self, place: int, best: int, p: float) -> str:
        if p >= DOUBT:
            return f"cannot be told from {self.groups[best]}, {p_value(p)}"
        return f"{'worse' if self.mean[place] > self.mean[best] else 'better'} beyond doubt, {p_value(p)}"

    @property
    def order(self) -> np.ndarray:
        """The places of the groups, best first."""
        return np.argsort(self.mean, kind="stable")

    def numbers(self) -> list[list]:
        """Of each group its mean rank, and its rank on each data set."""
        rows = [[self.groups[place], self.mean[place], *self.ranks[:, place]] for place in self.order]
        return [["runs", "mean_rank", *self.data_sets], *rows]

    def page(self) -> tuple[list[list[str]], list[str]]:
        """The ranks beside what is said of them, and the test."""
        head, *rows = self.numbers()
        said = [apart for _, apart in self._apart()]
        shown = [[row[0], f"{row[1]:.3f}", *(f"{rank:g}" for rank in row[2:])] for row in rows]
        return [[*head, ""], *([*row, apart] for row, apart in zip(shown, said, strict=True))], self._test()

    def figure(self) -> Figure:
        """Mean ranks on a line, bars under those that chance could have put apart."""
        from dlthink.runs.compare.critical_difference_figure import figure

        return figure(self)

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

    names: the score to rank by; without, each data set's own first one. Several targets of one table (`TARGET`, unless
    that is one of the keys) are no data sets of their own: the same rows are in all of them. Groups are ranked by their
    mean rank on these. Raises BadInput.
    """
    found, every, groups = _on_each(compared, keys)
    if len(groups) < 2 or len(found) < FEWEST:
        raise BadInput(
            f"across={','.join(keys)}: groups of runs on all of {len(found)} data sets: {len(groups)}; ranks need "
            f"2 groups and {FEWEST} data sets; across= compares without ranks"
        )
    ranks, by = [], []
    for place, targets in found.items():
        pairs = [_ranks_on(place, of, groups, names) for of in targets.values()]
        ranks.append(_ranked(np.mean([each for each, _ in pairs], axis=0)))
        by.append(", ".join(dict.fromkeys(name for _, name in pairs)))
    return Ranks(groups, list(found), by, np.stack(ranks), [group for group in every if group not in groups])


def _ranks_on(place: str, of: dict[str, list], groups: list[str], names: Sequence[str]) -> tuple[np.ndarray, str]:
    """Ranks of the groups by what their runs, `of` each, have on one target; and by which score."""
    runs = [run for group in groups for run in of[group]]
    name = names[0] if names else next(iter(shared(runs)), "a metric")
    better = direction(name, directions(runs))
    if better is None:
        raise BadInput(f"{place}: its runs do not say which way {name} is better; give metrics=NAME")
    means = [float(np.mean([run.numbers.get(name, math.nan) for run in of[group]])) for group in groups]
    return _ranked(np.array(means) * (1 if better == "min" else -1)), name


def enough(compared: Comparison, keys: Sequence[str]) -> bool:
    """Were several groups trained on so many data sets that ranks say anything?"""
    found, _, groups = _on_each(compared, keys)
    return len(groups) > 1 and len(found) >= FEWEST


def _on_each(
    compared: Comparison, keys: Sequence[str]
) -> tuple[dict[str, dict[str, dict[str, list]]], list[str], list[str]]:
    """({data set: {target: {group: its runs}}}, all groups, those that are everywhere)."""
    found: dict[str, dict[str, dict[str, list]]] = {}
    target = [key for key in TARGET if key not in keys]
    place = [key for key in compared.keys if below(key, keys) and key not in target]
    group = [key for key in compared.keys if key not in (*place, *target)]
    for values, runs in compared.groups.items():
        said = {key: value for key, value in zip(compared.keys, values, strict=True) if value is not None}
        at, what, who = (_label(said, some) for some in (place, target, group))
        found.setdefault(at, {}).setdefault(what, {})[who or "all runs"] = [*runs.values()]
    parts = [of for targets in found.values() for of in targets.values()]
    every = list(dict.fromkeys(group for of in parts for group in of))
    return found, every, [group for group in every if all(group in of for of in parts)]


def _label(said: dict[str, str], keys: Sequence[str]) -> str:
    return " ".join(f"{key}={said[key]}" for key in keys if key in said)


def _ranked(costs: np.ndarray) -> np.ndarray:
    """1 for the smallest; equal ones share their mean rank. nan is last."""
    costs = np.where(np.isnan(costs), np.inf, costs)
    less = (costs[None, :] < costs[:, None]).sum(1)
    return less + ((costs[None, :] == costs[:, None]).sum(1) + 1) / 2
