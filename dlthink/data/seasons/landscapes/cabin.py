"""A cabin in some meadows: walls of logs, a door, lit windows, a chimney, and in winter snow on its roof."""

from __future__ import annotations

import numpy as np

from dlthink.data.seasons.landscapes.scene import Scene, height
from dlthink.data.seasons.landscapes.trees import SNOW

WIDE, HIGH = 0.8, 1.15  # half its width and its height
WALLS = np.array([[0.48, 0.30, 0.19], [0.60, 0.22, 0.16], [0.55, 0.45, 0.34]], dtype=np.float32)


def spot_of(s: Scene) -> tuple[float, float, float] | None:
    """Where the cabin stands (x, z, height of the ground): dry, even, in view; None if there is no such place."""
    if not s.cabin:
        return None
    x = (s.spots[:, 0] - 0.5) * 0.6 * (z := 7.5 + 6 * s.spots[:, 1])
    corners = np.stack([height(s, x + dx, z + dz) for dx, dz in ((0, 0), (-0.9, 0), (0.9, 0), (0, -0.6), (0, 0.6))])
    good = (corners.min(axis=0) > 0.12) & (np.ptp(corners, axis=0) < 0.35)
    if not good.any():
        return None
    first = int(good.argmax())
    return float(x[first]), float(z[first]), float(corners[:, first].min())


def build(s: Scene, depth: np.ndarray, winter: bool):
    """Points of the picture that show the cabin: places [m], unlit colours [3, m], light [m] and depth [m]."""
    spot = spot_of(s)
    side = len(depth)
    if spot is None:
        return np.zeros(0, dtype=np.int64), np.zeros((3, 0), np.float32), np.zeros(0, np.float32), 0.0
    x, z, ground = spot
    line = (np.arange(side, dtype=np.float32) + 0.5) / side
    across = ((line - 0.5) * z - x)[None] / WIDE
    up = ((1 - line - s.horizon) * z + s.eye - ground)[:, None] / HIGH
    roof = (up > 0.42) & (up < 0.92) & (np.abs(across) < 1.12 - 0.32 * (up - 0.42))
    wall = (up > -0.1) & (up <= 0.46) & (np.abs(across) < 1)
    chimney = (up > 0.75) & (up < 1.08) & (np.abs(across - 0.5) < 0.11)
    there = (roof | wall | chimney) & (depth > z * 0.97)
    row, column = np.nonzero(there)
    across, up = across[0, column], up[row, 0]
    roof, wall, chimney = roof[there], wall[there] & ~roof[there], chimney[there] & ~roof[there]
    logs = 0.86 + 0.14 * np.cos(up * 75)
    colour = WALLS[int(s.spots[0, 2] * 2.999)] * np.where(wall, logs, 1)[:, None]
    colour[roof] = (0.32, 0.26, 0.24)
    colour[chimney] = (0.45, 0.42, 0.41)
    light = np.where(roof, 0.95, 0.8 + 0.2 * s.sun[0] * across).astype(np.float32)
    door = wall & (np.abs(across + 0.05) < 0.15) & (up < 0.33)
    window = wall & (np.abs(np.abs(across) - 0.58) < 0.17) & (np.abs(up - 0.24) < 0.09)
    frame = wall & (np.abs(np.abs(across) - 0.58) < 0.22) & (np.abs(up - 0.24) < 0.125)
    colour[frame] = (0.85, 0.82, 0.76)
    colour[door] = (0.25, 0.16, 0.12)
    colour[window] = (1.0, 0.80, 0.40)
    light[window] = 1.3
    if winter:
        laden = (roof & (up > 0.47)) | (chimney & (up > 1.02))
        colour[laden] = SNOW
        light[laden] = 0.95
        light[roof & ~laden] = 0.6
    return row * side + column, colour.T.astype(np.float32), light, z
