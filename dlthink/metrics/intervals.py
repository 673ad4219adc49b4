"""Pictures of predictions alone: means with their intervals, row by row, the lowest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlthink.style import PREDICTED, QUIET, canvas, quiet

MOST = 60  # rows of a picture
PERCENTS = {90: (1.2, 0.45), 50: (3.2, 0.55)}  # an interval of so many percent: how wide and how dark its line is

Ends = tuple[Tensor, Tensor]  # of an interval, lower and upper


def predictions(
    mean: Tensor, interval: Callable[[float], Ends] | None, known: dict, names: list[str]
) -> Iterator[tuple[str, Figure]]:
    """`intervals` of each target: (name of the file, picture).

    mean: [n, n_targets]; interval: of so many percent the ends of the central one, each of as many numbers as mean;
    None where the cost says a mean alone. known: {"row": int [n]}, how each row is called; without it, its number.
    names: of the targets, with their unit.
    """
    rows = known["row"].tolist() if "row" in known else list(range(1, len(mean) + 1))
    ends = {}
    for percent in PERCENTS if interval is not None else ():
        ends[percent] = [end.detach().cpu().view(mean.shape) for end in interval(percent)]
    for place, name in enumerate(names):
        own = {percent: (low[:, place], high[:, place]) for percent, (low, high) in ends.items()}
        picture = intervals(mean[:, place].detach().cpu(), own, rows, name)
        yield "predictions" if len(names) == 1 else f"predictions_{place + 1}", picture


@quiet()
def intervals(mean: Tensor, ends: dict[int, Ends], rows: list[int], name: str) -> Figure:
    """Of one target: mean, 50 % and 90 % intervals of at most 60 rows, evenly spread over the means.

    mean: [n]; ends: of each interval by its percents, [n] twice, nothing where no spread was predicted; rows: how each
    is called.
    """
    order = mean.argsort()
    order = order[mean[order].isfinite()]
    if len(order) > MOST:
        order = order[torch.linspace(0, len(order) - 1, MOST).round().long()]
    places = torch.arange(len(order))
    figure = canvas(max(4.6, min(9.5, 1.5 + 0.14 * len(order))), 3.8)
    ax = figure.subplots()
    for percent, both in ends.items():
        width, alpha = PERCENTS[percent]
        low, high = (end[order] for end in both)
        known = low.isfinite() & high.isfinite()
        if known.any():
            x, low, high = places[known], low[known], high[known]
            ax.vlines(x, low, high, color=PREDICTED, lw=width, alpha=alpha, label=f"{percent} %")
    ax.plot(places, mean[order], "o", ms=3.2, color=PREDICTED, mec="white", mew=0.5, label="mean")
    ax.set_xticks(places, [str(rows[i]) for i in order.tolist()], rotation=90, fontsize=6)
    ax.tick_params(axis="x", length=0)
    ax.set(xlabel="row of the table", ylabel=name, xlim=(-0.8, len(order) - 0.2))
    shown = f", {len(order)} of {len(mean):,} rows" if len(order) < len(mean) else ""
    ax.set_title(f"what is predicted, and how surely{shown}")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", ncols=3)
    if not ends:
        ax.text(0.98, 0.04, "no spread was predicted", transform=ax.transAxes, ha="right", fontsize=8, color=QUIET)
    return figure
