"""Two pictures of an embedding: how far apart the same person and different people are, and what a threshold costs."""

import math

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from dlthink.metrics.embeddings.verification import Rates
from dlthink.style import GROUPS, INK, PREDICTED, QUIET, TRUE, canvas, quiet

BINS = 80
MARKED = ((1e-3, "1e-3"), (1e-2, "1e-2"))  # FAR


@quiet()
def distances(rates: Rates, threshold: float) -> Figure:
    """Histograms of squared distances, each of area 1, with the stored threshold, else the one of FAR = 1e-2."""
    figure = canvas(5.4, 3.6)
    ax = figure.subplots()
    far = max([4.0, *(float(d[-1]) for d in (rates.same, rates.different) if len(d))])
    highest = max([0.5, *(float(d[-1]) for d in (rates.same, rates.different) if len(d))])
    edges = np.linspace(0, min(far, 1.04 * highest), BINS + 1)
    ax.set_xlim(0, edges[-1])
    tops = [1e-9]
    for d, colour, label in ((rates.different, TRUE, "different people"), (rates.same, PREDICTED, "same person")):
        if not len(d):
            continue
        density = np.histogram(d, edges)[0] / len(d) / (edges[1] - edges[0])
        tops.append(density.max())
        ax.stairs(density, edges, fill=True, color=colour, alpha=0.28, lw=0)
        ax.stairs(
            np.where(density > 0, density, np.nan),
            edges,
            color=colour,
            lw=1.2,
            baseline=None,
            label=f"{label} · {len(d):,} pairs",
        )
    words = "stored threshold"
    if math.isnan(threshold):
        threshold, words = rates.limit(1e-2), "threshold of FAR 1e-2"
    top = 1.45 * max(tops)
    if not math.isnan(threshold):
        share, val = rates.at(threshold)
        ax.plot((threshold, threshold), (0, 0.77 * top), color=INK, lw=0.9, ls=(0, (4, 2)))
        right = threshold > 0.6 * edges[-1]
        ax.annotate(
            f"{words} {threshold:.2f}\naccepts {_percent(val)} of the same person,\n{_percent(share)} of different",
            (threshold, 0.77 * top),
            xytext=(-4 if right else 4, 0),
            textcoords="offset points",
            ha="right" if right else "left",
            va="top",
            fontsize=8,
            color=QUIET,
        )
    ax.set(ylim=(0, top), yticks=[], xlabel="squared distance of two photos", ylabel="density")
    ax.spines["left"].set_visible(False)
    ax.set_title("are the same person near and different people far?")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper left", ncols=2, borderaxespad=0.2)
    return figure


@quiet()
def roc(rates: dict[str, Rates]) -> Figure:
    """VAL against FAR, FAR on a log axis from one pair in all; the first is the network's own."""
    figure = canvas(5.0, 4.2)
    ax = figure.subplots()
    colours = (PREDICTED, *GROUPS[2:])
    lowest = 1e-2
    for (name, one), colour in zip(rates.items(), colours, strict=False):
        if not one.defined:
            continue
        lowest = min(lowest, 1 / len(one.different))
        far, val = one.curve()
        own = colour == PREDICTED
        label = f"{name} · AUC {one.auc:.3f}"
        ax.plot(far, val, color=colour, label=label, lw=1.8 if own else 1.2, zorder=3 if own else 2)
        for at, _ in MARKED if own else ():
            value = one.val_at(at)
            if not math.isnan(value):
                ax.plot(at, value, "o", color=colour, ms=4.5, mec="white", mew=0.8, zorder=4)
                ax.annotate(
                    f"{value:.2f}", (at, value), xytext=(-5, 5), textcoords="offset points", ha="right", color=colour
                )
    lowest = max(lowest, 1e-6)
    chance = np.geomspace(lowest, 1, 200)
    ax.plot(chance, chance, color=QUIET, lw=0.8, zorder=0, label="chance")
    for at, _ in MARKED:
        if at > lowest:
            ax.axvline(at, color=QUIET, lw=0.5, ls=(0, (1, 3)), zorder=0)
    room = 0.075 * (len(ax.get_legend_handles_labels()[1]) + 1)  # a good network fills the corner of the legend
    ax.set(xscale="log", xlim=(lowest, 1), ylim=(0, 1.03 + room), yticks=np.linspace(0, 1, 6))
    ax.spines["left"].set_bounds(0, 1)
    ax.xaxis.set_major_locator(LogLocator(numticks=10))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: "1" if v == 1 else f"1e{round(math.log10(v))}"))
    ax.set(xlabel="FAR: different people accepted", ylabel="VAL: same person accepted")
    ax.set_title("what does a stricter threshold cost?")
    ax.legend(loc="upper left")
    return figure


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
