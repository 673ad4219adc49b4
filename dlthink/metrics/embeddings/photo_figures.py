"""Photos to look at: the pairs that are most wrong, and who is near whom."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlthink.metrics.embeddings.pair_distances import Pairs
from dlthink.style import INK, PREDICTED, QUIET, TRUE, canvas, quiet

WORST, FEWEST = 10, 2  # pairs of each kind; places at least, so that titles have room
PROBES, NEAR = 6, 8
ENOUGH = 3000  # pairs looked at to find WORST of different people


@quiet()
def mistakes(pairs: Pairs, picture: np.ndarray) -> Figure:
    """The nearest pairs of two people and the farthest of one; each couple and each person once.

    picture: uint8 [n, c, s, s], in the order of `pairs`
    """
    accepts, rejects = false_accepts(pairs), false_rejects(pairs)
    most = max(len(accepts), len(rejects))
    columns = max(FEWEST, math.ceil(most / (1 + (most > WORST // 2))))  # few people leave few empty places
    lines = [max(1, math.ceil(len(found) / columns)) for found in (accepts, rejects)]
    figure = canvas(1.62 * columns, 0.79 + 0.965 * sum(lines))
    parts = figure.subfigures(2, 1, hspace=0.04, height_ratios=lines)
    words = (
        ("nearest photos of different people", accepts, TRUE, "nobody has two people to compare"),
        ("farthest photos of the same person", rejects, PREDICTED, "nobody has two photos"),
    )
    for part, rows, (title, found, colour, empty) in zip(parts, lines, words, strict=True):
        part.suptitle(title, x=0.01, ha="left", fontsize=9, color=colour, fontweight="bold")
        axes = part.subplots(rows, columns).ravel()
        for ax in axes:
            ax.axis("off")
        for ax, (i, j, d) in zip(axes, found, strict=False):
            both = np.concatenate([shown(picture[i]), _gap(picture[i]), shown(picture[j])], axis=1)
            look(ax, both)
            ax.set_title(f"{d:.2f}", fontsize=8, loc="center", pad=2, color=INK)
        if not found:
            axes[columns // 2].text(0.5, 0.5, empty, transform=axes[columns // 2].transAxes, ha="center", color=QUIET)
    return figure


@quiet()
def neighbours(pairs: Pairs, picture: np.ndarray) -> Figure:
    """A few probes and their nearest other photos: framed blue where it is the same person, orange where not."""
    probes = chosen_probes(pairs)
    near = min(NEAR, max(1, len(pairs) - 1))
    figure = canvas(0.86 * (near + 1) + 0.25, 0.98 * max(1, len(probes)) + 0.35)
    grid = figure.subplots(max(1, len(probes)), near + 2, squeeze=False, width_ratios=[1, 0.12] + [1] * near)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02)
    words = "who is near? squared distance; framed blue: the same person, orange: somebody else"
    figure.suptitle(words, x=0.01, ha="left", fontsize=9)
    for ax in grid.ravel():
        ax.axis("off")
    for row, i in zip(grid, probes, strict=False):
        look(row[0], shown(picture[i]))
        d = pairs.d[i].copy()
        d[i] = np.inf
        for ax, j in zip(row[2:], np.argsort(d, kind="stable")[:near], strict=False):
            look(ax, shown(picture[j]), PREDICTED if pairs.person[i] == pairs.person[j] else TRUE)
            ax.set_title(f"{d[j]:.2f}", fontsize=7, loc="center", pad=2.5, color=QUIET)
    grid[0][0].set_title("probe", fontsize=8, loc="center", pad=2.5)
    return figure


def false_accepts(pairs: Pairs) -> list[tuple[int, int, float]]:
    """(i, j, d) of the nearest photos of two people, each couple of people once."""
    some = min(ENOUGH, len(pairs.different))
    index = np.argpartition(pairs.different, some - 1)[:some] if some else np.zeros(0, np.int64)
    index = index[np.argsort(pairs.different[index], kind="stable")]
    i, j = pairs.places(index)
    return _once(i, j, pairs.different[index], pairs.person[i] * pairs.people + pairs.person[j])


def false_rejects(pairs: Pairs) -> list[tuple[int, int, float]]:
    """(i, j, d) of the farthest photos of one person, each person once."""
    order = np.argsort(-pairs.same, kind="stable")
    i, j = (places[order] for places in pairs.same_at)
    return _once(i, j, pairs.same[order], pairs.person[i])


def chosen_probes(pairs: Pairs) -> np.ndarray:
    """Photos of `PROBES` people with two or more, evenly over all such people; the first photo of each."""
    people = (pairs.size > 1).nonzero()[0]
    if len(people) > PROBES:
        people = people[np.linspace(0, len(people) - 1, PROBES).round().astype(np.int64)]
    return pairs.start[people]


def shown(picture: np.ndarray) -> np.ndarray:
    """uint8 [c, s, s] -> [s, s, 3]."""
    return np.broadcast_to(picture.transpose(1, 2, 0), (*picture.shape[1:], 3))


def look(ax: Axes, picture: np.ndarray, frame: str | None = None) -> None:
    """One picture without axes, framed in a colour."""
    ax.imshow(picture, interpolation="lanczos", interpolation_stage="rgba")
    if frame:
        ax.axis("on")
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set(visible=True, color=frame, linewidth=2)


def _gap(picture: np.ndarray) -> np.ndarray:
    return np.full((picture.shape[1], max(1, picture.shape[2] // 24), 3), 255, np.uint8)


def _once(i: np.ndarray, j: np.ndarray, d: np.ndarray, who: np.ndarray) -> list[tuple[int, int, float]]:
    """The first `WORST` in order, each `who` once."""
    _, first = np.unique(who, return_index=True)
    first = np.sort(first)[:WORST]
    return [(int(i[k]), int(j[k]), float(d[k])) for k in first]
