"""Three pictures of how counts scatter: their PIT, their dispersion, and how often each count came."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from dlthink.metrics.counts.noise import LEVEL, Noise
from dlthink.style import FAINT, INK, PREDICTED, QUIET, canvas, quiet, written_out

BINS = 10  # of a PIT histogram
SHOWN = 3  # units: those whose PIT is farthest from uniform
GROUPS = 12  # of equally many predictions each
MOST_COUNTS, RARE = 30, 3e-4  # bars of counts; the share from which on one is drawn
LEVEL_NAMES, MOST_NAMES = 24, 60  # side by side, and upright


def three(noise: Noise, units: list[str], shown: dict[int, str], word: str = "unit") -> dict[str, Figure]:
    """pit, dispersion, counts; nothing of a distribution that does not say its variance.

    shown: titles of a few units by their places; word: what a unit is called.
    """
    if noise.variance.isnan().all() or not len(noise.k):
        return {}
    return {
        "pit": pit(noise, units, word),
        "dispersion": dispersion(noise, units, word),
        "counts": counts(noise, list(shown.values()), list(shown)),
    }


@quiet()
def pit(noise: Noise, units: list[str], word: str = "unit") -> Figure:
    """Histograms of the randomised PIT, of all units together and of those farthest from uniform.

    The band holds 95 of 100 bars of a uniform PIT. A hump: counts scatter less than predicted; a U: more; a slope: the
    mean is off.
    """
    worst = noise.pit_p.argsort()[:SHOWN].tolist() if len(units) > 1 else [0]
    panels = [(f"all {word}s" if len(units) > 1 else f"{word} {units[0]}", noise.pit.flatten())]
    panels += [(f"{word} {units[unit]}", noise.pit[:, unit]) for unit in worst] if len(units) > 1 else []
    figure = canvas(2.1 * len(panels) + 0.6, 2.4)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, u) in zip(axes, panels, strict=True):
        share = torch.histc(u, BINS, 0, 1) * BINS / max(1, len(u))
        wide = 1.96 * ((BINS - 1) / max(1, len(u))) ** 0.5
        ax.axhspan(1 - wide, 1 + wide, color=FAINT, alpha=0.6, lw=0)
        ax.stairs(share, np.linspace(0, 1, BINS + 1), fill=True, color=PREDICTED, alpha=0.85)
        ax.axhline(1, color=QUIET, lw=0.7)
        ax.set(title=title, xlim=(0, 1), xticks=(0, 0.5, 1), xlabel="PIT")
    axes[0].set_ylabel("density")
    passes = int((noise.pit_p >= LEVEL).sum())
    said = f"uniform where the distribution is right: {passes} of {len(units)} {word}s pass a KS test at 1 %"
    figure.suptitle(said, x=0.01, ha="left", size=9)
    return figure


@quiet()
def dispersion(noise: Noise, units: list[str], word: str = "unit") -> Figure:
    """Left: each unit's squared residuals over the predicted variance, and over the mean (what Poisson would say).

    Right: mean squared residual against predicted mean, in groups of like predictions of all units, beside the
    predicted variance and Poisson's. Whiskers are two standard errors, as if bins were independent.
    """
    squares, variance, mean = (noise.k - noise.mean).square(), noise.variance, noise.mean
    figure = canvas(9, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    order = (squares.sum(0) / mean.sum(0)).nan_to_num(0.0).argsort().tolist()
    own, plain = ((squares.sum(0) / of.sum(0))[order] for of in (variance, mean))
    error = (2 * squares.std(0, correction=0) * len(squares) ** 0.5 / variance.sum(0))[order]
    places = np.arange(len(order))
    left.axhline(1, color=QUIET, lw=0.7)
    left.plot(places, plain, "o", ms=4, mfc="white", mec=QUIET, label="over the mean (Poisson)")
    left.errorbar(places, own, error, fmt="o", ms=4, color=PREDICTED, elinewidth=1, label="over the predicted variance")
    few = len(order) <= MOST_NAMES
    left.set_xticks(places, [units[unit] for unit in order] if few else [""] * len(order))
    upright = len(units) > LEVEL_NAMES or max(map(len, units), default=0) > 2
    left.tick_params(axis="x", length=0, labelsize=6 if upright else 7, labelrotation=90 if upright else 0)
    left.set(xlabel=word if few else f"{len(order)} {word}s, sorted", ylabel="squared residuals")
    left.set_title("do counts scatter as predicted?")
    left.legend(loc="upper left")
    low, high = left.get_ylim()
    left.set_ylim(min(low, 0.6), max(high, 1.4) + 0.25 * (high - low))

    flat = mean.flatten()
    groups = [group for group in flat.argsort().tensor_split(GROUPS) if len(group)]
    x, seen, said = ([float(of.flatten()[g].mean()) for g in groups] for of in (mean, squares, variance))
    whisker = [2 * float(squares.flatten()[g].std(correction=0)) / len(g) ** 0.5 for g in groups]
    if min(x, default=0) > 0 and min(seen, default=0) > 0:
        right.set(xscale="log", yscale="log")
        whisker = [min(w, 0.9 * s) for w, s in zip(whisker, seen, strict=True)]
        written_out(right.xaxis, min(x), max(x))
        written_out(right.yaxis, min(seen), max(seen))
    right.plot(x, x, color=QUIET, lw=0.8, label="Poisson")
    right.plot(x, said, color=PREDICTED, label="predicted")
    right.errorbar(x, seen, whisker, fmt="o", ms=4, color=INK, elinewidth=1, label="counted")
    right.set(xlabel="predicted mean (counts per bin)", ylabel="variance", title="variance against mean")
    right.legend(loc="upper left")
    return figure


@quiet()
def counts(noise: Noise, titles: list[str], shown: list[int]) -> Figure:
    """How often each count came, and how often it was predicted, of a few units; roots, so that tails are seen.

    Whiskers are two standard deviations of a count that comes as often as predicted.
    """
    figure = canvas(9, 2.9)
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    n = max(1, len(noise.k))
    for ax, unit, title in zip(axes, shown, titles, strict=True):
        bars = np.arange(MOST_COUNTS + 1)
        seen = np.array([float((noise.k[:, unit] == k).double().mean()) for k in bars])
        said = noise.shares(unit, MOST_COUNTS).numpy()
        often = np.flatnonzero(np.maximum(seen, said) >= RARE)
        if not len(often):
            ax.text(0.5, 0.5, f"all above {MOST_COUNTS}", ha="center", va="center", transform=ax.transAxes)
            ax.set(xticks=[], yticks=[], title=title)
            continue
        bars = bars[: often[-1] + 1]
        seen, said = seen[bars], said[bars]
        error = 2 * np.sqrt(said * (1 - said) / n)
        ax.bar(bars, np.sqrt(seen), width=0.8, color=FAINT, label="counted")
        ends = np.sqrt(np.clip([said - error, said + error], 0, 1))
        ax.vlines(bars, *ends, color=PREDICTED, lw=1)
        ax.plot(bars, np.sqrt(said), "o", ms=3.5, color=PREDICTED, label="predicted")
        ticks = [share for share in (0.001, 0.01, 0.1, 0.3, 1.0) if share <= 1.3 * max(*seen, *said)]
        ax.set_yticks(np.sqrt(ticks), [f"{share:g}" for share in ticks])
        ax.set(xlabel="count", title=title)
    axes[0].set_ylabel("share of bins (root)")
    if axes[-1].has_data():
        axes[-1].legend(loc="upper right")
    return figure
