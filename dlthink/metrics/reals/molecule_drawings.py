"""Molecules drawn flat: each atom with a number is a disc coloured by its spread, with its numbers beside it."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from dlthink.metrics.reals.figures import SPREAD, spread_bar
from dlthink.metrics.reals.molecule_layout import Layout, layout
from dlthink.style import INK, PREDICTED, QUIET, TRUE, canvas, quiet

# All lengths are in bonds; a bond is so many inches long.
INCH = 0.7
DISC = 0.17
LETTER = 0.2  # kept free around a letter
GAP = 0.085  # between the lines of a double bond
POINT = 1 / 72 / INCH
SIZE = 7.2  # points, of the numbers
WORD = 0.60 * SIZE * POINT  # a digit and the space around it
LINE = 1.35 * SIZE * POINT
LARGEST = 22.0  # inches
MARGIN = (2.5, 1.8)  # around the atoms, both sides together
LEAST = 3.0
ANGLES = np.arange(0, 360, 15) * math.pi / 180
REACHES = (0.0, 0.15, 0.35, 0.6, 0.9)  # how far beyond the disc a label may be put


@dataclass
class Labelled:
    """One molecule: its SMILES, and for some atoms what was predicted and (or None) what was measured."""

    structure: str
    atom: list[int]
    mean: list[float]
    std: list[float] | None = None
    measured: list[float] | None = None
    title: str = ""


@quiet()
def drawn(molecules: list[Labelled], unit: str, target: str = "measured", columns: int = 2) -> Figure:
    """Molecules side by side, so many in a row, under one colour bar; those that rdkit cannot read are left out."""
    pairs = [(molecule, plan) for molecule in molecules if (plan := layout(molecule.structure)) is not None]
    columns = min(columns, len(pairs)) or 1
    rows = max(1, math.ceil(len(pairs) / columns))
    sizes = [plan.size + MARGIN for _, plan in pairs]
    widths = [max((size[0] for size in sizes[column::columns]), default=LEAST) for column in range(columns)]
    heights = [max((size[1] for size in sizes[row * columns :][:columns]), default=LEAST) for row in range(rows)]
    scale = INCH * min(1.0, LARGEST / INCH / max(sum(widths), sum(heights)))
    figure = canvas(max(3.6, scale * sum(widths) + 1.2), scale * sum(heights) + 0.35 * rows + 0.3)
    ratios = {"width_ratios": widths, "height_ratios": heights}
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw=ratios).flatten()
    norm = _norm([std for molecule, _ in pairs for std in molecule.std or []])
    for ax in axes:
        ax.set_axis_off()
    for number, (ax, (molecule, plan)) in enumerate(zip(axes, pairs, strict=False)):
        centre = (plan.xy.min(0) + plan.xy.max(0)) / 2
        room = np.array([widths[number % columns], heights[number // columns]]) / 2
        ax.set(xlim=(centre[0] - room[0], centre[0] + room[0]), ylim=(centre[1] - room[1], centre[1] + room[1]))
        ax.set(aspect="equal", title=molecule.title)
        _molecule(ax, molecule, plan, norm)
    if any(molecule.std for molecule, _ in pairs):
        spread_bar(figure, list(axes), norm, unit)
    if not any(molecule.atom for molecule, _ in pairs):
        return figure
    words = [("predicted ± std" if any(m.std for m, _ in pairs) else "predicted", PREDICTED)]
    words += [(target, TRUE)] if any(m.measured for m, _ in pairs) else []
    signs = [Line2D([], [], ls="", marker="s", ms=5, color=colour) for _, colour in words]
    inside = f" ({unit})" if unit else ""
    figure.legend(signs, [word + inside for word, _ in words], loc="outside lower left", ncols=2, fontsize=8)
    return figure


def _molecule(ax: Axes, molecule: Labelled, plan: Layout, norm: Normalize) -> None:
    colour = ScalarMappable(norm, SPREAD).to_rgba
    labelled = {i: row for row, i in enumerate(molecule.atom) if i < len(plan.xy)}
    for bond in plan.bonds:
        for begin, end in _lines(plan, bond):
            ax.plot(*zip(begin, end, strict=True), color=INK, lw=1.1, zorder=1)
    for i, (xy, symbol) in enumerate(zip(plan.xy, plan.symbol, strict=True)):
        ink = INK
        if i in labelled:
            fill = to_rgb(colour(molecule.std[labelled[i]]) if molecule.std else PREDICTED)
            ax.add_patch(Circle(xy, DISC, facecolor=fill, edgecolor="white", lw=0.8, zorder=3))
            ink = "white" if np.dot(fill, (0.3, 0.6, 0.1)) < 0.55 else INK  # on dark, by its brightness
        if symbol:
            _letter(ax, plan, i, ink, on_disc=i in labelled)
    texts = {i: _words(molecule, row) for i, row in labelled.items()}
    for i, (centre, far) in _places(plan, texts).items():
        lines = texts[i]
        if far:
            ax.plot(*zip(plan.xy[i], centre, strict=True), color=QUIET, lw=0.5, zorder=2)
        for row, (line, ink) in enumerate(zip(lines, (PREDICTED, TRUE), strict=False)):
            y = centre[1] + LINE * ((len(lines) - 1) / 2 - row)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
            ax.text(centre[0], y, line, color=ink, size=SIZE, ha="center", va="center", zorder=5, bbox=box)


def _words(molecule: Labelled, row: int) -> list[str]:
    """Predicted +- std, then measured; two decimals where most spreads are so small that they mean something."""
    digits = 2 if molecule.std and np.median(molecule.std) < 0.3 else 1
    spread = f" ± {molecule.std[row]:.{digits}f}" if molecule.std else ""
    measured = [f"{molecule.measured[row]:.{digits}f}"] if molecule.measured else []
    return [f"{molecule.mean[row]:.{digits}f}{spread}", *measured]


def _letter(ax: Axes, plan: Layout, i: int, ink: str, on_disc: bool) -> None:
    """The element, its hydrogens on the side that has no bond, its charge."""
    x, y = plan.xy[i]
    letters = {"size": 8.5, "va": "center_baseline", "zorder": 4}
    ax.text(x, y, plan.symbol[i], color=ink, ha="center", **letters)
    half = DISC if on_disc else 0.5 * 8.5 * POINT * (0.78 if len(plan.symbol[i]) == 1 else 1.25)
    left = _leans_left(plan, i)
    ax.text(x - half if left else x + half, y, plan.hydrogens[i], color=INK, ha="right" if left else "left", **letters)
    past = 0 if left else 0.085 * len(plan.hydrogens[i]) * 1.6
    ax.text(x + half + past, y + 0.09, plan.charge[i], color=INK, ha="left", **letters)


def _leans_left(plan: Layout, i: int) -> bool:
    ends = [plan.xy[b if a == i else a] - plan.xy[i] for a, b, *_ in plan.bonds if i in (a, b)]
    return bool(ends) and float(np.sum(ends, 0)[0]) > 0.1


def _lines(plan: Layout, bond: tuple[int, int, int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The strokes of a bond: one to three, ending before a letter; the inner one of a ring is shorter."""
    a, b, order, side = bond
    start, end = plan.xy[a], plan.xy[b]
    along = (end - start) / max(1e-9, np.linalg.norm(end - start))
    across = np.array([-along[1], along[0]])
    start = start + along * LETTER * bool(plan.symbol[a])
    end = end - along * LETTER * bool(plan.symbol[b])
    if order == 2 and side == 0:
        return [(start + s * across, end + s * across) for s in (GAP / 1.6, -GAP / 1.6)]
    shifts = {1: (), 2: (1.5 * GAP * side,), 3: (GAP, -GAP)}.get(order, ())
    cut = along * (0.14 if order == 2 else 0)
    return [(start, end), *((start + s * across + cut, end + s * across - cut) for s in shifts)]


def _places(plan: Layout, texts: dict[int, list[str]]) -> dict[int, tuple[np.ndarray, bool]]:
    """Centre of each label and whether it is far from its atom: the place with the least ink under it.

    Each label in turn takes its best place given the others, three times over.
    """
    lines, discs = _ink(plan, texts)
    half = {i: np.array([max(map(len, words)) * WORD, len(words) * LINE]) / 2 for i, words in texts.items()}
    options = {i: _around(plan.xy[i], half[i]) for i in texts}
    price = {i: _covered(options[i], half[i], lines, discs, plan.xy) for i in texts}
    chosen = {i: options[i][price[i].argmin()] for i in texts}
    for _ in range(3):
        for i in sorted(texts, key=lambda i: price[i].min(), reverse=True):
            clash = np.zeros(len(options[i]))
            for j in texts:
                if j != i:
                    clash += (np.abs(options[i] - chosen[j]) < half[i] + half[j] + 0.03).all(1)
            chosen[i] = options[i][(price[i] + 12.0 * clash).argmin()]
    nearest = {i: np.maximum(np.abs(plan.xy[i] - chosen[i]) - half[i], 0) for i in texts}
    return {i: (chosen[i], float(np.linalg.norm(nearest[i])) > DISC + 0.3) for i in texts}


def _ink(plan: Layout, texts: dict[int, list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Points [p, 2] of atoms and bonds, and the middles [d, 2] of discs and letters."""
    lines = [plan.xy]
    for bond in plan.bonds:
        lines += [np.linspace(begin, end, 9) for begin, end in _lines(plan, bond)]
    discs = [plan.xy[i] for i, symbol in enumerate(plan.symbol) if symbol or i in texts]
    sides = [(i, -1 if _leans_left(plan, i) else 1) for i, h in enumerate(plan.hydrogens) if h]
    return np.concatenate(lines), np.array(discs + [plan.xy[i] + (side * (DISC + 0.08), 0) for i, side in sides])


def _around(atom: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Where the middle of a label may lie, [directions x distances, 2]. half: its width and height, halved."""
    way = np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)
    touch = np.minimum((np.abs(way) * half).sum(1), half.sum() * 0.8)[:, None]
    reach = DISC + 0.06 + touch + np.array(REACHES)
    return (atom + way[:, None] * reach[..., None]).reshape(-1, 2)


def _covered(
    options: np.ndarray, half: np.ndarray, lines: np.ndarray, discs: np.ndarray, atoms: np.ndarray
) -> np.ndarray:
    """The price of each place: what a label there would cover, how far from its atom and how crowded it is."""
    under = (np.abs(lines - options[:, None]) - half < 0.03).all(-1).sum(1)
    near = np.maximum(np.abs(discs - options[:, None]) - half, 0)
    covered = (np.linalg.norm(near, axis=-1) < DISC + 0.03).sum(1)
    crowd = np.exp(-2 * np.linalg.norm(atoms - options[:, None], axis=-1)).sum(1)
    return 1.0 * under + 6.0 * covered + np.tile(4.0 * np.array(REACHES), len(ANGLES)) + crowd


def _norm(std: list[float]) -> Normalize:
    finite = [s for s in std if math.isfinite(s)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    return Normalize(low, high) if high > 1.02 * low else Normalize(0.5 * low, 1.5 * low or 1.0)
