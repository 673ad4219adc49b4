"""Pictures of the audit: one threshold in each group, with masks, and under attack."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from dlthink.metrics.embeddings.figures import roc
from dlthink.metrics.embeddings.photo_figures import look, shown
from dlthink.metrics.embeddings.verification import Rates
from dlthink.style import INK, PREDICTED, QUIET, TRUE, canvas, quiet


@quiet()
def groups(numbers: dict[str, float], groups: list[str]) -> Figure:
    """VAL and FAR of each group with their intervals, at one threshold; dotted: FAR of all together."""
    figure = canvas(6.4, 0.34 * len(groups) + 1.5)
    figure.suptitle("everybody at one threshold; dotted: its false accept rate over all", x=0.01, ha="left", fontsize=9)
    left, right = figure.subplots(1, 2, sharey=True)
    at = np.arange(len(groups))
    for ax, name, colour in ((left, "val", PREDICTED), (right, "far", TRUE)):
        value, low, high = (np.array([numbers[f"{name}_{g}{e}"] for g in groups]) for e in ("", "_low", "_high"))
        ax.hlines(at, low, high, color=colour, lw=2.2, alpha=0.4)
        ax.plot(value, at, "o", color=colour, ms=5)
        ratio = numbers[f"{name}_ratio"]
        if np.isfinite(ratio):
            span = f" ({numbers[f'{name}_ratio_low']:.2f} to {numbers[f'{name}_ratio_high']:.2f})"
            ax.text(1, 1.02, f"largest / smallest {ratio:.2f}{span}", transform=ax.transAxes, ha="right", fontsize=8)
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.4g} %"))
    left.set(ylim=(len(groups) - 0.5, -0.5), yticks=at, yticklabels=[g.replace("_", " ") for g in groups])
    left.set_xlabel("VAL: same person accepted")
    right.axvline(0.01, color=QUIET, lw=0.8, ls=(0, (1, 3)), zorder=0)
    right.set_xlim(0, None)
    right.set_xlabel("FAR: different people accepted")
    for ax in (left, right):
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    return figure


def masked(curves: dict[str, Rates], numbers: dict[str, float]) -> Figure:
    """ROC of a masked probe against unmasked photos, beside the one without masks."""
    figure = roc(curves)
    low, high = numbers["val_at_far_1e-2_difference_low"], numbers["val_at_far_1e-2_difference_high"]
    words = f"with a mask minus without, VAL at FAR 1e-2: {numbers['val_at_far_1e-2_difference']:+.3f}"
    figure.axes[0].set_title(f"{words} ({low:+.3f} to {high:+.3f})", fontsize=9, loc="left", color=INK)
    return figure


@quiet()
def robustness(numbers: dict[str, float], examples: dict[str, Any]) -> Figure:
    """Success against the size of the change; below, a photo, the changed one, the change, who it should pass for."""
    figure = canvas(7.0, 5.0)
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 0.9], hspace=0.03)
    ax = top.subplots()
    for goal, colour, words in (
        ("dodging", PREDICTED, "dodging: no longer accepted as oneself"),
        ("impersonation", TRUE, "impersonation: accepted as somebody else"),
    ):
        sizes = [int(k.rsplit("_", 1)[1]) for k in numbers if k.startswith(goal) and not k.endswith(("_low", "_high"))]
        value, low, high = (np.array([numbers[f"{goal}_{s}{e}"] for s in sizes]) for e in ("", "_low", "_high"))
        ax.fill_between(sizes, low, high, color=colour, alpha=0.15, lw=0)
        ax.plot(sizes, value, "o-", color=colour, ms=4.5, label=words)
        ax.set(xscale="log", xticks=sizes, xlim=(sizes[0] * 0.93, sizes[-1] * 1.07))
        ax.set_xticklabels([f"{s}/255" for s in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g} %"))
    ax.set(ylim=(-0.02, 1.45), yticks=(0, 0.5, 1), ylabel="success")
    ax.set_xlabel("largest change of any pixel (of its range)")
    ax.set_title("how little does it take to be taken for nobody, or for somebody else?")
    ax.legend(loc="upper left", ncols=1)
    _pictures(bottom, examples, f"{sizes[-1]}/255")
    return figure


def _pictures(part, examples: dict[str, Any], size: str) -> None:
    x, changed, victim = (_bytes(v) for v in (examples["x"], examples["impersonation"]["x"], examples["victim"]))
    change = _bytes(10 * (examples["impersonation"]["x"] - examples["x"]))
    part.suptitle(f"{size} towards somebody else", x=0.01, ha="left", fontsize=9)
    grid = part.subplots(len(x), 4, squeeze=False) if len(x) < 3 else part.subplots(2, 8, squeeze=False)
    cells = grid.reshape(-1, 4)
    for ax in grid.ravel():
        ax.axis("off")
    before, after = (examples["impersonation"][k].tolist() for k in ("before", "d"))
    for row, a, b, c, v, d0, d1 in zip(cells, x, changed, change, victim, before, after, strict=False):
        words = (
            f"photo {d0:.2f}",
            f"changed {d1:.2f}",
            "change x 10",
            "passes for" if d1 < examples["limit"] else "fails",
        )
        for ax, picture, word in zip(row, (a, b, c, v), words, strict=True):
            look(ax, shown(picture))
            ax.set_title(word, fontsize=8, loc="center", pad=2.5, color=_colour(word))


def _colour(word: str) -> str:
    return TRUE if word == "passes for" else QUIET


def _bytes(x) -> np.ndarray:
    """[-1, 1] -> uint8."""
    return ((x.numpy() + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
