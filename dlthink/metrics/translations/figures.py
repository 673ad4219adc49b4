"""Photos there and back again, and how near they come to the domain they were made for."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlthink.style import INK, PREDICTED, QUIET, TRUE, canvas, quiet

CELL = 1.25  # inches
GAP = 1 / 24  # of a photo's side


@quiet()
def pictures(rows: dict[str, dict[str, list[np.ndarray]]]) -> Figure:
    """A row for each photo: there, back again and the truth where it is known; both directions side by side."""
    blocks = [block for block in rows.values() if any(len(photos) for photos in block.values())]
    high = max((len(next(iter(block.values()))) for block in blocks), default=1)
    wide = sum(len(block) for block in blocks)
    figure = canvas(CELL * max(wide, 2) * (1 + GAP) + 0.3, CELL * (high * (1 + GAP) + 0.17) + 0.1)
    figure.get_layout_engine().set(w_pad=0.04, h_pad=0.04, wspace=0.02)
    if not blocks:
        return figure
    axes = figure.subplots(1, len(blocks), squeeze=False, width_ratios=[len(block) for block in blocks])[0]
    for ax, block in zip(axes, blocks, strict=True):
        _sheet(ax, block, high)
    return figure


@quiet()
def features(looks: dict[str, dict[str, float]], mark: str) -> Figure:
    """KID with its interval, and the share that a probe takes for the domain, of the network and of the baselines."""
    lines = _lines(looks, f"kid{mark}")
    places = _places(lines)
    figure = canvas(7.2, 0.5 + 0.32 * max(4, len(lines)))
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    for (direction, name), y in zip(lines, places, strict=True):
        numbers = looks[direction]
        stem = f"kid{mark}_to_{direction}{name}"
        low, point, high = (numbers[key] for key in (f"{stem}_low", stem, f"{stem}_high"))
        colour = QUIET if name else PREDICTED
        if math.isfinite(point):
            left.plot((low, high), (y, y), color=colour, lw=2.2 if not name else 1.6)
            left.plot(point, y, "o", color=colour, ms=5.5, mec="white", mew=0.8)
        share = numbers[f"probe_share{mark}_to_{direction}{name}"]
        if math.isfinite(share):
            right.barh(y, 100 * share, height=0.62, color=colour, alpha=1 if not name else 0.55)
    for direction in dict(lines):
        inside = [y for (to, _), y in zip(lines, places, strict=True) if to == direction]
        ceiling = 100 * looks[direction][f"probe_ceiling{mark}_to_{direction}"]
        if math.isfinite(ceiling):
            ends = (min(inside) - 0.45, max(inside) + 0.45)
            right.plot((ceiling, ceiling), ends, color=TRUE, lw=1.4, label=f"real {direction}")
            right.text(ceiling, ends[0] - 0.06, f"real photos {ceiling:.0f} %", ha="center", fontsize=7, color=TRUE)
    left.axvline(0, color=TRUE, lw=1)
    words = [f"{name.removeprefix('_').replace('_', ' ') or 'this network'}, to {to}" for to, name in lines]
    left.set(yticks=places, yticklabels=words, xlabel=f"KID x 100{_of(mark)}")
    right.set(yticks=places, yticklabels=[], xlim=(0, 100), xlabel="judged to be of it, %")
    for ax in (left, right):
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_ylim(places[-1] + 0.7 if places else 1, -0.9)
    for tick, (_, name) in zip(left.get_yticklabels(), lines, strict=True):
        tick.set_color(INK if name else PREDICTED)
    left.set_title("how far from real photos (0)?")
    right.set_title("how many look like it to a probe?")
    return figure


def _sheet(ax: Axes, block: dict[str, list[np.ndarray]], high: int) -> None:
    """One image of all photos, so that a figure is drawn in no time."""
    side = next(iter(block.values()))[0].shape[0]
    step = side + max(1, round(GAP * side))
    sheet = np.full((high * step - (step - side), len(block) * step - (step - side), 3), 255, np.uint8)
    for column, photos in enumerate(block.values()):
        for row, photo in enumerate(photos):
            sheet[row * step : row * step + side, column * step : column * step + side] = photo
    ax.imshow(sheet, interpolation="lanczos", interpolation_stage="rgba")
    for column, title in enumerate(block):
        colour = {"made": PREDICTED, "true": TRUE}.get(title.rpartition(" ")[0], INK)
        ax.text(column * step, -0.05 * side, title, fontsize=9, color=colour, va="bottom")
    ax.set_ylim(len(sheet) - 0.5, -0.17 * side)
    ax.axis("off")


def _lines(looks: dict[str, dict[str, float]], stem: str) -> list[tuple[str, str]]:
    """(direction, ending) of everything whose KID was measured."""
    found = []
    for direction, numbers in looks.items():
        start = f"{stem}_to_{direction}"
        names = [key.removeprefix(start) for key in numbers if key.startswith(start)]
        found += [(direction, name) for name in names if not name.endswith(("_low", "_high"))]
    return found


def _places(lines: list[tuple[str, str]]) -> list[float]:
    """From above, with room between the directions."""
    return [k + (0.8 if direction != lines[0][0] else 0) for k, (direction, _) in enumerate(lines)]


def _of(mark: str) -> str:
    return f" ({mark.removeprefix('_')} features)" if mark else ""
