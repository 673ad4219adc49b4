"""Figure of curves: a metric along a setting with bands of 95 %, and how much of the setting each group is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from dlthink.runs.compare.comparison_figure import as_rows, shortened, with_arrow
from dlthink.style import GROUPS, INK, QUIET, canvas, quiet

if TYPE_CHECKING:
    from dlthink.runs.compare.curve import Curve
    from dlthink.runs.compare.paired_difference import Difference

WIDE = 4  # x that grows by more than this factor is drawn by its logarithm
# of an axis of factors, the coarsest of which two or more fit
MARKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100), (0.4, 0.6, 0.8, 1, 1.2, 1.5, 2), (0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2)
FEW = 6  # values of x of which each has its mark


@quiet()
def figure(some: Sequence[Curve], needs: dict[int, Difference | None], x: str, y: str, better: str | None) -> Figure:
    """Left the curves; right what each place that `needs` names wants beside the one that it does not, least first."""
    several = bool(needs)
    drawn = canvas(8.2 if several else 4.6, max(3.2, 0.27 * len(some) + 1.2))
    panels = drawn.subplots(1, 1 + several, squeeze=False, width_ratios=[1.2, 1][: 1 + several])[0]
    for place, curve in enumerate(some):
        color, band = GROUPS[place % len(GROUPS)], curve.band()
        style = ("-", "--", ":")[place // len(GROUPS) % 3]
        panels[0].plot(curve.x, [at.mean for at in band], style, marker="o", markersize=3.5, color=color)
        ends = [(at.mean - half, at.mean + half) for at in band if not math.isnan(half := at.half_width())]
        if len(ends) == len(curve.x):
            panels[0].fill_between(curve.x, *zip(*ends, strict=True), color=color, alpha=0.15, linewidth=0)
    panels[0].set_xlabel(x)
    panels[0].set_ylabel(with_arrow(y, better))
    _spread(panels[0], [at for curve in some for at in curve.x])
    if several:
        _worth(panels[1], some, needs, y)
    else:
        panels[0].legend([shortened(curve.label) for curve in some])
    return drawn


def _worth(panel, some: Sequence[Curve], needs: dict[int, Difference | None], y: str) -> None:
    panel.axvline(1, color=QUIET, linewidth=0.7)
    reference = next(place for place in range(len(some)) if place not in needs)
    order = [reference, *sorted(needs, key=lambda place: math.inf if needs[place] is None else needs[place].mean)]
    for row, place in enumerate(order):
        color, known = GROUPS[place % len(GROUPS)], needs.get(place)
        if known is None:
            text = "" if place == reference else "nothing in common"
            panel.plot(1, row, "D", color=color, markersize=4, alpha=float(place == reference))
            panel.annotate(text, (1, row), (4, 0), textcoords="offset points", va="center", color=QUIET, fontsize=8)
            continue
        half = known.half_width()
        if not math.isnan(half):
            panel.plot([math.exp(known.mean - half), math.exp(known.mean + half)], [row, row], color=color)
        panel.plot(math.exp(known.mean), row, "o", color=color, markersize=5)
    as_rows(panel, len(order))
    panel.set_yticks(range(len(order)), [shortened(some[place].label) for place in order], color=INK)
    panel.set_xscale("log")
    low, high = panel.get_xlim()
    marks = ([mark for mark in each if low <= mark <= high] for each in MARKS)
    _mark(panel, next((some for some in marks if len(some) > 1), [1]))
    panel.set_xlabel(f"needs so many times as much\nfor the same {y}")


def _spread(panel, x: list[float]) -> None:
    """A logarithmic axis, where the values ask for one; marks where they are, unless there are many side by side."""
    wide = min(x) > 0 and max(x) > WIDE * min(x)
    if wide:
        panel.set_xscale("log")
    if wide or len({*x}) <= FEW:
        _mark(panel, sorted({*x}))


def _mark(panel, x: list[float]) -> None:
    """Plain numbers at these places alone, in place of powers of ten."""
    panel.xaxis.set_major_locator(FixedLocator(x))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.xaxis.set_minor_locator(NullLocator())
