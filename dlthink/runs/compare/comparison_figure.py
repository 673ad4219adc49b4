"""Figure of a comparison: groups of runs, best on top, with their scores and paired differences and 95 % intervals."""

from __future__ import annotations

import math
import textwrap

import numpy as np
from matplotlib.figure import Figure

from dlthink.runs.compare.comparison import Comparison, direction
from dlthink.runs.compare.paired_difference import over_runs
from dlthink.runs.compare.ranking import Ranking
from dlthink.runs.compare.verdict import basis, intervals
from dlthink.style import FAINT, INK, PREDICTED, QUIET, canvas, quiet

MOST = 4  # scores side by side
LONG, NARROW = 44, 34  # letters of a label, and of a line below a panel
ARROWS = {"max": "  better →", "min": "← better  ", None: ""}


@quiet()
def figure(
    compared: Comparison, ranking: Ranking, names: list[str], labels: list[str], directions: dict[str, str]
) -> Figure:
    """A panel for each score: a stroke a run, the mean with its interval over repetitions (Student's t). One more for
    the differences of `ranking`, with intervals corrected as p is: filled where 0 lies outside, beyond doubt."""
    names, order = names[:MOST], ranking.order
    height = 0.27 * len(order) + 1.1
    drawn = canvas(2.4 + 2.6 * (len(names) + 1), height)
    panels = drawn.subplots(1, len(names) + 1, sharey=True, squeeze=False)[0]
    groups = list(compared.groups.values())
    for panel, name in zip(panels, names, strict=False):
        values = [[run.numbers.get(name, math.nan) for run in groups[place].values()] for place in order]
        _scores(panel, values)
        panel.set_xlabel(with_arrow(name, direction(name, directions)))
    _differences(panels[-1], ranking, labels)
    for panel in panels:
        as_rows(panel, len(order))
        panel.locator_params(axis="x", nbins=4)
        panel.set_axisbelow(True)
    panels[0].set_yticks(range(len(order)), [shortened(labels[place]) for place in order])
    return drawn


def _scores(panel, values: list[list[float]]) -> None:
    for row, runs in enumerate(values):
        known = over_runs(runs)
        half = known.half_width()
        if not math.isnan(half):
            panel.plot([known.mean - half, known.mean + half], [row, row], color=PREDICTED)
        panel.plot(runs, np.full(len(runs), row), "|", color=INK, markersize=8, markeredgewidth=0.8, zorder=4)
        panel.plot(known.mean, row, "o", color=PREDICTED, markersize=5, zorder=3)


def _differences(panel, ranking: Ranking, labels: list[str]) -> None:
    panel.axvline(0, color=QUIET, linewidth=0.7)
    for row, place in enumerate(ranking.order):
        known = ranking.differences.get(place)
        if place == ranking.reference or known is None or math.isnan(known.mean):
            continue
        half, sure = ranking.half_width(place), ranking.beyond_doubt(place)
        if not math.isnan(half):
            panel.plot([known.mean - half, known.mean + half], [row, row], color=PREDICTED)
        panel.plot(known.mean, row, "o", color=PREDICTED, markerfacecolor=PREDICTED if sure else "white", markersize=5)
    panel.plot(0, ranking.order.index(ranking.reference), "D", color=INK, markersize=4)
    to = "\n".join(textwrap.wrap(f"minus that of {shortened(labels[ranking.reference])}", NARROW))
    panel.set_xlabel(f"{with_arrow(ranking.name, ranking.direction)}\n{to}")
    said = [basis(ranking), intervals(ranking), "filled: beyond doubt; hollow: not"]
    panel.set_title("\n".join(filter(None, said)), color=QUIET, fontsize=8)


def as_rows(panel, rows: int) -> None:
    """A row for each group, the first on top."""
    panel.set_ylim(rows - 0.5, -0.5)
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set_visible(False)
    panel.grid(axis="y", color=FAINT, linewidth=0.5)


def with_arrow(name: str, better: str | None) -> str:
    """The label of an axis, and which way is better."""
    return f"{name}{ARROWS['max']}" if better == "max" else f"{ARROWS[better]}{name}"


def shortened(text: str, most: int = LONG) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
