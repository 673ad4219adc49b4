"""Three pictures of predicted counts: in time, against what was counted, and unit by unit.

All take means, counts and truth in counts per bin, [n, n_targets] in float64 on the CPU; `bin` is in seconds.
"""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlthink.style import FAINT, PREDICTED, QUIET, TRUE, canvas, quiet, written_out

SECONDS = 20.0  # of contiguous bins are shown ...
MOST_BINS = 500  # ... or fewer seconds, where bins are so short that a line over them could not be read
HEADROOM = 2.5
BINS_OF_A_RATE = 9
MOST_NAMES = 60  # under the bars
ENDLESS = -1e9  # bits/spike, as far as a bar is drawn
GROUPS = 20  # of equally many predictions each, in the calibration


@quiet()
def rate(
    mean: Tensor,
    k: Tensor,
    titles: list[str],
    bin: float,
    true: Tensor | None = None,
    time: Tensor | None = None,
) -> Figure:
    """Predicted rate over the counts of a few units, one below the other, where these fire most.

    Counts are bars in spikes/s. Those beyond `HEADROOM` times the highest rate (predicted, true, or counted
    over `BINS_OF_A_RATE` bins) leave the picture at the top: a lone spike in a short bin is a tall bar,
    beside which the rate would be a flat line.
    time: [n], the centre of each bin in seconds; without it all bins are taken to be contiguous.
    """
    time = bin * (torch.arange(len(k), dtype=k.dtype) + 0.5) if time is None else time
    length = min(MOST_BINS, max(1, round(SECONDS / bin)))
    span = _liveliest(k, length, time, bin)
    centres = time[span]
    edges = torch.cat([centres - bin / 2, centres[-1:] + bin / 2])

    figure = canvas(9, 0.7 + 1.75 * len(titles))
    axes = figure.subplots(len(titles), 1, sharex=True, squeeze=False)[:, 0]
    for unit, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        counted, predicted = k[span, unit] / bin, mean[span, unit] / bin
        predicted = predicted.where(predicted.isfinite(), torch.nan)  # nothing is drawn there
        spells = counted.unfold(0, min(BINS_OF_A_RATE, len(counted)), 1).mean(1)
        highest = float(torch.cat([predicted[predicted.isfinite()], spells]).max())
        ax.stairs(counted, edges, fill=True, color=FAINT, label="counted")
        if true is not None:
            ax.plot(centres, true[span, unit] / bin, color=TRUE, lw=1.0, label="true rate")
            highest = max(highest, float(true[span, unit].max()) / bin)
        ax.plot(centres, predicted, color=PREDICTED, label="predicted rate")
        ax.set_title(title)
        ax.set_xlim(float(edges[0]), float(edges[-1]))
        ax.set_ylim(0, max(1.1 * highest, min(1.05 * float(counted.max()), HEADROOM * highest)) or 1.0)
        ax.set_ylabel("spikes/s")
    axes[-1].set_xlabel("time after the beginning (s)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figure


@quiet()
def calibration(mean: Tensor, k: Tensor, bin: float, unit: str = "spikes/s") -> Figure:
    """Mean count against mean predicted rate in groups of equally many predictions, all units together.

    Whiskers are two standard errors each way, as if bins were independent. On the diagonal a rate can be
    believed. Predictions that are not finite are left out.
    """
    finite = mean.isfinite()
    lost, mean, k = int((~finite).sum()), mean[finite], k[finite]
    groups = [group for group in mean.argsort().tensor_split(GROUPS) if len(group)]
    predicted = [float(mean[group].mean()) / bin for group in groups]
    counted = [float(k[group].mean()) / bin for group in groups]
    error = [2 * float(k[group].std(correction=0)) / len(group) ** 0.5 / bin for group in groups]

    figure = canvas(4.6, 4.6)
    ax = figure.subplots()
    low, high = min(predicted + counted, default=0.0), max(predicted + counted, default=0.0)
    if low > 0 and high > 20 * low:
        limits = (low / 1.5, high * 1.5)
        ax.set(xscale="log", yscale="log")
        for axis in (ax.xaxis, ax.yaxis):
            written_out(axis, low, high)
    else:
        limits = (0.0, high * 1.15 or 1.0)
    ax.plot(limits, limits, color=QUIET, lw=0.8, zorder=0)
    ax.errorbar(predicted, counted, error, fmt="o", ms=4.5, mec="white", mew=0.6, elinewidth=1)
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    ax.set(xlabel=f"predicted ({unit})", ylabel=f"counted ({unit})", title="can the rate be believed?")
    note = f"{len(groups)} groups of {len(mean) // GROUPS or 1:,} predictions\n± 2 standard errors"
    note += f"\n{lost:,} not finite left out" if lost else ""
    ax.text(0.97, 0.04, note, transform=ax.transAxes, ha="right", fontsize=8, color=QUIET)
    return figure


@quiet()
def bits_per_spike(bits: Tensor, units: list[str], oracle: Tensor | None = None) -> Figure:
    """A bar for each unit that fires, the best first; a mark where the true rate would stand.

    A bar more than `HEADROOM` times as far below zero as the best is above (at least 0.5) leaves the picture, as one
    without end does.
    """
    fires = _ranked(bits)
    places = np.arange(len(fires))
    heights = bits[fires].clamp(min=ENDLESS).numpy()

    figure = canvas(max(4.6, min(9.0, 1.2 + 0.16 * len(fires))), 3.2)
    ax = figure.subplots()
    ax.bar(places, heights, width=0.72, color=PREDICTED, label="predicted rate")
    if oracle is not None:
        marks = oracle[fires].numpy()
        ax.hlines(marks, places - 0.42, places + 0.42, color=TRUE, label="true rate")
        ax.legend(loc="upper right")
        heights = np.concatenate([heights, marks])
    ax.axhline(0, color=QUIET, lw=0.7)
    ax.spines["bottom"].set_visible(False)
    if fires:
        high = max(0.0, float(heights.max()))
        low = max(min(0.0, float(heights.min())), -HEADROOM * max(high, 0.5))
        ax.set_ylim(1.12 * low, 1.12 * high or 0.1)
    room = max(0, 8 - len(fires)) / 2  # few bars stay bars, not walls
    ax.set_xlim(-0.8 - room, len(fires) - 0.2 + room)
    named = len(fires) <= MOST_NAMES
    names = [units[unit] if named else "" for unit in fires]
    ax.set_xticks(places, names)
    upright = max(map(len, names), default=0) <= 2
    ax.tick_params(axis="x", length=0, labelsize=7, labelrotation=0 if upright else 90)
    ax.set(xlabel="unit" if named else f"{len(fires)} units, sorted", ylabel="bits/spike")
    silent = len(bits) - len(fires)
    ax.set_title("gain over the mean rate, unit by unit" + (f" ({silent} silent left out)" if silent else ""))
    return figure


def titled(word: str, unit: str, bits: Tensor) -> str:
    score = "no spike in these bins" if bits.isnan() else f"{_tidy(bits)} bits/spike"
    return f"{word} · unit {unit} · {score}"


def best_median_worst(bits: Tensor) -> list[tuple[str, int]]:
    """(word, unit), the best first; fewer than three when fewer fire; the first unit when none does."""
    ranked = _ranked(bits)
    if not ranked:
        return [("silent", 0)]
    if len(ranked) == 1:
        return [("only", ranked[0])]
    three = [("best", ranked[0]), ("median", ranked[len(ranked) // 2]), ("worst", ranked[-1])]
    return three if len(ranked) > 2 else three[::2]


def _ranked(bits: Tensor) -> list[int]:
    """The units that fire, the best first, one whose prediction is not finite last."""
    fires = (~bits.isnan()).nonzero()[:, 0]
    return fires[bits[fires].argsort(descending=True)].tolist()


def _tidy(x: Tensor) -> str:
    return f"{round(float(x), 2) + 0.0:.2f}" if abs(x) < 1e4 else f"{float(x):.2g}"  # no -0.00


def _liveliest(k: Tensor, length: int, time: Tensor, bin: float) -> slice:
    """The unbroken stretch of `length` bins, fewer if none is so long, in which these units fire most.

    k: [n, units]; each unit weighs the same. `length` is halved until there is one.
    """
    length = min(length, len(k))
    weighed = (k / k.sum(0).clamp(min=1)).sum(1)
    total = torch.cat([weighed.new_zeros(1), weighed.cumsum(0)])
    last = length - 1
    unbroken = time[last:] - time[: len(time) - last] < (last + 0.5) * bin
    if not unbroken.any():
        return _liveliest(k, length // 2, time, bin)
    start = int((total[length:] - total[:-length]).where(unbroken, -1.0).argmax())
    return slice(start, start + length)
