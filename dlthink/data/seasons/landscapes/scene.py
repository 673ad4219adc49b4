"""What a landscape is: numbers that chance draws once, the height of its ground, and where things grow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlthink.data.seasons.landscapes.noise import at, crests, waves

FAR = 70.0  # the most distant ground; the unit is roughly the height of a tree
ROWS, CELLS = 22, 96  # places where trees may stand: rows by depth, cells across

# Of a time of day: zenith, horizon, sunlight, strength of the sun, height of the sun.
HOURS = np.array(
    [
        [0.36, 0.58, 0.86, 0.95, 0.89, 0.80, 1.00, 0.90, 0.74, 0.80, 0.42],  # morning
        [0.20, 0.45, 0.83, 0.74, 0.87, 0.96, 1.00, 0.97, 0.90, 0.90, 0.85],  # noon
        [0.12, 0.34, 0.74, 0.62, 0.80, 0.94, 1.00, 0.96, 0.88, 0.95, 0.65],  # high in the mountains
        [0.40, 0.55, 0.80, 1.00, 0.86, 0.66, 1.00, 0.82, 0.56, 0.85, 0.34],  # late in the afternoon
        [0.30, 0.34, 0.60, 0.99, 0.66, 0.47, 1.00, 0.66, 0.44, 0.75, 0.22],  # sunset
        [0.36, 0.40, 0.66, 0.95, 0.74, 0.76, 0.98, 0.74, 0.72, 0.60, 0.25],  # after it
        [0.60, 0.66, 0.73, 0.84, 0.87, 0.89, 0.95, 0.95, 0.96, 0.30, 0.75],  # overcast
    ],
    dtype=np.float32,
)
ROCKS = np.array([[0.55, 0.54, 0.54], [0.60, 0.54, 0.47], [0.46, 0.48, 0.53], [0.64, 0.50, 0.42]], dtype=np.float32)
GRASS = np.array([[0.36, 0.55, 0.16], [0.48, 0.60, 0.20], [0.28, 0.47, 0.17], [0.62, 0.60, 0.28]], dtype=np.float32)
FLOWERS = np.array([[0.98, 0.85, 0.25], [0.93, 0.93, 0.97], [0.88, 0.35, 0.42], [0.62, 0.45, 0.85]], dtype=np.float32)


@dataclass
class Scene:
    """The numbers of one scene. x to the right, z away from the viewer, y up; the water lies at height 0."""

    horizon: float  # of the picture's height, from below
    eye: float  # height of the viewer
    offset: np.ndarray  # [12] where the tables of noise are read
    base: float
    roll: float
    mountain_from: float
    mountain_over: float
    steep: float
    rough: float
    valley: float
    valley_x: float
    valley_wide: float
    peak: tuple[float, float, float, float]  # x, z, height, radius
    foot: float
    lake: tuple[float, float, float, float]  # x, z, half width, half length
    river: float  # half width; 0: none
    bends: tuple[float, float, float]
    hour: np.ndarray
    sun: np.ndarray  # direction towards it
    cloud_cover: float
    cloud_scale: float
    cloud_long: float
    haze: float
    mist: float
    rock: np.ndarray
    grass: np.ndarray
    dry: float
    flower: np.ndarray
    flowering: float
    forest: float
    tree_line: float
    conifers: float
    tree_high: float
    trees: np.ndarray  # [ROWS, CELLS, 8] uniform: what stands where
    cabin: bool
    spots: np.ndarray  # [16, 3] uniform: where it may stand


def scene_of(seed: int, number: int) -> Scene:
    """Scene `number` of a seed."""
    chance = np.random.default_rng((seed, number))
    u = chance.random

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(u())

    kind = int(chance.choice(4, p=(0.4, 0.2, 0.2, 0.2)))  # range, hills, one peak, valley
    water = int(chance.choice(3, p=(0.4, 0.35, 0.25)))  # none, lake, river
    first, second = chance.choice(len(HOURS), 2, p=(0.15, 0.22, 0.22, 0.14, 0.1, 0.07, 0.1))
    hour = HOURS[first] + between(0, 0.4) * (HOURS[second] - HOURS[first])
    side = 1.0 if u() < 0.5 else -1.0
    depth = between(-0.9, -0.1) if u() < 0.75 else between(0.35, 0.7)
    sun = np.array([side * between(0.5, 1.0), hour[10], depth], dtype=np.float32)
    eye = between(1.5, 2.6)
    return Scene(
        horizon=between(0.44, 0.6) + (0.05 if water == 1 else 0),
        eye=eye,
        offset=u(12).astype(np.float32),
        base=(0.25, 0.3, 0.35)[water],
        roll=between(0.1, 0.4) * (0.5 if water else 1),
        mountain_from=between(9, 20),
        mountain_over=between(8, 25),
        steep=(between(0.2, 0.38), between(0.06, 0.18), between(0.06, 0.16), between(0.3, 0.46))[kind],
        rough=(0.85, 0.25, 0.7, 0.75)[kind],
        valley=(between(0.2, 0.6), between(0, 0.5), between(0, 0.4), between(0.8, 0.95))[kind],
        valley_x=between(-0.3, 0.3),
        valley_wide=between(0.15, 0.35),
        peak=(between(-0.28, 0.28) * 45, 45.0, between(15, 21) if kind == 2 else 0.0, between(18, 28)),
        foot=between(0.0, 2.2),
        lake=(between(-2.5, 2.5), between(9, 14), between(5, 11), between(4, 7)) if water == 1 else (0, 0, 1, 0),
        river=between(0.5, 1.1) if water == 2 else 0.0,
        bends=(between(-0.5, 0.5), between(0.6, 1.5), between(0, 6.3)),
        hour=hour,
        sun=sun / np.linalg.norm(sun),
        cloud_cover=between(-1.6, 0.9),
        cloud_scale=between(0.05, 0.11),
        cloud_long=between(0.5, 1.6),
        haze=between(35, 130),
        mist=between(0.2, 0.7) if u() < 0.15 else 0.0,
        rock=_mixture(chance, ROCKS),
        grass=_mixture(chance, GRASS),
        dry=between(0, 1),
        flower=FLOWERS[int(chance.integers(len(FLOWERS)))],
        flowering=between(0.2, 1.0) if u() < 0.6 else 0.0,
        forest=between(-1.2, 1.0),
        tree_line=between(3, 9),
        conifers=between(0, 1) ** 0.7,
        tree_high=between(0.9, 1.5),
        trees=u((ROWS, CELLS, 8)).astype(np.float32),
        cabin=u() < 0.3,
        spots=u((16, 3)).astype(np.float32),
    )


def height(s: Scene, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Height of the ground at x and z; below 0 it is under water."""
    o = s.offset
    hills = at(waves(), x / 45 + o[0], z / 45 + o[1])
    rise = smooth((z - s.mountain_from) / s.mountain_over)
    ridges = at(crests(), x / 64 + o[2], z / 64 + o[3])
    cut = 1 - s.valley * np.exp(-(((x / z - s.valley_x) / s.valley_wide) ** 2))
    profile = s.rough * ridges + (1 - s.rough) * (0.5 + 0.25 * hills)
    ground = s.base + s.roll * hills + rise * cut * s.steep * z * profile
    if s.peak[2]:
        away = np.sqrt((x - s.peak[0]) ** 2 + (z - s.peak[1]) ** 2) / s.peak[3]
        ground += s.peak[2] * np.maximum(1 - away, 0) ** 1.5 * (0.7 + 0.4 * ridges)
    foot = smooth((z - 8) / 8) * (1 + 0.8 * hills)
    ground += s.foot * np.maximum(foot, 0) * (0.4 + 0.6 * cut)
    if s.lake[3]:
        shore = ((x - s.lake[0]) / s.lake[2]) ** 2 + ((z - s.lake[1]) / s.lake[3]) ** 2 + 0.12 * hills
        basin = np.exp(-(shore**2) * 0.7)
        ground = ground * (1 - 0.8 * basin) - 0.55 * basin
    if s.river:
        near = 1 - np.abs(x - river_at(s, z)) / (s.river * (1 + 0.05 * z))
        bed = smooth(0.5 + 0.7 * near)
        ground = ground * (1 - bed) - 0.25 * bed
    return ground


def river_at(s: Scene, z: np.ndarray) -> np.ndarray:
    bend, often, phase = s.bends
    return s.valley_x * z + bend * (1 + 0.22 * z) * np.sin(often * 5 * np.log1p(z) + phase)


def wooded(s: Scene, x: np.ndarray, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of the ground under trees, 0 .. 1, where it isn't too steep."""
    patch = at(waves(), x / 28 + s.offset[4], z / 28 + s.offset[5])
    far = smooth((z - 7) / 9)
    share = smooth(0.5 + 0.9 * (patch + s.forest * 0.9 - 0.5 + 0.9 * far))
    return share * smooth((s.tree_line - y) / 1.5 + 0.4 * patch) * smooth((y - 0.04) / 0.12)


def smooth(t: np.ndarray) -> np.ndarray:
    """0 up to t = 0, 1 from t = 1, rising smoothly in between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _mixture(chance: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    weight = chance.dirichlet(np.full(len(colours), 0.5)).astype(np.float32)
    return weight @ colours
