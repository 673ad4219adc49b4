"""What the viewer sees where: ground by perspective, nearest first, and the slope of each point of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlthink.data.seasons.landscapes.scene import FAR, Scene, height

NEAR = 1.3


@dataclass
class View:
    """Of a picture of side x side points, rows from above.

    depth       distance of the ground, infinite in the sky: float32 [side, side]
    points      places in the flattened picture where there is ground: [m]
    x, y, z     the ground there, [m]; under water y is below 0
    normal      [3, m] unit vectors
    """

    side: int
    depth: np.ndarray
    points: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    normal: np.ndarray


def view(s: Scene, side: int) -> View:
    """Slices of ground at growing distance hide each other; a point shows the first slice that reaches above it."""
    slices = side + side // 4
    z = (NEAR * (FAR / NEAR) ** (np.arange(slices, dtype=np.float32) / (slices - 1)))[:, None]
    across = ((np.arange(side, dtype=np.float32) + 0.5) / side - 0.5)[None]
    x = across * z
    ground = height(s, x, z)
    surface = np.maximum(ground, 0)
    rows = (s.horizon + (surface - s.eye) / z) * side  # from below
    highest = np.maximum.accumulate(rows)
    start = np.clip(np.floor(highest - 0.5).astype(np.int64) + 1, 0, side)
    counts = np.bincount((start * side + np.arange(side)).ravel(), minlength=(side + 1) * side)
    hit = counts.reshape(side + 1, side)[:side].cumsum(0)[::-1]  # slices that stay below this row
    depth = np.full((side, side), np.inf, dtype=np.float32)
    points = np.flatnonzero(hit < slices)
    row, column = np.divmod(points, side)
    slice_ = np.maximum(hit.ravel()[points], 1)
    high = slice_ * side + column
    low = high - side
    below, above = rows.ravel()[low], rows.ravel()[high]
    part = np.clip((side - row - 0.5 - below) / np.maximum(above - below, 1e-6), 0, 1).astype(np.float32)

    def between(grid: np.ndarray) -> np.ndarray:
        flat = grid.ravel()
        start = flat[low]
        return start + part * (flat[high] - start)

    distance = z.ravel()[slice_ - 1]
    distance = distance + part * (z.ravel()[slice_] - distance)
    depth.ravel()[points] = distance
    by_column = np.gradient(surface, axis=1) * (side / z)
    by_z = np.gradient(surface, axis=0) / np.gradient(z, axis=0) - across * by_column
    dx, dz = between(by_column), between(by_z)
    length = 1 / np.sqrt(1 + dx * dx + dz * dz)
    normal = np.stack([-dx * length, length, -dz * length])
    return View(side, depth, points, across[0][column] * distance, between(ground), distance, normal)
