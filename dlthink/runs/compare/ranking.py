"""Ranking of groups of runs by one score: the best first, and how far each lies from the best, with its error."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from dlthink.runs.compare import item_scores
from dlthink.runs.compare.comparison import Comparison, Finished
from dlthink.runs.compare.paired_difference import Difference, holm, over_both, over_parts, over_runs

FEWEST = 2  # items in common that say anything


@dataclass
class Ranking:
    """Groups by the score `name`; places are those in `Comparison.groups`.

    order        places, best first, groups without the score last; as they come where nobody says what is better
    reference    the place with which the others are compared
    differences  by place: score less that of the reference, where both share repetitions; else None
    pairs        that were looked at: all, of which the best was picked, or those of a named one
    notes        what could not be compared, a line each
    without      places of groups that have no such number
    """

    name: str
    direction: str | None  # "max" or "min"; None where the runs do not say
    order: list[int]
    reference: int
    differences: dict[int, Difference | None]
    pairs: int
    notes: list[str] = field(default_factory=list)
    without: list[int] = field(default_factory=list)

    @classmethod
    def of(
        cls, compared: Comparison, name: str, direction: str | None, reference: int | None = None, items: bool = True
    ) -> Ranking:
        """items: may single items be looked up? The runs keep those of test."""
        sign = {"max": -1, "min": 1, None: 0}[direction]
        means = [estimate.mean for estimate in compared.estimates(name)]
        order = sorted(range(len(means)), key=lambda i: (math.isnan(means[i]), sign * means[i]))
        best = reference is None
        reference = order[0] if best else reference
        groups, notes = list(compared.groups.values()), []
        differences = {}
        for i in range(len(groups)):
            if i != reference:
                differences[i] = difference(groups[i], groups[reference], name, items, notes)
        notes += _of_chance(groups, groups[reference], differences.values())
        pairs = len(groups) * (len(groups) - 1) // 2 if best else len(groups) - 1
        return cls(
            name,
            direction,
            order,
            reference,
            differences,
            pairs,
            [*dict.fromkeys(notes)],
            [i for i, mean in enumerate(means) if math.isnan(mean)],
        )

    @staticmethod
    def leader(compared: Comparison, name: str, direction: str) -> int | None:
        """The place of the group that is ahead by a score; None where no group has it."""
        means = {i: estimate.mean for i, estimate in enumerate(compared.estimates(name))}
        known = {i: mean for i, mean in means.items() if not math.isnan(mean)}
        return (max if direction == "max" else min)(known, key=known.get) if known else None

    @cached_property
    def _judged(self) -> dict[int, tuple[float, float]]:
        """By place: p, corrected, and the doubt at which the difference is judged (Holm)."""
        raw = [math.nan if known is None else known.p for known in self.differences.values()]
        return dict(zip(self.differences, holm(raw, self.pairs), strict=True))

    def p(self, place: int) -> float:
        """Of no difference, corrected; nan where it is not known."""
        return self._judged[place][0]

    def doubt(self, place: int) -> float:
        """Of one difference, so that of all together no more than 5 % are called beyond doubt by chance."""
        return self._judged[place][1]

    def half_width(self, place: int) -> float:
        """Of the interval of a difference, as wide as the number of pairs asks for."""
        return self.differences[place].half_width(self.doubt(place))

    def beyond_doubt(self, place: int) -> bool:
        """Does this group differ from the reference by more than chance would explain? Its interval is without 0."""
        difference = self.differences.get(place)
        return difference is not None and not difference.unlike and self.half_width(place) < abs(difference.mean)


def _of_chance(groups: list[dict], reference: dict, differences: Iterable[Difference | None]) -> list[str]:
    """What of chance is in no interval, and which repetitions are in no difference."""
    found = []
    known = [d for d in differences if d is not None and d.known]
    if any(d.of_runs is None for d in known):
        found.append("one repetition: intervals are over items alone, and another seed may change more than they say")
    if known and any(group.keys() != reference.keys() for group in groups):
        found.append("repetitions that one of two groups lacks are left out of their difference")
    return found


def difference(
    one: dict[tuple, Finished], other: dict[tuple, Finished], name: str, items: bool, notes: list[str]
) -> Difference | None:
    """Score of `one` less that of `other`, paired by repetition and, where the runs keep them, by item.

    Repetitions that examined other items (folds) are parts of their own. Where the two of a pair did, those count that
    both have; where there are none, no difference is beyond doubt.
    """
    shared = [repetition for repetition in one if repetition in other]
    if not shared:
        return None
    pairs = [(one[repetition], other[repetition]) for repetition in shared]
    values = [a.numbers.get(name, math.nan) - b.numbers.get(name, math.nan) for a, b in pairs]
    kept = [(_items(a.folder), _items(b.folder)) for a, b in pairs] if items else []
    if not kept or any(x is None or y is None or name not in x.scores or name not in y.scores for x, y in kept):
        return over_runs(values)
    if not all(x.same_items(y) for x, y in kept):
        whole, kept = max(len(x.item) for pair in kept for x in pair), [x.shared(y) for x, y in kept]
        least = min(len(x.item) for x, _ in kept)
        if least < FEWEST:
            notes.append("some runs were examined on other items: one test may be easier than the other")
            return replace(over_runs(values), unlike=True)
        notes.append(f"some runs were examined on other items, too: compared on the {least} of {whole} that both have")
    parts: list[tuple[item_scores.ItemScores, list[np.ndarray]]] = []  # runs that examined the same items
    for x, y in kept:
        rows = next((rows for first, rows in parts if first.same_items(x)), None)
        if rows is None:
            parts.append((x, rows := []))
        rows.append(x.scores[name] - y.scores[name])
    return over_parts([over_both(np.stack(rows), first.weight) for first, rows in parts])


@cache
def _items(folder: Path) -> item_scores.ItemScores | None:
    return item_scores.read(folder)
