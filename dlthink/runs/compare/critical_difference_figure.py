"""Figure of critical differences: mean ranks on a line, bars under those that chance could have put apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from dlthink.runs.compare.comparison_figure import shortened
from dlthink.style import INK, PREDICTED, QUIET, TRUE, canvas, quiet

if TYPE_CHECKING:
    from dlthink.runs.compare.critical_difference import Ranks


@quiet()
def figure(found: Ranks) -> Figure:
    """Best on the left, names hung below; Nemenyi's critical difference above. Source: Demsar 2006, figure 1."""
    apart, order, k = found.critical_difference(), np.argsort(found.mean, kind="stable"), len(found.groups)
    cliques, half = found.cliques(apart), (k + 1) // 2
    drawn = canvas(7.0, 1.1 + 0.24 * (half + len(cliques)))
    axes = drawn.add_subplot()
    axes.set_xlim(1 - 0.02 * k, k + 0.02 * k)
    bottom = 0.6 * len(cliques) + half + 0.4
    axes.set_ylim(bottom, -1.6)
    axes.plot([1, k], [0, 0], color=INK, linewidth=0.8)
    for rank in range(1, k + 1):
        axes.plot([rank, rank], [0, -0.25], color=INK, linewidth=0.8)
        axes.annotate(f"{rank}", (rank, -0.35), ha="center", va="bottom", color=INK, fontsize=8)
    axes.plot([1, min(1 + apart, k)], [-1.3, -1.3], color=TRUE, linewidth=2)
    axes.annotate(f"  critical difference {apart:.2f}", (min(1 + apart, k), -1.3), va="center", color=TRUE, fontsize=8)
    for row, (low, high) in enumerate(cliques, start=1):
        axes.plot([low - 0.01 * k, high + 0.01 * k], [0.6 * row] * 2, color=PREDICTED, linewidth=3)
    for row, place in enumerate(order):
        left = row < half
        at, level = found.mean[place], 0.6 * len(cliques) + (row + 1 if left else k - row)
        end = 1 if left else k
        axes.plot([at, at, end], [0, level, level], color=QUIET, linewidth=0.7, zorder=1)
        axes.plot(at, 0, "o", color=INK, markersize=3)
        label = f"{shortened(found.groups[place])}  {at:.2f}"
        axes.annotate(
            label,
            (end, level),
            (-4 if left else 4, 0),
            textcoords="offset points",
            va="center",
            ha="right" if left else "left",
            annotation_clip=False,
        )
    axes.axis("off")
    return drawn
