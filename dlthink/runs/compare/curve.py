"""Curve of a metric along a setting, one for each group of runs, and how much of that setting a better group is worth.

Along `data.fraction`: how much data is a better cost worth (Banko & Brill 2001, ACL)? Two groups reach the same value
y of the metric at settings x and x'; the worth is the factor x' / x, its logarithm averaged evenly over all y that both
reach. Means over repetitions are made monotone first (isotonic regression) and joined by straight lines in log x. The
error comes from leaving out one repetition after the other (the jackknife, Student's t), since repetitions of one seed
are not independent along a curve.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dlthink.errors import BadInput
from dlthink.runs.compare.comparison import Comparison
from dlthink.runs.compare.paired_difference import Difference, over_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEVELS = 200  # of the metric, at which curves are read


@dataclass
class Curve:
    """values: at each x, in rising order, those of its repetitions."""

    label: str
    x: list[float]
    values: list[dict[tuple, float]]

    def repetitions(self) -> set[tuple]:
        """Those that every point has."""
        return set.intersection(*(set(at) for at in self.values))

    def band(self) -> list[Difference]:
        """At each x the mean, and its error over repetitions."""
        return [over_runs(at.values()) for at in self.values]

    def means(self, repetitions: Iterable[tuple]) -> np.ndarray:
        """[x] over these repetitions alone."""
        repetitions = list(repetitions)
        return np.array([np.mean([at[one] for one in repetitions]) for at in self.values])


@dataclass
class Curves:
    """The metric `y` along the setting `x`, a curve for each group; better: "max" or "min", None where nobody says.

    reference: the place of the curve that others are compared with.
    """

    some: list[Curve]
    x: str
    y: str
    better: str | None
    reference: int

    def lines(self) -> list[str]:
        """The points of each curve, and how much of the setting each group needs beside the reference."""
        said = []
        for one in self.some:
            points = ", ".join(f"{x:g}: {at.mean:.6g} ({at.runs})" for x, at in zip(one.x, one.band(), strict=True))
            said.append(f"{one.label}  {self.y} at {self.x} (runs)  {points}")
        return [*said, "", *self._worth()] if self.needs else said

    @cached_property
    def needs(self) -> dict[int, Difference | None]:
        """The `worth` of every place but the reference; of none where nobody says what is better."""
        if self.better is None:
            return {}
        best, others = self.some[self.reference], enumerate(self.some)
        return {i: worth(best, one, self.better) for i, one in others if i != self.reference}

    def _worth(self) -> list[str]:
        best = self.some[self.reference]
        return [sentence(best, self.some[place], known, self.y) for place, known in self.needs.items()]

    def numbers(self) -> list[list]:
        """Of each point: group, x, n, mean and the ends of its 95 % interval."""
        rows = [["runs", self.x, "n", self.y, f"{self.y}_low", f"{self.y}_high"]]
        for curve in self.some:
            for at, known in zip(curve.x, curve.band(), strict=True):
                half = known.half_width()
                ends = ["", ""] if math.isnan(half) else [known.mean - half, known.mean + half]
                rows.append([curve.label, at, known.runs, known.mean, *ends])
        return rows

    def page(self) -> tuple[list[list[str]], list[str]]:
        """The points with six digits, and what each group needs."""
        head, *rows = self.numbers()
        shown = [[f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
        return [head, *shown], self._worth()

    def figure(self) -> Figure:
        """The curves with their bands, and beside them what each group needs."""
        from dlthink.runs.compare.curve_figure import figure

        return figure(self.some, self.needs, self.x, self.y, self.better)


def curves(compared: Comparison, x: str, y: str) -> list[Curve]:
    """A curve for each group of runs that have all settings but `x` in common. Raises BadInput."""
    if x not in compared.keys:
        raise BadInput(
            f"x={x}: is the same in all of these runs, or only repeats them (over=); they differ in "
            f"{', '.join(compared.keys) or 'nothing'}"
        )
    place, found = compared.keys.index(x), {}
    for values, runs in compared.groups.items():
        others = [f"{k}={v}" for k, v in zip(compared.keys, values, strict=True) if k != x and v is not None]
        at = {one: run.numbers[y] for one, run in runs.items() if math.isfinite(run.numbers.get(y, math.nan))}
        if at:
            found.setdefault(" ".join(others) or "all runs", {})[_number(x, values[place])] = at
    return [Curve(label, *map(list, zip(*sorted(points.items()), strict=True))) for label, points in found.items()]


def best_at_the_end(some: Sequence[Curve], better: str | None) -> int:
    """The curve that is ahead where the setting is largest; the first one where nobody says what is better."""
    sign = {"max": 1, "min": -1, None: 0}[better]
    ends = [sign * curve.band()[-1].mean for curve in some]
    return int(np.argmax(ends))


def worth(reference: Curve, other: Curve, better: str) -> Difference | None:
    """The natural logarithm of how many times as much of the setting `other` needs for what `reference` reaches.

    None where they reach nothing in common, or share no repetition.
    """
    repetitions = sorted(reference.repetitions() & other.repetitions(), key=str)
    sign = 1.0 if better == "max" else -1.0
    if not repetitions or min(*reference.x, *other.x) <= 0:
        return None
    whole = _shift(reference, other, repetitions, sign)
    if whole is None:
        return None
    n = len(repetitions)
    without = [_shift(reference, other, [r for r in repetitions if r != left], sign) for left in repetitions if n > 1]
    if n == 1 or any(one is None for one in without):
        return Difference(whole, None, None, n, 0)
    pseudo = [n * whole - (n - 1) * one for one in without]
    return Difference(whole, over_runs(pseudo).of_runs, None, n, 0)


def sentence(reference: Curve, other: Curve, found: Difference | None, y: str) -> str:
    """The worth `found` in words."""
    if found is None:
        return f"{other.label} and {reference.label} reach no {y} in common: no factor can be read off."
    half, said = found.half_width(), f"{other.label} needs {math.exp(found.mean):.3g}"
    as_much = f"times as much as {reference.label} for the same {y}"
    if math.isnan(half):
        few = "one repetition" if found.runs == 1 else f"{found.runs} repetitions"
        return f"{said} {as_much}; how sure that is cannot be told from {few}."
    return f"{said} ({math.exp(found.mean - half):.3g} to {math.exp(found.mean + half):.3g}) {as_much}."


def _shift(reference: Curve, other: Curve, repetitions: list[tuple], sign: float) -> float | None:
    """Mean horizontal distance of two curves in log x, over the values that both reach."""
    first, second = (_rising(sign * curve.means(repetitions)) for curve in (reference, other))
    low, high = max(first[0], second[0]), min(first[-1], second[-1])
    if not low < high:
        return None
    levels = low + (np.arange(LEVELS) + 0.5) / LEVELS * (high - low)
    at = [np.interp(levels, y, np.log(c.x)) for y, c in ((first, reference), (second, other))]
    return float((at[1] - at[0]).mean())


def _rising(y: np.ndarray) -> np.ndarray:
    """The nearest sequence that never falls (pool adjacent violators)."""
    pools: list[list[float]] = []  # mean and size of each
    for value in y:
        pools.append([float(value), 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, n), (b, m) = pools[-2:]
            pools[-2:] = [[(n * a + m * b) / (n + m), n + m]]
    return np.repeat([mean for mean, _ in pools], [int(n) for _, n in pools])


def _number(x: str, value: str | None) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise BadInput(f"x={x}: is {value} in one of these runs, which is no number that a curve could be drawn along")
    return number
