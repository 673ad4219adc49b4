"""Drawn faces: who somebody is fixes the factors of a face, chance adds pose, light, expression, background.

Everything is smooth shapes over a grid, many photos at a time. Face coordinates: x to the right, y down, the picture
spans -1 to 1; eyes near y = -0.26, mouth near y = 0.42, chin near y = 0.8: where aligned photos of real faces have
them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

FINER = 2  # drawn that many times larger, then averaged down
IDENTITY = 32  # random numbers that make a person
NUISANCE = 40  # and those that make one photo of them
SHARES = (0.5, 0.3, 0.2)  # of the groups 0, 1, 2
# Of each group: mean of skin tone, of hair darkness, of eye distance, of head width, and how much people differ.
# The third group is rarer and its people are more alike: what an audit by group should notice.
GROUPS = ((0.25, 0.45, 0.0, 0.0, 1.0), (0.55, 0.75, 0.35, 0.35, 1.0), (0.85, 0.9, -0.35, -0.35, 0.75))
SKIN = ((0.97, 0.83, 0.74), (0.85, 0.64, 0.48), (0.48, 0.31, 0.21))
HAIR = ((0.88, 0.74, 0.45), (0.55, 0.33, 0.16), (0.12, 0.09, 0.08))
IRIS = ((0.45, 0.65, 0.85), (0.42, 0.60, 0.36), (0.30, 0.17, 0.08))


def groups_of(identities: int, seed: int) -> np.ndarray:
    """The group of every person: int64 [identities]."""
    return np.searchsorted(np.cumsum(SHARES)[:-1], _chance(seed, 0).random(identities), side="right")


def draw(identities: int, photos_each: int, size: int, seed: int, hardness: float) -> Iterator[np.ndarray]:
    """Colour photos, person after person: uint8 [photos_each, 3, size, size] for each of them.

    The first people of a seed are the same however many are drawn.
    """
    people = torch.from_numpy(_chance(seed, 1).standard_normal((identities, IDENTITY))).float()
    group = torch.from_numpy(groups_of(identities, seed))
    for person in range(identities):
        chance = _chance(seed, 2, person)
        nuisance = torch.from_numpy(chance.random((photos_each, NUISANCE))).float()
        who = people[person].expand(photos_each, -1)
        face = _factors(who, group[person].expand(photos_each)) | _moment(nuisance, hardness)
        picture = _render(face, size * FINER)
        picture = torch.nn.functional.avg_pool2d(picture, FINER)
        noise = torch.from_numpy(chance.standard_normal(picture.shape)).float()
        picture = picture + face["noise"][..., None] * noise
        yield (picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def _chance(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _factors(z: Tensor, group: Tensor) -> dict[str, Tensor]:
    """What makes a person, [n, 1, 1] each: from normal numbers z [n, IDENTITY] and the group [n]."""
    skin, dark, apart, wide, spread = torch.tensor(GROUPS)[group].T
    z = z.clamp(-2.2, 2.2)
    shape = z * spread[:, None]
    share = torch.special.ndtr(z)  # uniform

    def around(column: int, middle: float, sigma: float, extra: Tensor | float = 0.0) -> Tensor:
        return (middle + sigma * (shape[:, column] + extra))[:, None, None]

    return {
        "head_w": around(0, 0.57, 0.045, wide),
        "head_h": around(1, 0.80, 0.05),
        "jaw": around(2, 0.32, 0.14),
        "eye_apart": around(3, 0.265, 0.035, apart),
        "eye_size": around(4, 0.105, 0.017),
        "eye_y": around(5, -0.26, 0.035),
        "eye_slant": around(6, 0.0, 0.16),
        "brow_y": around(7, 0.185, 0.03),
        "brow_thick": around(8, 0.034, 0.013).clamp(0.008),
        "brow_slope": around(9, 0.0, 0.17),
        "nose_long": around(10, 0.31, 0.055),
        "nose_wide": around(11, 0.105, 0.027).clamp(0.04),
        "mouth_y": around(12, 0.43, 0.04),
        "mouth_wide": around(13, 0.22, 0.04),
        "lips": around(14, 0.052, 0.017).clamp(0.015),
        "fringe": around(15, -0.46, 0.09),
        "fringe_slope": around(16, 0.0, 0.35),
        "hair_wide": around(17, 0.12, 0.05).clamp(0.0),
        "hair_long": (share[:, 18] > 0.55).float()[:, None, None] * around(19, 1.2, 0.35),
        "bald": (share[:, 20] < 0.08).float()[:, None, None],
        "beard": ((share[:, 21] > 0.78).float() * (0.45 + 0.45 * share[:, 22]))[:, None, None],
        "beard_y": around(23, 0.26, 0.06),
        "glasses": (share[:, 24] > 0.8).float()[:, None, None],
        "frame": around(25, 0.19, 0.02),
        "ears": around(26, 0.11, 0.03).clamp(0.04),
        "skin": _tone((skin + 0.12 * z[:, 27]).clamp(0, 1), SKIN),
        "hair": _tone((dark + 0.3 * z[:, 28]).clamp(0, 1), HAIR) * (1 + 0.08 * z[:, 29])[:, None, None, None],
        "iris": _tone((share[:, 30] * 0.6 + 0.4 * dark).clamp(0, 1), IRIS),
        "mole_x": around(31, 0.0, 0.2),
        "mole": (share[:, 22] > 0.7).float()[:, None, None],
    }


def _tone(where: Tensor, tones: tuple) -> Tensor:
    """A colour between three, [n, 3, 1, 1], for where in 0 .. 1."""
    stops = torch.tensor(tones)
    at = where.double() * (len(tones) - 1)
    low = at.floor().long().clamp(max=len(tones) - 2)
    part = (at - low).float()[:, None]
    return (stops[low] * (1 - part) + stops[low + 1] * part)[..., None, None]


def _moment(u: Tensor, hard: float) -> dict[str, Tensor]:
    """What differs between photos of one person, [n, 1, 1] each: from uniform numbers u [n, NUISANCE]."""

    def sway(column: int, most: float) -> Tensor:
        """Symmetric, more often small than large."""
        return ((u[:, column] + u[:, column + 20] - 1) * most * hard)[:, None, None]

    def colour(first: int, low: float, high: float) -> Tensor:
        return (low + (high - low) * u[:, first : first + 3])[..., None, None]

    return {
        "right": sway(0, 0.14),
        "down": sway(1, 0.12),
        "turn": sway(2, 0.26),
        "scale": 1 + sway(3, 0.15),
        "yaw": sway(4, 0.2),
        "nod": sway(5, 0.08),
        "smile": 0.03 + sway(6, 0.12),
        "open": (u[:, 7] - 0.55).clamp(0)[:, None, None] * 0.2,
        "brows_up": sway(8, 0.06),
        "lids": (1 - 0.45 * u[:, 9] ** 2)[:, None, None],
        "look": sway(10, 0.06),
        "light_x": sway(11, 0.8),
        "light_y": sway(12, 0.5),
        "bright": 1 + sway(13, 0.4),
        "cast": 1 + (colour(14, -1, 1) * 0.13 * hard),
        "noise": (0.005 + 0.02 * hard * u[:, 17])[:, None, None],
        "back": colour(20, 0.25, 0.9),
        "back_to": colour(23, 0.25, 0.9),
        "back_turn": (u[:, 26] * 6.28)[:, None, None],
        "clothes": colour(27, 0.05, 0.95),
        "covered": (u[:, 30] < 0.15 * hard).float()[:, None, None],
        "cover_x": (u[:, 31] * 1.4 - 0.7)[:, None, None],
        "cover_y": (u[:, 35] * 1.2 - 0.2)[:, None, None],
        "cover_size": (0.15 + 0.15 * u[:, 36])[:, None, None],
        "cover": colour(37, 0.1, 0.9),
        "shades": (u[:, 34] < 0.06 * hard).float()[:, None, None],
    }


def _render(f: dict[str, Tensor], size: int) -> Tensor:
    """Colour pictures [n, 3, size, size] in 0 .. 1, before noise."""
    line = (torch.arange(size) + 0.5) / size * 2 - 1
    v, u = torch.meshgrid(line, line, indexing="ij")
    edge = 1.2 / size

    def inside(distance: Tensor, soft: float = 1.0) -> Tensor:
        """1 where the distance to a shape is negative, 0 beyond, smooth in between."""
        return torch.sigmoid(-distance / (edge * soft))

    def ellipse(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
        once = ((x / a).square() + (y / b).square()).sqrt()
        return once * (once - 1) / ((x / a**2).square() + (y / b**2).square()).sqrt().clamp(min=1e-6)

    cos, sin = torch.cos(f["turn"]), torch.sin(f["turn"])
    x0, y0 = (u - f["right"]) / f["scale"], (v - f["down"]) / f["scale"]
    x, y = cos * x0 + sin * y0, -sin * x0 + cos * y0
    fx, fy = x - f["yaw"] * (1 - x.square()).clamp(0), y - f["nod"]  # the front of the face turns more than its rim

    ramp = 0.5 + 0.5 * (u * torch.cos(f["back_turn"]) + v * torch.sin(f["back_turn"])) / 1.4
    picture = f["back"] + (f["back_to"] - f["back"]) * ramp[:, None]

    def paint(alpha: Tensor, colour: Tensor) -> None:
        nonlocal picture
        picture = picture + alpha[:, None] * (colour - picture)

    skin, hair = f["skin"], f["hair"]
    head_h = f["head_h"]
    width = f["head_w"] * (1 - f["jaw"] * (y.clamp(min=0) / head_h).square()) * (1 + 0.03 * (y < 0))
    head = ((x / width).abs().pow(2.3) + (y / head_h).abs().pow(2.3)).pow(1 / 2.3).sub(1) * f["head_w"]
    on_head = inside(head)
    grown = 1 - f["bald"]
    # behind the head: shoulders, neck, long hair
    paint(inside(ellipse(x, y - 1.45, 0.95, 0.55), 2), f["clothes"])
    paint(inside(torch.maximum(x.abs() - 0.27, (y - 0.6).abs() - 0.5)), skin * 0.8)
    side = torch.where(y > 0, f["hair_long"].clamp(min=0.02), head_h + 0.06 + 0.5 * f["hair_wide"])
    paint(grown * inside(ellipse(x, y + 0.05, f["head_w"] + f["hair_wide"], side), 1.5), hair * 0.85)
    paint(inside(ellipse(x.abs() - f["head_w"], y + 0.02, f["ears"] * 0.7, f["ears"] * 1.3)), skin * 0.9)
    # the head, darker towards its rim
    paint(on_head, skin)
    paint(on_head * (1 + head / 0.5).clamp(0, 1).square() * 0.35, skin * 0.7)
    paint(
        on_head * inside(ellipse(fx.abs() - 0.3, fy - 0.16, 0.13, 0.1), 9) * 0.25,
        skin * skin.new_tensor((1.05, 0.75, 0.7)).view(3, 1, 1),
    )
    below = inside(f["beard_y"] + 0.25 * (1 - fx.square() * 5).clamp(0) - fy, 4)
    paint(on_head * below * f["beard"], hair * 0.75)
    # eyes
    ex = fx.abs() - f["eye_apart"]
    ey = fy - f["eye_y"] + f["eye_slant"] * ex
    white = inside(ellipse(ex, ey, f["eye_size"], f["eye_size"] * 0.58 * f["lids"]))
    paint(inside(ellipse(ex, ey + 0.012, f["eye_size"] * 1.3, f["eye_size"]), 4) * 0.35, skin * 0.6)
    paint(white, torch.tensor(0.96))
    look = torch.where(fx > 0, ex, -ex) - f["look"]
    paint(white * inside(ellipse(look, ey, f["eye_size"] * 0.5, f["eye_size"] * 0.5)), f["iris"])
    paint(white * inside(ellipse(look, ey, f["eye_size"] * 0.24, f["eye_size"] * 0.24)), torch.tensor(0.05))
    paint(white * inside(ellipse(look - 0.02, ey + 0.022, 0.018, 0.018)) * 0.9, torch.tensor(1.0))
    lid = ellipse(ex, ey, f["eye_size"] * 1.05, f["eye_size"] * 0.62 * f["lids"]).abs() - 0.012
    paint(inside(torch.maximum(lid, ey)) * 0.8, hair * 0.35)
    # brows
    by = fy - f["eye_y"] + f["brow_y"] + f["brows_up"] + f["brow_slope"] * ex + 1.6 * ex.square()
    paint(inside(torch.maximum(by.abs() - f["brow_thick"], ex.abs() - 0.145)) * 0.9, hair * 0.7)
    # nose: a shadow on one side, the tip, the nostrils
    ny = fy - f["eye_y"]
    ridge = inside((fx - 0.3 * f["nose_wide"] * ny / f["nose_long"]).abs() - 0.022, 2)
    paint(ridge * inside(ny - f["nose_long"]) * inside(0.06 - ny, 3) * 0.3, skin * 0.6)
    paint(inside(ellipse(fx, ny - f["nose_long"], f["nose_wide"], 0.06), 2) * 0.35, skin * 0.75)
    paint(
        inside(ellipse(fx, ny - f["nose_long"] + 0.035, f["nose_wide"] * 0.6, 0.05), 2) * 0.4,
        (skin * 1.12).clamp(max=1),
    )
    paint(
        inside(ellipse(fx.abs() - f["nose_wide"] * 0.55, ny - f["nose_long"] - 0.03, 0.026, 0.017)) * 0.75, skin * 0.35
    )
    # mouth
    my = fy - f["mouth_y"] + f["smile"] * ((fx / f["mouth_wide"]).square() - 0.4)
    tall = f["lips"] + f["open"] * 0.5
    red = 0.55 * skin + 0.45 * skin.new_tensor((0.72, 0.25, 0.25)).view(3, 1, 1)
    paint(inside(ellipse(fx, my, f["mouth_wide"], tall)), red * 0.92)
    paint(inside(ellipse(fx, my, f["mouth_wide"] * 0.85, f["open"] * 0.5 + 0.012)), torch.tensor(0.18) * skin + 0.05)
    paint(
        inside(ellipse(fx, my + f["open"] * 0.25, f["mouth_wide"] * 0.7, f["open"] * 0.22 + 0.01)) * (f["open"] > 0.02),
        torch.tensor(0.93),
    )
    paint(inside(ellipse(fx - f["mole_x"], fy - 0.2, 0.022, 0.022)) * f["mole"], skin * 0.35)
    # hair over the forehead
    line = f["fringe"] + f["fringe_slope"] * x * (1 - 0.5 * x.abs()) + 0.75 * x.square()
    cap = ellipse(x, y + 0.02, f["head_w"] * 1.06, head_h * 1.06)
    paint(grown * inside(cap, 1.5) * inside(y - line, 1.5), hair * (1 + 0.07 * torch.sin(21 * x + 5 * y)[:, None]))
    # glasses: somebody's own, or dark ones now and then
    ring = ellipse(fx.abs() - f["eye_apart"], fy - f["eye_y"] - 0.02, f["frame"], f["frame"] * 0.8)
    bridge = torch.maximum((fy - f["eye_y"]).abs() - 0.016, fx.abs() - f["eye_apart"] + f["frame"])
    paint(
        torch.maximum(inside(ring.abs() - 0.018), inside(bridge)) * torch.maximum(f["glasses"], f["shades"]),
        torch.tensor(0.12),
    )
    paint(inside(ring) * f["shades"] * 0.9, torch.tensor(0.1))
    # light, then what stands before the face
    bulge = (1 - (x / 0.8).square() - (y / 1.0).square()).clamp(0).sqrt()
    shade = f["bright"] * (1 + f["light_x"] * x * 0.9 + f["light_y"] * y * 0.7) * (0.85 + 0.2 * bulge)
    picture = picture * shade[:, None].clamp(0.15, 2.0) * f["cast"]
    blob = ellipse(u - f["cover_x"], v - f["cover_y"], f["cover_size"], f["cover_size"] * 1.2)
    paint(inside(blob, 2) * f["covered"], f["cover"])
    return picture.clamp(0, 1)
