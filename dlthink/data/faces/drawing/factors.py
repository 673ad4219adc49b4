"""Factors of a drawn face: what makes a person; and pose, light, expression, background, which are chance."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

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
    return np.searchsorted(np.cumsum(SHARES)[:-1], chance(seed, 0).random(identities), side="right")


def chance(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def of_person(z: Tensor, group: Tensor) -> dict[str, Tensor]:
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


def of_photo(u: Tensor, hard: float) -> dict[str, Tensor]:
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
