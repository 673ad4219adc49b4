"""Trees and their shadows: which points of the picture they cover, and in which colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlthink.data.seasons.landscapes.noise import at, specks
from dlthink.data.seasons.landscapes.scene import CELLS, ROWS, Scene, height, smooth, wooded

CONIFER = np.array([[0.13, 0.27, 0.14], [0.18, 0.33, 0.15], [0.12, 0.25, 0.19]], dtype=np.float32)
LEAVES = np.array([[0.30, 0.48, 0.13], [0.42, 0.55, 0.16], [0.22, 0.40, 0.14]], dtype=np.float32)
BARK = np.array([0.30, 0.24, 0.20], dtype=np.float32)
TWIGS = np.array([0.38, 0.31, 0.28], dtype=np.float32)
SNOW = np.array([0.95, 0.97, 1.0], dtype=np.float32)


@dataclass
class Trees:
    """Trees from far to near, [n] each. x and base in shares of the picture, base and height from below."""

    x: np.ndarray
    base: np.ndarray
    high: np.ndarray
    z: np.ndarray
    conifer: np.ndarray
    slim: np.ndarray
    tone: np.ndarray
    own: np.ndarray


def trees_of(s: Scene) -> Trees:
    rows = np.arange(ROWS, dtype=np.float32)[::-1, None]
    depth = 3.4 * (34 / 3.4) ** (rows / (ROWS - 1))
    apart = 0.5 * s.tree_high * (1 + 0.35 * (rows % 3))
    u = s.trees
    x = (np.arange(CELLS, dtype=np.float32) - CELLS / 2 + u[..., 0]) * apart
    z = depth * (1 + 0.1 * (u[..., 1] - 0.5))
    y = height(s, x, z)
    share = wooded(s, x, z, y)
    slope = np.hypot(height(s, x + 0.4, z) - y, height(s, x, z + 0.4) - y) / 0.4
    seen = (np.abs(x / z) < 0.62) & (slope < 0.9)
    clear = smooth((np.abs(x / z) - 0.05) / 0.3) * smooth((7 - z) / 2) + smooth((z - 6) / 3)  # leave the view open
    stands = seen & (u[..., 2] < (0.75 * share + 0.015) * np.clip(clear, 0, 1)) & (y > 0.06)
    grows = smooth((s.tree_line - y) / 2 + 0.3)
    high = s.tree_high * (0.55 + 0.75 * u[..., 3] ** 1.5) * (0.5 + 0.5 * grows)
    conifer = u[..., 4] < smooth(1.6 * s.conifers - 0.3 + 0.15 * (y - 1))
    return Trees(
        *(
            value[stands]
            for value in (
                x / z + 0.5,
                s.horizon + (y - 0.02 - s.eye) / z,
                np.where(conifer, 1.25, 1.0) * high / z,
                z,
                conifer,
                u[..., 5],
                u[..., 6],
                u[..., 7],
            )
        )
    )


def covered(trees: Trees, side: int, left: np.ndarray, right: np.ndarray, low: np.ndarray, top: np.ndarray):
    """Points in boxes [n] around trees (shares of the picture): tree and place in the flattened picture, both [m]."""
    x0 = np.clip(np.floor(left * side), 0, side).astype(np.int64)
    x1 = np.clip(np.ceil(right * side), 0, side).astype(np.int64)
    y0 = np.clip(np.floor((1 - top) * side), 0, side).astype(np.int64)
    y1 = np.clip(np.ceil((1 - low) * side), 0, side).astype(np.int64)
    wide = np.maximum(x1 - x0, 0)
    count = wide * np.maximum(y1 - y0, 0)
    tree = np.repeat(np.arange(len(wide)), count)
    local = np.arange(len(tree)) - np.repeat(np.cumsum(count) - count, count)
    down = local // wide[tree]
    return tree, (y0[tree] + down) * side + x0[tree] + local - down * wide[tree]


def paint(s: Scene, trees: Trees, depth: np.ndarray, winter: bool):
    """Points of the picture that show a tree: places [m], unlit colours [3, m], light on them [m] and depth [m]."""
    side = len(depth)
    half = trees.high * np.where(trees.conifer, 0.26, 0.44)
    tree, place = covered(trees, side, trees.x - half, trees.x + half, trees.base, trees.base + trees.high)
    open_ = depth.ravel()[place] > trees.z[tree] * 0.985
    tree, place = tree[open_], place[open_]
    high = trees.high[tree]
    across = ((place % side + 0.5) / side - trees.x[tree]).astype(np.float32) / high
    up = ((side - 0.5 - place // side) / side - trees.base[tree]).astype(np.float32) / high
    conifer = trees.conifer[tree]
    slim, own = trees.slim[tree], trees.own[tree]
    leaf = at(specks(), across * 0.28 + own, up * 0.28 + 7 * own)
    # a conifer: whorls of hanging branches, each wider than the one above
    whorl = np.modf((1 - up) * (9 + 5 * own) + (2.0 + own) * np.abs(across) + 0.12 * leaf)[0]
    taper = np.maximum(1 - up, 0) ** 0.85
    reach = (0.13 + 0.1 * slim) * taper * (0.7 + 0.4 * whorl) + 0.014 * leaf * taper
    needles = (np.abs(across) < reach) & (up > 0.08)
    # a broad-leaved tree: a lobed crown
    wide = 0.26 + 0.12 * slim
    middle = 0.6 + 0.04 * slim
    sideways, upwards = across / wide, (up - middle) / (0.98 - middle)
    around = np.sqrt(sideways**2 + upwards**2)
    lobes = at(specks(), across * 0.07 + own, up * 0.07 + 3 * own)
    bumps = lobes - at(specks(), (across + 0.03 * s.sun[0]) * 0.07 + own, (up + 0.03) * 0.07 + 3 * own)
    crown = around < 0.86 + 0.12 * lobes + 0.05 * leaf
    trunk = np.abs(across) < np.where(conifer, 0.018, 0.020 - 0.018 * up)
    trunk &= up < np.where(conifer, 0.12, middle)
    if winter:  # branches part from the trunk, again and again
        fork = up - 0.22
        far = np.sqrt(across**2 + fork**2)
        angle = (np.arctan2(across, np.maximum(fork, 1e-3)) + 0.12 * lobes * far + 0.03 * leaf + own) * 5
        twigs = np.zeros_like(crown)
        for split, start, thick in ((1, 0.0, 0.008), (2, 0.12, 0.005), (4, 0.24, 0.0032), (8, 0.36, 0.0020)):
            line = angle * split
            twigs |= (np.abs(line - np.rint(line)) * far < thick * 5 * split) & (far > start)
        crown &= twigs & (fork > 0.01)
    there = np.where(conifer, needles, crown) | trunk
    keep = np.flatnonzero(there)
    shown = np.full(side * side, -1, dtype=np.int64)
    shown[place[keep]] = keep  # the last one is the nearest
    pick = shown[shown >= 0]
    place, tree, across, up, leaf = place[pick], tree[pick], across[pick], up[pick], leaf[pick]
    conifer, whorl, lobes, own, bumps = conifer[pick], whorl[pick], lobes[pick], own[pick], bumps[pick]
    around, upwards, sideways = around[pick], upwards[pick], sideways[pick]
    wood = trunk[pick] & ~np.where(conifer, needles[pick], crown[pick])
    tone = trees.tone[tree]
    green = np.where(conifer[:, None], _tone(CONIFER, tone), _tone(LEAVES, tone)) * (0.92 + 0.2 * own)[:, None]
    round_ = np.where(conifer, across * 3.5, sideways) * s.sun[0]
    light = np.where(
        conifer, 0.62 + 0.5 * up + 0.25 * round_ + 0.2 * (0.6 - whorl), 0.72 + 0.3 * upwards + 0.28 * round_
    ) + np.where(conifer, 0.06 * leaf, 0.14 * bumps + 0.05 * lobes + 0.11 * leaf)
    if winter:
        colour = np.where(conifer[:, None], green * np.float32(0.8) + np.float32(0.02), TWIGS)
        laden = np.where(
            conifer,
            smooth((0.62 - whorl + 0.12 * leaf + 0.25 * round_) / 0.25) * (0.9 - 0.15 * s.dry),
            0.25 + 0.35 * smooth(0.4 + 0.9 * upwards + 0.4 * bumps),
        )
        colour += laden[:, None] * (SNOW - colour)
        light = np.where(conifer, np.where(laden > 0.5, 0.82 + 0.25 * round_, light), 0.85 + 0.2 * round_)
    else:
        colour = green
    colour = np.where(wood[:, None], BARK, colour)
    light = np.where(wood, 0.8 + 0.5 * round_, light)
    return place, colour.T.astype(np.float32), light.clip(0.3, 1.5).astype(np.float32), trees.z[tree]


def shaded(s: Scene, trees: Trees, depth: np.ndarray) -> np.ndarray:
    """Ground in the shadow of trees: bool [side * side]."""
    side = len(depth)
    long = trees.high * min(0.55 / max(float(s.sun[1]), 0.2), 1.6)
    shift = -float(s.sun[0]) * long * 0.5
    half = long * 0.5 * abs(float(s.sun[0])) + trees.high * 0.16
    thick = trees.high * 0.055 + 0.002
    middle = trees.base + thick * 0.2
    tree, place = covered(trees, side, trees.x + shift - half, trees.x + shift + half, middle - thick, middle + thick)
    across = ((place % side + 0.5) / side - trees.x[tree] - shift[tree]) / half[tree]
    up = ((side - 0.5 - place // side) / side - middle[tree]) / thick[tree]
    on = (across**2 + up**2 < 1) & (np.abs(np.log(depth.ravel()[place] / trees.z[tree])) < 0.2)
    out = np.zeros(side * side, dtype=bool)
    out[place[on]] = True
    return out


def _tone(colours: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """Between three colours, [n, 3], for tone [n] in 0 .. 1."""
    where = tone * (len(colours) - 1.001)
    first = where.astype(np.int64)
    return colours[first] + (where - first)[:, None] * (colours[first + 1] - colours[first])
