"""Filters of a linear network drawn: how much each input weighs at each moment of the window."""

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from dlthink.style import FAINT, GROUPS, QUIET, canvas, quiet

MOST_TARGETS, MOST_INPUTS = 9, 5


@quiet()
def filters(weights: Tensor, inputs: list[str], lags: list[float], targets: list[str]) -> Figure:
    """weights [targets, window, inputs]: of up to nine targets, evenly chosen, the five inputs of largest norm.

    An input has one colour everywhere, where there are as many.
    """
    shown = np.unique(np.linspace(0, len(weights) - 1, MOST_TARGETS).round().astype(int))
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = canvas(3.6 * columns, 2.5 * rows)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True).flatten()
    for ax, target in zip(axes, shown, strict=False):
        own = weights[target].double().numpy()
        ax.axhline(0, color=FAINT, lw=0.8, zorder=0)
        largest = np.argsort(-np.linalg.norm(own, axis=0), kind="stable")[:MOST_INPUTS]
        single = {"marker": "o", "ms": 4} if len(lags) == 1 else {}
        colors = largest if len(inputs) <= len(GROUPS) else range(len(largest))
        for color, column in zip(colors, largest, strict=True):
            ax.plot(lags, own[:, column], color=GROUPS[color], lw=1.2, label=_short(inputs[column]), **single)
        ax.set_title(_short(targets[target]))
        ax.legend(fontsize=7, handlelength=1.0, loc="best")
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    figure.supxlabel("seconds from the present bin", fontsize=9, color=QUIET)
    figure.supylabel("weight, per training std of the input", fontsize=9, color=QUIET)
    return figure


def _short(name: str, most: int = 24) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
