"""Drawn landscapes: one scene description, shown once in summer and once in winter.

Everything is vectorized over the points of one picture, drawn larger and averaged down. Snow follows what summer
shows: it lies where ground is flat enough, thicker higher up, on branches, on frozen lakes, not on cliffs or rivers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from dlthink.data.seasons.landscapes.cabin import build
from dlthink.data.seasons.landscapes.noise import at, crests, specks, waves
from dlthink.data.seasons.landscapes.scene import Scene, scene_of, smooth, wooded
from dlthink.data.seasons.landscapes.trees import SNOW, paint, shaded, trees_of
from dlthink.data.seasons.landscapes.view import View, view

LEAST = 128  # points a side before averaging down


def draw(scenes: range, size: int, seed: int, season: Literal["summer", "winter"]) -> Iterator[np.ndarray]:
    """Colour pictures of the scenes of a seed, in their order: uint8 [1, 3, size, size] for each of them.

    Scene k of a seed is the same in both seasons, at every size, and whatever else is drawn.
    """
    finer = max(2, -(-LEAST // size))
    for number in scenes:
        picture = _render(scene_of(seed, number), size * finer, season == "winter")
        small = picture.reshape(3, size, finer, size, finer).mean(axis=(2, 4))
        small = _developed(small)
        yield (small * 255).round().clip(0, 255).astype(np.uint8)[None]


def _render(s: Scene, side: int, winter: bool) -> np.ndarray:
    """Colours [3, side, side] in 0 .. 1."""
    v = view(s, side)
    trees = trees_of(s)
    picture = _sky(s, v, winter).reshape(3, side * side)
    shadow = shaded(s, trees, v.depth)[v.points]
    picture[:, v.points] = _ground(s, v, shadow, winter)
    depth = v.depth.copy()
    hidden = np.zeros(side * side, dtype=bool)
    for standing in (lambda: build(s, depth, winter), lambda: paint(s, trees, depth, winter)):
        place, colour, light, z = standing()
        lit = colour * _light(s, np.float32(0.75) * light, light, winter)
        picture[:, place] = _hazy(s, lit, z, winter)
        hidden[place] = True
        depth.ravel()[place] = z
    wet = np.flatnonzero((v.y < 0) & ~hidden[v.points])
    if len(wet):
        picture[:, v.points[wet]] = _water(s, v, wet, picture, winter)
    return picture.reshape(3, side, side)


def _developed(picture: np.ndarray) -> np.ndarray:
    """Colours a little stronger, contrast like a film's: bright places approach white slowly."""
    grey = picture.mean(axis=0)
    picture = np.maximum(grey + 1.12 * (picture - grey), 0)
    picture = picture + 0.10 * (picture - 0.5) * np.exp(-((picture - 0.5) ** 2) * 6)
    return np.where(picture > 0.8, 0.8 + 0.2 * np.tanh((picture - 0.8) / 0.2), picture)


def _horizon(s: Scene, winter: bool) -> tuple[np.ndarray, np.ndarray]:
    """Colours of the sky above and at the horizon, [3, 1] each; a little paler in winter."""
    zenith, horizon = s.hour[0:3, None], s.hour[3:6, None]
    if winter:
        pale = np.float32([[0.80], [0.86], [0.93]])
        zenith, horizon = zenith + 0.16 * (pale - zenith), horizon + 0.22 * (pale - horizon)
    return zenith, horizon


def _light(s: Scene, ambient: np.ndarray, direct: np.ndarray, winter: bool) -> np.ndarray:
    """Light [3, m] that falls on something: from the sky all around, and from the sun."""
    zenith, horizon = _horizon(s, winter)
    sky = 0.45 * zenith + 0.35 * horizon + (np.float32([[0.2], [0.215], [0.24]]) if winter else 0.2)
    sun = s.hour[6:9, None] * s.hour[9] * (0.92 if winter else 1.0)
    return sky * (ambient * np.float32(0.66)) + sun * (direct * np.float32(0.80))


def _hazy(s: Scene, colour: np.ndarray, z: np.ndarray, winter: bool, y: np.ndarray | None = None) -> np.ndarray:
    """Colours [3, m] as they look from afar; mist lies in the valleys, where y is small."""
    zenith, horizon = _horizon(s, winter)
    air = 0.75 * horizon + 0.25 * zenith
    thick = 1 - np.exp(-np.maximum(z - 2, 0) / s.haze)
    if y is not None and s.mist:
        thick = np.maximum(thick, s.mist * smooth(z / 25) * np.exp(-np.maximum(y, 0) / 1.5))
    return colour + thick * (air - colour)


def _sky(s: Scene, v: View, winter: bool) -> np.ndarray:
    side = v.side
    rows = int(np.isinf(v.depth).any(axis=1).sum()) or 1
    up = ((1 - (np.arange(rows, dtype=np.float32)[:, None] + 0.5) / side) - s.horizon) / (1 - s.horizon)
    x = ((np.arange(side, dtype=np.float32) + 0.5) / side - 0.5)[None]
    zenith, horizon = (c[..., None] for c in _horizon(s, winter))
    fade = smooth(up.clip(0, 1) ** 0.7)
    picture = horizon + fade * (zenith - horizon) + np.zeros((1, 1, side), dtype=np.float32)
    if s.sun[2] > 0:  # before the viewer
        sun_x, sun_y = s.sun[0] / s.sun[2], s.sun[1] / s.sun[2]
        near = np.hypot(x - sun_x, up * (1 - s.horizon) - sun_y)
    else:
        near = np.hypot(x - np.sign(s.sun[0]) * 0.8, up * (1 - s.horizon) - 0.2) + 0.25
    glow = np.exp(-near * 3.2)
    colour = s.hour[6:9, None, None]
    picture += glow * 0.55 * (colour - picture)
    picture += smooth((0.03 - near) / 0.01) * (1 - picture)
    above = np.maximum(up, 0)
    away = 1 / (above + 0.22)
    cx, cz = x * away * s.cloud_scale * s.cloud_long, away * s.cloud_scale * 1.7
    o = s.offset
    puffs = at(waves(), cx * 5 + o[8], cz * 5 + o[9])
    cloud = at(waves(), cx + o[6], cz + o[7]) + 0.22 * puffs
    toward = at(waves(), cx + o[6] + 0.010 * s.sun[0], cz + o[7] - 0.012) - 0.1 * puffs
    dense = smooth((cloud + s.cloud_cover) / 0.8) * smooth(up * 4 + 0.3)
    lit = (0.72 + 0.35 * np.clip(cloud - toward, -1, 1) + 0.45 * glow).clip(0.3, 1.15)
    white = (0.35 * horizon + 0.65 * colour) * lit + 0.18 * (1 - lit) * zenith
    picture += dense * 0.9 * (white - picture)
    out = np.empty((3, side, side), dtype=np.float32)
    out[:, :rows] = picture
    out[:, rows:] = horizon
    return out


def _ground(s: Scene, v: View, shadow: np.ndarray, winter: bool) -> np.ndarray:
    x, y, z, o = v.x, v.y, v.z, s.offset
    up = v.normal[1]
    broad = at(waves(), x / 9 + o[8], (z + 1.5 * y) / 9 + o[9])
    fine = at(waves(), x / 2.3 + o[10], (z + 2 * y) / 2.3 + o[11])
    speck = at(specks(), x / 1.4 + o[9], z / 4.5 + o[10]) / (1 + 0.10 * z)
    canopy = at(specks(), x / 14 + o[3], (z + y) / 14 + o[4])
    wood = wooded(s, x, z, y) * smooth((z - 9) / 12) * smooth((up - 0.55) / 0.2)
    strata = at(crests(), x / 26 + o[5], (z + 5 * y) / 26 + o[6])
    rock = smooth((0.76 - up + 0.05 * fine + 0.04 * (y - s.tree_line)) / 0.14)
    rock = np.maximum(rock, smooth((y - s.tree_line - 1.2 * broad) / 3) * 0.9)
    shore = smooth((0.10 - y + 0.02 * fine) / 0.06)
    grass = s.grass[:, None] * (1 + 0.13 * broad + 0.07 * fine + 0.10 * speck)
    grass = grass + s.dry * smooth(0.5 + 0.5 * broad) * 0.5 * (np.float32([[0.60], [0.56], [0.30]]) - grass)
    stone = s.rock[:, None] * (0.72 + 0.42 * strata + 0.06 * fine)
    if s.flowering and not winter:
        patch = smooth(0.3 + 0.8 * at(waves(), x / 5 + o[1], z / 5 + o[2])) * s.flowering
        bud = at(specks(), x / 3.2 + o[6], z / 7 + o[7])
        bloom = smooth((bud - 1.5 + 0.7 * patch) / 0.3) * smooth((14 - z) / 10) * (patch > 0.05)
        grass = grass + bloom * 0.85 * (s.flower[:, None] - grass)
    leaf = np.float32([[0.17], [0.30], [0.13]]) * (1 + 0.35 * canopy)
    pebble = np.float32([[0.56], [0.51], [0.43]]) * (1 + 0.08 * fine + 0.15 * speck)
    colour = grass
    if winter:
        tuft = smooth(0.35 * s.dry - 0.15 + 0.3 * broad + 0.55 * speck)
        colour = 0.35 * colour + 0.65 * np.float32([[0.55], [0.47], [0.36]])
        colour = colour + (1 - 0.7 * tuft) * (SNOW[:, None] - colour)
        pebble = pebble + smooth(0.6 + 0.5 * fine) * (SNOW[:, None] - pebble)
        leaf = leaf * np.float32([[0.9], [0.9], [1.1]])
        leaf = leaf + smooth(0.45 + 0.3 * canopy + 0.1 * fine) * 0.75 * (SNOW[:, None] - leaf)
        lies = smooth((up - 0.47 + 0.22 * (strata - 0.5) + 0.05 * fine + 0.012 * (y - 6)) / 0.16)
        stone = stone * 0.85 + lies * (SNOW[:, None] - stone * 0.85)
    else:
        old = smooth((y - s.tree_line - 5) / 4) * smooth((up - 0.62 + 0.2 * (strata - 0.5)) / 0.15)
        stone = stone + old * (SNOW[:, None] - stone)
    colour = colour + shore * (pebble - colour)
    colour = colour + wood * (leaf - colour)
    colour = colour + rock * (stone - colour)
    cloud = smooth(0.7 + 0.5 * at(waves(), x / 60 + o[7], z / 60 + o[8]))
    facing = np.tensordot(s.sun, v.normal, 1) + 0.035 * fine + 0.02 * broad
    facing = np.maximum(facing, 0)
    direct = (0.15 + 1.25 * facing) * (0.55 + 0.45 * cloud) * np.where(shadow, 0.35, 1)
    ambient = (0.62 + 0.38 * up) * np.where(shadow, 0.85, 1)
    return _hazy(s, colour * _light(s, ambient, direct, winter), z, winter, y)


def _water(s: Scene, v: View, wet: np.ndarray, picture: np.ndarray, winter: bool) -> np.ndarray:
    """Water mirrors what stands above its far shore; a lake freezes in winter, a river doesn't."""
    side, x, z, deep = v.side, v.x[wet], v.z[wet], -v.y[wet]
    row, column = np.divmod(v.points[wet], side)
    far = np.quantile(row, 0.02)
    ripple = at(waves(), x / 8 + s.offset[0], z / 1.5 + s.offset[1])
    mirrored = 2 * far - row - side * 0.004 * ripple * (3 + 12 / z)
    source = np.clip(mirrored, 0, far).astype(np.int64) * side + np.clip(
        column + side * 0.003 * ripple, 0, side - 1
    ).astype(np.int64)
    mirror = picture[:, source]
    zenith, _ = _horizon(s, winter)
    own = np.float32([[0.10], [0.24], [0.28]]) + 0.22 * zenith
    own = own + smooth((0.14 - deep) / 0.14) * 0.4 * (np.float32([[0.45], [0.42], [0.33]]) - own)
    clear = 0.35 + 0.5 * smooth((z - 2) / 9)
    colour = own + clear * (0.95 * mirror - own)
    if winter and not s.river:
        drift = at(waves(), x / 12 + s.offset[2], z / 7 + s.offset[3])
        crack = smooth((at(crests(), x / 20 + s.offset[4], z / 20 + s.offset[5]) - 0.72) / 0.1)
        light = _light(s, np.full_like(x, 0.95), np.full_like(x, 0.2 + 0.9 * s.sun[1]), winter)
        ice = np.float32([[0.70], [0.80], [0.88]]) * light
        ice = ice + 0.25 * (mirror - ice)
        snow = SNOW[:, None] * light
        lies = np.clip(smooth(0.35 + 0.5 * drift) + 0.3 * crack + smooth((0.12 - deep) / 0.1), 0, 1)
        colour = ice + lies * 0.9 * (snow - ice)
    return _hazy(s, colour, z, winter)
