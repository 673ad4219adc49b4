"""A picture of predictions alone: means with their intervals, row by row, the lowest first."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure

from dlthink.metrics.reals.forecast import Forecast
from dlthink.style import PREDICTED, QUIET, canvas, quiet

MOST = 60  # rows of a picture


@quiet()
def intervals(own: Forecast, rows: list[int], name: str, unit: str) -> Figure:
    """Of one target: mean, 50 % and 90 % intervals of at most 60 rows, evenly spread over the means.

    own: [rows]; rows: how each is called, such as its number in the file.
    """
    order = own.mean.argsort()
    order = order[own.mean[order].isfinite()]
    if len(order) > MOST:
        order = order[torch.linspace(0, len(order) - 1, MOST).round().long()]
    places = torch.arange(len(order))
    figure = canvas(max(4.6, min(9.5, 1.5 + 0.14 * len(order))), 3.8)
    ax = figure.subplots()
    for percent, width, alpha in ((90, 1.2, 0.45), (50, 3.2, 0.55)):
        low, high = (end[order] for end in own.interval(percent))
        known = low.isfinite() & high.isfinite()
        if known.any():
            x, low, high = places[known], low[known], high[known]
            ax.vlines(x, low, high, color=PREDICTED, lw=width, alpha=alpha, label=f"{percent} %")
    ax.plot(places, own.mean[order], "o", ms=3.2, color=PREDICTED, mec="white", mew=0.5, label="mean")
    ax.set_xticks(places, [str(rows[i]) for i in order.tolist()], rotation=90, fontsize=6)
    ax.tick_params(axis="x", length=0)
    ax.set(xlabel="row of the table", ylabel=f"{name} ({unit})" if unit else name, xlim=(-0.8, len(order) - 0.2))
    shown = f", {len(order)} of {len(own):,} rows" if len(order) < len(own) else ""
    ax.set_title(f"what is predicted, and how surely{shown}")
    ax.legend(loc="upper left")
    if not own.spreads:
        ax.text(0.98, 0.04, "no spread was predicted", transform=ax.transAxes, ha="right", fontsize=8, color=QUIET)
    return figure
