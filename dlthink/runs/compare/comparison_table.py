"""Table of groups of runs, best first, with their differences: for the terminal, a file, or a picture."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dlthink.errors import BadInput
from dlthink.metric_direction import arrow
from dlthink.runs.compare import still_improving, verdict
from dlthink.runs.compare.comparison import Comparison, Estimate, direction, figures, glossary, scores
from dlthink.runs.compare.ranking import Ranking
from dlthink.runs.predict_words import line
from dlthink.runs.summary import legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE = 120  # columns of a terminal
SAME = 1e-6  # of a number: by more it is another one


@dataclass
class Table:
    """Every metric of every group, and how far each group lies from the best by the first of them.

    names        metrics; those that are `asked` for stand there however wide, and in the picture, too
    directions   which way numbers are better, "max" or "min"
    reference    the place of the group that others are compared with; None: the best one
    other_data   settings by which the data of the groups differ: a difference says nothing of a cost then
    """

    compared: Comparison
    split: str
    names: list[str]
    asked: bool
    directions: dict[str, str]
    reference: int | None
    other_data: list[str]

    @cached_property
    def labels(self) -> list[str]:
        """What each group is called."""
        return self.compared.labels()

    @cached_property
    def ranking(self) -> Ranking | None:
        """By the first metric; None of a group alone."""
        if len(self.labels) < 2:
            return None
        way = direction(self.names[0], self.directions)
        return Ranking.of(self.compared, self.names[0], way, self.reference, self.split == "test")

    @property
    def order(self) -> list[int]:
        """The places of the groups, best first."""
        return self.ranking.order if self.ranking else list(range(len(self.labels)))

    @cached_property
    def baselines(self) -> dict[str, list[Estimate | None]]:
        """By what was predicted without a cost: each metric over all repetitions, None where it has none; where it has
        a number by the first metric, and the same beside every cost, as on the same data."""
        found = {name: [self._beside(f"{each}_{name}") for each in self.names] for name in self.compared.baselines()}
        return {name: estimates for name, estimates in found.items() if estimates[0] is not None}

    def _beside(self, name: str) -> Estimate | None:
        """Of a number that groups share: one value a repetition; None where they differ in it."""
        values: dict[tuple, float] = {}
        for group in self.compared.groups.values():
            for repetition, run in group.items():
                if name in run.numbers and not math.isclose(
                    values.setdefault(repetition, run.numbers[name]), run.numbers[name], rel_tol=SAME
                ):
                    return None
        return Estimate.of(values.values()) if values else None

    @cached_property
    def rows(self) -> tuple[list[str], list[str]]:
        """Label and number of runs of each group, best first; then baselines."""
        counts = [len(group) for group in self.compared.groups.values()]
        labels, runs = [self.labels[place] for place in self.order], [str(counts[place]) for place in self.order]
        return [*labels, *(f"baseline: {name}" for name in self.baselines)], [*runs, *("" for _ in self.baselines)]

    @cached_property
    def columns(self) -> list[list[str]]:
        """Heading and cells of each metric."""
        made = []
        for k, name in enumerate(self.names):
            heading = f"{name} {arrow(direction(name, self.directions))}".rstrip()
            own, beside = self.compared.estimates(name), [estimates[k] for estimates in self.baselines.values()]
            made.append(column(heading, [*(own[place] for place in self.order), *beside]))
        return made

    @cached_property
    def answer(self) -> list[str]:
        """Differences to the reference, and what they say."""
        if self.ranking is None:
            return []
        if self.other_data:
            return [self._differ()]
        ranking, rows = self.ranking, verdict.rows(self.ranking, self.labels)
        wide = [max(len(row[k]) for row in rows) for k in (0, 1)]
        lines = [f"{ranking.name}, difference to {self.labels[ranking.reference]}, {verdict.basis(ranking)}"]
        lines[0] += f",\nin brackets {of}:" if (of := verdict.intervals(ranking)) else ":"
        lines += [f"  {label:<{wide[0]}}  {interval:<{wide[1]}}  {said}".rstrip() for label, interval, said in rows]
        said = verdict.sentences(ranking, self.compared, self.labels, scores(self.compared.runs))
        late = still_improving.line(ranking, self.compared, self.labels)
        return [*lines, *ranking.notes, *said, *late, *self._best_baseline()]

    def lines(self) -> list[str]:
        """As many metrics as fit, a line for the others, and the answer."""
        fit = len(self.names) if self.asked else fitting(self.columns, self.rows[0], WIDE)
        said = [aligned(self.split, *self.rows, self.columns[:fit])]
        if fit < len(self.names):
            more = f"{len(self.names) - fit} more, by metrics=NAME,NAME: {', '.join(self.names[fit:])}"
            said.append(textwrap.fill(more, WIDE, subsequent_indent="  ", break_long_words=False))
        said += legend(self.names[:fit], glossary(self.compared.runs))
        said += ["", *self.answer] if self.answer else []
        return [*said, *self._predict()]

    def numbers(self) -> list[list]:
        """Of each group its settings, n, all metrics with their standard errors; of the first one the difference."""
        ranking, groups = None if self.other_data else self.ranking, list(self.compared.groups.items())
        estimates = [self.compared.estimates(name) for name in self.names]
        ends = ("difference", "difference_low", "difference_high", "p") if ranking else ()
        heads = [head for name in self.names for head in (name, f"{name}_se")]
        rows = [[*self.compared.keys, "n", *heads, *(f"{self.names[0]}_{end}" for end in ends)]]
        for place in self.order:
            values, group = groups[place]
            known = [number for one in estimates for number in (one[place].mean, one[place].error)]
            rows.append([*values, len(group), *known, *(_differences(ranking, place) if ranking else ())])
        return rows

    def page(self) -> tuple[list[list[str]], list[str]]:
        """All metrics, and the answer."""
        labels, counts = self.rows
        first, n = [self.split, *labels], ["n", *counts]
        rows = zip(first, n, *self.columns, strict=True)
        return [list(row) for row in rows], [*legend(self.names, glossary(self.compared.runs)), *self.answer]

    def _best_baseline(self) -> list[str]:
        """A line where a baseline is ahead of the best group by the first metric."""
        way = direction(self.names[0], self.directions)
        best = self.compared.estimates(self.names[0])[self.order[0]].mean
        means = {name: estimates[0].mean for name, estimates in self.baselines.items()}
        ahead = {name: mean for name, mean in means.items() if (mean > best if way == "max" else mean < best)}
        if way is None or not ahead:
            return []
        first = (max if way == "max" else min)(ahead, key=ahead.get)
        return [f"{first}, a baseline, is ahead of them all by {self.names[0]}: {ahead[first]:.4g}."]

    def _predict(self) -> list[str]:
        """The command that predicts with the best group, by the best of its runs on validation."""
        if self.ranking is None or self.ranking.direction is None or self.other_data:
            return []
        best = self.order[0]
        runs = [*[*self.compared.groups.values()][best].values()]
        on_validation = [(figures(run.folder, "val").get(run.best[0], math.nan), run) for run in runs if run.best]
        known = [(value, run) for value, run in on_validation if not math.isnan(value)]
        if not known:
            return []
        _, run = (max if known[0][1].best[1] == "max" else min)(known, key=lambda pair: pair[0])
        chosen = f"predict with {self.labels[best]}" + (", by its best run on validation" if len(runs) > 1 else "")
        return [f"{chosen}: {line(run.folder, *run.predict, run.settings)}"]

    def _differ(self) -> str:
        return (
            f"groups differ in {', '.join(self.other_data)}: figures on different data say nothing of a cost; name "
            f"runs on the same, or across= to compare them all the same"
        )

    def _alone(self) -> str:
        """What a picture of differences lacks."""
        runs = self.compared.runs
        if len(runs) == 1:
            return (
                f"a picture shows differences between costs, and there is one finished run, {runs[0].folder}: name "
                f"others beside it, dlthink compare FOLDER FOLDER; pictures of itself are in its figures/"
            )
        costs = {run.settings.get("loss", "the same") for run in runs}
        if len(costs) > 1:
            return (
                f"a picture shows differences, and over= makes all {len(runs)} finished runs repetitions of one "
                f"setting: leave out of it what shall tell them apart"
            )
        return (
            f"a picture shows differences between costs, and all {len(runs)} finished runs are of one "
            f"(loss={min(costs)}): train another beside it, dlthink train -m loss={min(costs)},OTHER, or compare "
            f"single runs, over="
        )

    def figure(self) -> Figure:
        """Points with intervals, best on top. Raises BadInput of a group alone, and of groups on different data."""
        from dlthink.runs.compare.comparison_figure import figure

        if self.ranking is None:
            raise BadInput(self._alone())
        if self.other_data:
            raise BadInput(self._differ())
        pictured = self.names if self.asked else self.names[:1]
        return figure(self.compared, self.ranking, pictured, self.labels, self.directions)


def digits(estimate: Estimate) -> tuple[str, str]:
    """Mean and standard error as text: two digits of the error, the mean to the same place."""
    mean, error = estimate.mean, estimate.error
    if error is None or math.isnan(mean):
        return f"{mean:.6g}", ""
    place = 1 - math.floor(math.log10(error)) if 0 < error < math.inf else -1
    if not 0 <= place <= 9 or abs(mean) >= 1e7:
        return f"{mean:.6g}", f" +- {error:.2g}"
    return f"{mean:.{place}f}", f" +- {error:.{place}f}"


def column(heading: str, estimates: list[Estimate | None]) -> list[str]:
    """A heading and its cells, equally wide, the signs below each other; None: empty."""
    pairs = [("", "") if estimate is None else digits(estimate) for estimate in estimates]
    left, right = (max(map(len, texts)) for texts in zip(*pairs, strict=True))
    cells = [f"{mean:>{left}}{error:<{right}}" for mean, error in pairs]
    wide = max(len(heading), left + right)
    return [f"{text:>{wide}}" for text in (heading, *cells)]


def fitting(columns: list[list[str]], labels: list[str], wide: int) -> int:
    """How many columns a terminal so wide has room for; one at least."""
    used, fit = max(map(len, labels)) + 5, 0
    for cells in columns:
        used += 2 + len(cells[0])
        if used > wide:
            break
        fit += 1
    return max(1, fit)


def aligned(title: str, labels: list[str], counts: Iterable[str], columns: list[list[str]]) -> str:
    """For the terminal."""
    first, counts = [title, *labels], ["n", *counts]
    wide, narrow = max(map(len, first)), max(3, *map(len, counts))
    rows = zip(first, counts, *columns, strict=True)
    return "\n".join(f"{row[0]:<{wide}}  {row[1]:>{narrow}}  {'  '.join(row[2:])}".rstrip() for row in rows)


def _differences(ranking: Ranking, place: int) -> list[float | None]:
    difference = ranking.differences.get(place)
    if difference is None:
        return [None] * 4
    half = ranking.half_width(place)
    return [difference.mean, difference.mean - half, difference.mean + half, ranking.p(place)]
