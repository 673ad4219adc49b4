"""Four pictures of estimates with uncertainty: against what was measured, and whether the spread can be believed."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from torch import Tensor

from dlthink.metrics.reals.forecast import Forecast, miscalibration_area, observed
from dlthink.metrics.reals.risk_coverage import risk
from dlthink.style import GROUPS, INK, PREDICTED, QUIET, TRUE, canvas, quiet

SPREAD = LinearSegmentedColormap.from_list("spread", ["#c4d8eb", "#74a9d8", "#5f6fc0", "#9a3f8f", "#6b1040"])
MOST_POINTS = 4000
MOST_PANELS = 6
FIRST = 0.01  # coverage from which risk is drawn: before it, a few rows make it jump
FAR_ABOVE = 3.0  # times the MAE: a line that lies there all along is told in the legend, and sets no scale
WIDEST = 8.0  # standard deviations in the histogram; what lies beyond is counted in its last bars
TAILS = ((3, "0.27 %"), (6, "2e-7 %"))  # standard deviations, and what a normal variable has beyond them


@quiet()
def measured(own: Forecast, units: list[str], target: str = "measured", names: list[str] | None = None) -> Figure:
    """Predicted against measured, the least certain on top; up to `MOST_POINTS` rows, evenly over the spreads.

    Where targets have names, each has a picture in its own units, up to `MOST_PANELS` of them.
    """
    names = list(names or [""])
    shown = [own.only(own.target == place) for place in range(min(len(names), MOST_PANELS))] if names[1:] else [own]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = canvas(5.4 * columns, 4.6 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for place, (ax, part) in enumerate(zip(axes, shown, strict=False)):
        _measured(figure, ax, part, units[place % len(units)], target, names[place])
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    if len(names) > len(shown):
        figure.supxlabel(f"{len(shown)} of {len(names)} targets shown", fontsize=8, color=QUIET)
    return figure


def _measured(figure: Figure, ax: Axes, own: Forecast, unit: str, target: str, name: str) -> None:
    """One picture of it, of one target or of all that have no name."""
    known = (own.mean.isfinite() & own.y.isfinite()).nonzero()[:, 0]
    rows = known[own.std[known].nan_to_num(0.0).argsort(stable=True)]
    if len(rows) > MOST_POINTS:
        rows = rows[torch.linspace(0, len(rows) - 1, MOST_POINTS).round().long()]
    y, mean, std = own.y[rows], own.mean[rows], own.std[rows]
    low, high = _limits(own.y[known], own.mean[known])
    ax.plot((low, high), (low, high), color=QUIET, lw=0.8, zorder=0)
    look = {"s": 9, "lw": 0, "rasterized": True}
    if bool((std > 0).any()):
        norm = _norm(own.std)
        ax.scatter(y, mean, c=std.nan_to_num(norm.vmax), cmap=SPREAD, norm=norm, **look)
        spread_bar(figure, ax, norm, unit)
    else:
        ax.scatter(y, mean, color=PREDICTED, alpha=0.5, **look)
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    ax.set(xlabel=_with(f"{name}, {target}" if name else target, unit), ylabel=_with("predicted", unit))
    asked = f"{name}: is it right?" if name else "is it right?"
    ax.set_title(f"{asked} · MAE {_short(own.error[known].abs().mean())} {unit}".rstrip())
    beyond = ((own.mean[known] < low) | (own.mean[known] > high)).sum()
    notes = [f"{int(beyond):,} predicted beyond this picture"] if beyond else []
    if len(known) < len(own):
        notes.append(f"{len(own) - len(known):,} not finite, left out")
    if len(known) > MOST_POINTS:
        notes.append(f"{MOST_POINTS:,} of {len(known):,} shown")
    ax.text(0.97, 0.04, "\n".join(notes), transform=ax.transAxes, ha="right", fontsize=8, color=QUIET)


@quiet()
def calibration(own: Forecast, baselines: dict[str, Forecast], names: list[str] | None = None) -> Figure:
    """Observed against nominal share of central intervals; on the diagonal an interval can be believed.

    Of several targets with names each has a dotted line of its own, where colours reach.
    """
    figure = canvas(4.6, 4.6)
    ax = figure.subplots()
    ax.plot((0, 1), (0, 1), color=QUIET, lw=0.8, zorder=0)
    for name, forecast, colour in _named(own, baselines):
        nominal, inside = observed(forecast.depth)
        if inside.isnan().any():
            continue
        label = f"{name} · area {miscalibration_area(forecast.depth):.3f}"
        ax.plot(nominal, inside, color=colour, label=label, zorder=3 if forecast is own else 2)
        if forecast is own:
            ax.fill_between(nominal, nominal, inside, color=colour, alpha=0.15, lw=0)
    colours = GROUPS[2 + len(baselines) :] if len(names or []) > 1 else ()
    for place, (name, colour) in enumerate(zip(names or [], colours, strict=False)):
        nominal, inside = observed(own.depth[own.target == place])
        if not inside.isnan().any():
            ax.plot(nominal, inside, color=colour, ls=":", label=name)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title="can the intervals be believed?")
    ax.set(xlabel="nominal share of the interval", ylabel="observed share inside")
    ax.text(0.04, 0.60, "too wide", transform=ax.transAxes, fontsize=8, color=QUIET)
    ax.text(0.97, 0.40, "too narrow", transform=ax.transAxes, fontsize=8, color=QUIET, ha="right")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper left")
    if not own.spreads:
        ax.text(0.5, 0.1, "no spread was predicted", transform=ax.transAxes, ha="center", color=QUIET)
    return figure


@quiet()
def risk_coverage(own: Forecast, baselines: dict[str, Forecast], unit: str) -> Figure:
    """MAE of the most confident share; between the flat line of chance and the oracle that knows each error."""
    figure = canvas(5.4, 4.0)
    ax = figure.subplots()
    heights = []
    error = own.error[own.error.isfinite()]
    lines = [(name, f.error, f.std, {"color": colour}) for name, f, colour in _named(own, baselines)]
    lines = [line for line in lines if not line[2].isnan().all()]  # who says no spread, ranks nothing
    lines += [
        ("random order", error, torch.ones_like(error), {"color": QUIET, "lw": 0.9}),
        ("oracle: by its own errors", error, error.abs(), {"color": TRUE, "lw": 0.9}),
    ]
    most = FAR_ABOVE * float(error.abs().mean())
    for name, error, std, look in lines:
        usable = error.isfinite()
        risks = risk(error[usable], std[usable])
        if not len(risks):
            continue
        k = torch.linspace(max(1, FIRST * len(risks)), len(risks), 300).ceil().long().unique()
        zorder, above = 3 if name == "predicted spread" else 2, bool(risks[k - 1].min() > most)
        label = f"{name} · {_short(risks.mean())}" + (" (above)" if above else "")
        ax.plot(100 * k / len(risks), risks[k - 1], label=label, zorder=zorder, **look)
        if not above:  # or the lines that matter would lie on the floor
            heights.append(float(np.quantile(risks[k - 1], 0.99)))
    ax.set(xlim=(0, 100), ylim=(0, 1.75 * max(heights, default=1.0) or 1.0))
    ax.set(xlabel="most confident rows (%)", ylabel=_with("their MAE", unit))
    ax.set_title("does it know where it is right?")
    if heights:
        ax.legend(title="mean over all shares (AURC)", title_fontsize=8, alignment="left", loc="upper left")
    return figure


@quiet()
def residuals(own: Forecast, target: str = "measured") -> Figure:
    """Histogram of (y - mean) / std beside N(0, 1), density on a log axis; in units of the RMSE without a std."""
    figure = canvas(5.4, 4.0)
    ax = figure.subplots()
    given = bool((own.std > 0).any())
    z = own.error / (own.std if given else (own.error**2).mean().sqrt())
    finite = z[z.isfinite()]
    edges = np.linspace(-WIDEST, WIDEST, 65)
    share = np.histogram(finite.clamp(-WIDEST, WIDEST), edges)[0] / max(1, len(finite)) / (edges[1] - edges[0])
    ax.stairs(share, edges, fill=True, color=PREDICTED, alpha=0.35, lw=0)
    ax.stairs(np.where(share > 0, share, np.nan), edges, color=PREDICTED, lw=1.0, baseline=None, label="observed")
    at = np.linspace(-WIDEST, WIDEST, 400)
    ax.plot(at, np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi), color=INK, lw=0.9, label="N(0, 1), to compare")
    floor = 0.3 / max(30, len(finite)) / (edges[1] - edges[0])  # below one row in a bar
    ax.set(yscale="log", xlim=(-WIDEST, WIDEST), ylim=(floor, 8 * max(0.4, share.max())))
    ax.set_xlabel(f"({target} - predicted) / " + ("predicted std" if given else "RMSE"))
    ax.set(ylabel="density", title="residuals in units of the spread")
    beyond = [f"beyond ±{k}: {_percent((finite.abs() > k).double().mean())} (normal: {g})" for k, g in TAILS]
    if len(finite) < len(z):
        beyond.append(f"{len(z) - len(finite):,} not finite, left out")
    ax.text(0.03, 0.97, "\n".join(beyond), transform=ax.transAxes, va="top", fontsize=8, color=QUIET)
    ax.legend(loc="upper right")
    return figure


def spread_bar(figure: Figure, ax, norm: Normalize, unit: str) -> None:
    """The colour bar of a spread, in plain numbers."""
    shrink = min(0.8, 3.2 / figure.get_figheight())
    bar = figure.colorbar(
        ScalarMappable(norm, SPREAD), ax=ax, label=_with("std", unit), aspect=30, pad=0.02, shrink=shrink
    )
    bar.outline.set_visible(False)
    if isinstance(norm, LogNorm):
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if norm.vmax < 100 * norm.vmin else (1,)))
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.yaxis.set_minor_formatter("")


def _norm(std: Tensor) -> LogNorm:
    """From the 1st to the 99th percentile of the spreads that are positive and finite."""
    usable = std[(std > 0) & std.isfinite()]
    low, high = np.quantile(usable, [0.01, 0.99]).tolist() if len(usable) else (1.0, 1.0)
    return LogNorm(low, high, clip=True) if high > 1.02 * low else LogNorm(low / 1.5, low * 1.5, clip=True)


def _limits(y: Tensor, mean: Tensor) -> tuple[float, float]:
    """All that was measured and nearly all that was predicted."""
    if not len(y):
        return 0.0, 1.0
    inner = np.quantile(mean, [0.002, 0.998])
    span = float(y.max() - y.min()) or 1.0  # a wild prediction must not squeeze what was measured
    low = max(float(min(y.min(), inner[0])), float(y.min()) - span)
    high = min(float(max(y.max(), inner[1])), float(y.max()) + span)
    room = 0.03 * (high - low) or 1.0
    return low - room, high + room


def _named(own: Forecast, baselines: dict[str, Forecast]) -> list[tuple[str, Forecast, str]]:
    """(name, forecast, colour), the network's first; blue is its own and orange the truth's."""
    return [("predicted spread", own, PREDICTED), *zip(baselines, baselines.values(), GROUPS[2:], strict=False)]


def _with(words: str, unit: str) -> str:
    return f"{words} ({unit})" if unit else words


def _short(x: Tensor) -> str:
    return f"{float(x):.3g}"


def _percent(x: Tensor) -> str:
    return f"{100 * float(x):.2g} %"
