"""Spikes that somebody has counted in bins before they were stored: many public files hold nothing else."""

from __future__ import annotations

import numpy as np

from dlthink.data.recordings.readers.array_listing import MOST
from dlthink.errors import BadInput

EVEN = 1e-3  # of a bin: edges so near to a grid lie on it
LONG = 1.0  # s: a bin that is seldom meant


def spikes_of(
    source: str, counts: np.ndarray, edges: np.ndarray | None, width: float | None
) -> tuple[list[np.ndarray], tuple[float, float], np.ndarray]:
    """Counts [T, units] as spikes at the centres of their bins; the first bin's beginning and width; the whole, [1, 2].

    edges [T + 1] s, evenly spaced; or the width in s of bins that begin at 0. Raises BadInput.
    """
    if counts.ndim != 2:
        raise BadInput(f"{source}: counts has shape {counts.shape}: give [T, units], a row per bin")
    if edges is not None:
        if len(edges) != len(counts) + 1 and len(edges) == counts.shape[1] + 1:
            counts = counts.T
        if edges.ndim != 1 or len(edges) != len(counts) + 1:
            raise BadInput(
                f"{source}: bin_edges has shape {edges.shape} but counts has {len(counts)} rows: give one edge more"
            )
        width = float((edges[-1] - edges[0]) / len(counts)) if len(counts) else 0.0
        if not width > 0 or not (np.abs(edges - edges[0] - width * np.arange(len(edges))) <= EVEN * width).all():
            raise BadInput(f"{source}: bin_edges are not evenly spaced: bins of one width are needed, without gaps")
    elif not (np.isfinite(width) and width > 0):
        raise BadInput(f"{source}: bin={width:g}: the width of a bin is more than 0 s")
    _check_whole(source, counts)
    if (total := float(counts.sum(dtype=np.float64))) > MOST:
        raise BadInput(f"{source}: counts hold {total:.3g} spikes, more than are read: check that they are no rates")
    first = 0.0 if edges is None else float(edges[0])
    centres = first + width * (np.arange(len(counts)) + 0.5)
    spikes = [np.repeat(centres, column.astype(np.int64)) for column in counts.T]
    return spikes, (first, width), np.array([[first, first + width * len(counts)]])


def _check_whole(source: str, counts: np.ndarray) -> None:
    with np.errstate(invalid="ignore"):
        strange = counts < 0 if counts.dtype.kind in "iub" else ~((counts >= 0) & (np.mod(counts, 1) == 0))
    if strange.any():
        row, unit = np.argwhere(strange)[0]
        raise BadInput(
            f"{source}: counts is {counts[row, unit]:g} in row {row}, unit {unit}: counts are whole numbers from 0; "
            f"a rate in Hz times the width of its bin is one, unless it was smoothed"
        )


def on_grid(intervals: np.ndarray, grid: tuple[float, float]) -> np.ndarray:
    """[I, 2] the whole bins of the grid inside each interval; those without any are left out."""
    first, width = grid
    low = np.ceil((intervals[:, 0] - first) / width - EVEN)
    high = np.floor((intervals[:, 1] - first) / width + EVEN)
    return first + width * np.stack([low, high], axis=1)[low < high]


def check_width(source: str, grid: tuple[float, float], width: float) -> None:
    """Raises BadInput where bins of `width` cannot be made of whole bins of the grid."""
    times = width / grid[1]
    if round(times) < 1 or abs(times - round(times)) > EVEN:
        unit = "" if grid[1] < LONG else "; or are these milliseconds? They must be in seconds"
        raise BadInput(
            f"{source}: its spikes were counted in bins of {grid[1]:g} s, of which data.bin={width:g} is no multiple: "
            f"say data.bin={grid[1]:g}, or twice that{unit}"
        )
