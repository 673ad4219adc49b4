"""Pictures of drawn faces: smooth shapes over a grid, one painted over the other, many photos at a time.

Face coordinates: x to the right, y down, the picture spans -1 to 1; eyes near y = -0.26, mouth near y = 0.42, chin near
y = 0.8: where aligned photos of real faces have them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from dlthink.data.faces.drawing.factors import IDENTITY, NUISANCE, chance, groups_of, of_person, of_photo

FINER = 2  # drawn that many times larger, then averaged down


def draw(identities: int, photos_each: int, size: int, seed: int, hardness: float) -> Iterator[np.ndarray]:
    """Colour photos, person after person: uint8 [photos_each, 3, size, size] for each of them.

    The first people of a seed are the same however many are drawn.
    """
    people = torch.from_numpy(chance(seed, 1).standard_normal((identities, IDENTITY))).float()
    group = torch.from_numpy(groups_of(identities, seed))
    for person in range(identities):
        drawn = chance(seed, 2, person)
        nuisance = torch.from_numpy(drawn.random((photos_each, NUISANCE))).float()
        who = people[person].expand(photos_each, -1)
        face = of_person(who, group[person].expand(photos_each)) | of_photo(nuisance, hardness)
        picture = torch.nn.functional.avg_pool2d(Canvas(face, size * FINER).painted(), FINER)
        noise = torch.from_numpy(drawn.standard_normal(picture.shape)).float()
        picture = picture + face["noise"][..., None] * noise
        yield (picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


class Canvas:
    """Colour pictures [n, 3, size, size] in 0 .. 1, without noise, of faces with the factors f.

    u, v: points of the picture; x, y: the same on the head, which is moved and turned; front: on the front of the face,
    which turns more than its rim. All are [size, size] or [n, size, size].
    """

    def __init__(self, f: dict[str, Tensor], size: int) -> None:
        line = (torch.arange(size) + 0.5) / size * 2 - 1
        self.v, self.u = torch.meshgrid(line, line, indexing="ij")
        self.f, self.skin, self.hair, self.edge = f, f["skin"], f["hair"], 1.2 / size
        cos, sin = torch.cos(f["turn"]), torch.sin(f["turn"])
        x, y = (self.u - f["right"]) / f["scale"], (self.v - f["down"]) / f["scale"]
        self.x, self.y = cos * x + sin * y, -sin * x + cos * y
        self.front = self.x - f["yaw"] * (1 - self.x.square()).clamp(0), self.y - f["nod"]
        self.grown = 1 - f["bald"]
        ramp = 0.5 + 0.5 * (self.u * torch.cos(f["back_turn"]) + self.v * torch.sin(f["back_turn"])) / 1.4
        self.picture = f["back"] + (f["back_to"] - f["back"]) * ramp[:, None]

    def painted(self) -> Tensor:
        """The finished pictures."""
        self.shoulders_and_long_hair()
        self.head()
        self.eyes()
        self.brows()
        self.nose()
        self.mouth()
        self.fringe()
        self.glasses()
        self.light()
        self.cover()
        return self.picture.clamp(0, 1)

    def paint(self, alpha: Tensor, colour: Tensor) -> None:
        """Lay a colour over the pictures where alpha is 1."""
        self.picture = self.picture + alpha[:, None] * (colour - self.picture)

    def inside(self, distance: Tensor, soft: float = 1.0) -> Tensor:
        """1 where the distance to a shape is negative, 0 beyond, smooth in between."""
        return torch.sigmoid(-distance / (self.edge * soft))

    def shoulders_and_long_hair(self) -> None:
        f, x, y = self.f, self.x, self.y
        self.paint(self.inside(ellipse(x, y - 1.45, 0.95, 0.55), 2), f["clothes"])
        self.paint(self.inside(torch.maximum(x.abs() - 0.27, (y - 0.6).abs() - 0.5)), self.skin * 0.8)
        side = torch.where(y > 0, f["hair_long"].clamp(min=0.02), f["head_h"] + 0.06 + 0.5 * f["hair_wide"])
        behind = ellipse(x, y + 0.05, f["head_w"] + f["hair_wide"], side)
        self.paint(self.grown * self.inside(behind, 1.5), self.hair * 0.85)

    def head(self) -> None:
        """Ears, the head, darker towards its rim, cheeks, a beard."""
        f, skin, x, y = self.f, self.skin, self.x, self.y
        width = f["head_w"] * (1 - f["jaw"] * (y.clamp(min=0) / f["head_h"]).square()) * (1 + 0.03 * (y < 0))
        head = ((x / width).abs().pow(2.3) + (y / f["head_h"]).abs().pow(2.3)).pow(1 / 2.3).sub(1) * f["head_w"]
        on_head = self.inside(head)
        ears = ellipse(x.abs() - f["head_w"], y + 0.02, f["ears"] * 0.7, f["ears"] * 1.3)
        self.paint(self.inside(ears), skin * 0.9)
        self.paint(on_head, skin)
        self.paint(on_head * (1 + head / 0.5).clamp(0, 1).square() * 0.35, skin * 0.7)
        fx, fy = self.front
        cheeks = ellipse(fx.abs() - 0.3, fy - 0.16, 0.13, 0.1)
        self.paint(on_head * self.inside(cheeks, 9) * 0.25, skin * rgb(1.05, 0.75, 0.7))
        below = self.inside(f["beard_y"] + 0.25 * (1 - fx.square() * 5).clamp(0) - fy, 4)
        self.paint(on_head * below * f["beard"], self.hair * 0.75)

    def eyes(self) -> None:
        """Their hollows, the whites, iris, pupil and its glint, the upper lids."""
        f, inside, paint, size = self.f, self.inside, self.paint, self.f["eye_size"]
        x, y = self.on_eyes()
        white = inside(ellipse(x, y, size, size * 0.58 * f["lids"]))
        paint(inside(ellipse(x, y + 0.012, size * 1.3, size), 4) * 0.35, self.skin * 0.6)
        paint(white, torch.tensor(0.96))
        look = torch.where(self.front[0] > 0, x, -x) - f["look"]
        paint(white * inside(ellipse(look, y, size * 0.5, size * 0.5)), f["iris"])
        paint(white * inside(ellipse(look, y, size * 0.24, size * 0.24)), torch.tensor(0.05))
        paint(white * inside(ellipse(look - 0.02, y + 0.022, 0.018, 0.018)) * 0.9, torch.tensor(1.0))
        lid = ellipse(x, y, size * 1.05, size * 0.62 * f["lids"]).abs() - 0.012
        paint(inside(torch.maximum(lid, y)) * 0.8, self.hair * 0.35)

    def on_eyes(self) -> tuple[Tensor, Tensor]:
        """Points seen from the middle of the nearer eye, outwards and down along its slant."""
        fx, fy = self.front
        x = fx.abs() - self.f["eye_apart"]
        return x, fy - self.f["eye_y"] + self.f["eye_slant"] * x

    def brows(self) -> None:
        f, (x, _) = self.f, self.on_eyes()
        y = self.front[1] - f["eye_y"] + f["brow_y"] + f["brows_up"] + f["brow_slope"] * x + 1.6 * x.square()
        shape = torch.maximum(y.abs() - f["brow_thick"], x.abs() - 0.145)
        self.paint(self.inside(shape) * 0.9, self.hair * 0.7)

    def nose(self) -> None:
        """A shadow on one side, the tip and its light, the nostrils."""
        f, inside, paint, skin = self.f, self.inside, self.paint, self.skin
        x, y, long, wide = self.front[0], self.front[1] - f["eye_y"], f["nose_long"], f["nose_wide"]
        ridge = inside((x - 0.3 * wide * y / long).abs() - 0.022, 2)
        paint(ridge * inside(y - long) * inside(0.06 - y, 3) * 0.3, skin * 0.6)
        paint(inside(ellipse(x, y - long, wide, 0.06), 2) * 0.35, skin * 0.75)
        paint(inside(ellipse(x, y - long + 0.035, wide * 0.6, 0.05), 2) * 0.4, (skin * 1.12).clamp(max=1))
        paint(inside(ellipse(x.abs() - wide * 0.55, y - long - 0.03, 0.026, 0.017)) * 0.75, skin * 0.35)

    def mouth(self) -> None:
        """Lips, what is open between them, teeth; a mole beside."""
        f, inside, skin, (fx, fy), wide = self.f, self.inside, self.skin, self.front, self.f["mouth_wide"]
        y = fy - f["mouth_y"] + f["smile"] * ((fx / wide).square() - 0.4)
        red = 0.55 * skin + 0.45 * rgb(0.72, 0.25, 0.25)
        self.paint(inside(ellipse(fx, y, wide, f["lips"] + f["open"] * 0.5)), red * 0.92)
        gap = ellipse(fx, y, wide * 0.85, f["open"] * 0.5 + 0.012)
        self.paint(inside(gap), torch.tensor(0.18) * skin + 0.05)
        teeth = ellipse(fx, y + f["open"] * 0.25, wide * 0.7, f["open"] * 0.22 + 0.01)
        self.paint(inside(teeth) * (f["open"] > 0.02), torch.tensor(0.93))
        self.paint(inside(ellipse(fx - f["mole_x"], fy - 0.2, 0.022, 0.022)) * f["mole"], skin * 0.35)

    def fringe(self) -> None:
        """Hair over the forehead."""
        f, x, y = self.f, self.x, self.y
        line = f["fringe"] + f["fringe_slope"] * x * (1 - 0.5 * x.abs()) + 0.75 * x.square()
        cap = ellipse(x, y + 0.02, f["head_w"] * 1.06, f["head_h"] * 1.06)
        strands = 1 + 0.07 * torch.sin(21 * x + 5 * y)[:, None]
        self.paint(self.grown * self.inside(cap, 1.5) * self.inside(y - line, 1.5), self.hair * strands)

    def glasses(self) -> None:
        """Somebody's own, or dark ones now and then."""
        f, inside, (fx, fy) = self.f, self.inside, self.front
        ring = ellipse(fx.abs() - f["eye_apart"], fy - f["eye_y"] - 0.02, f["frame"], f["frame"] * 0.8)
        bridge = torch.maximum((fy - f["eye_y"]).abs() - 0.016, fx.abs() - f["eye_apart"] + f["frame"])
        frame = torch.maximum(inside(ring.abs() - 0.018), inside(bridge))
        self.paint(frame * torch.maximum(f["glasses"], f["shades"]), torch.tensor(0.12))
        self.paint(inside(ring) * f["shades"] * 0.9, torch.tensor(0.1))

    def light(self) -> None:
        """Brightness, its direction on a bulging head, its colour."""
        f, x, y = self.f, self.x, self.y
        bulge = (1 - (x / 0.8).square() - (y / 1.0).square()).clamp(0).sqrt()
        shade = f["bright"] * (1 + f["light_x"] * x * 0.9 + f["light_y"] * y * 0.7) * (0.85 + 0.2 * bulge)
        self.picture = self.picture * shade[:, None].clamp(0.15, 2.0) * f["cast"]

    def cover(self) -> None:
        """What stands before the face."""
        f = self.f
        blob = ellipse(self.u - f["cover_x"], self.v - f["cover_y"], f["cover_size"], f["cover_size"] * 1.2)
        self.paint(self.inside(blob, 2) * f["covered"], f["cover"])


def ellipse(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """About the distance to an ellipse around 0 with half axes a and b, negative inside."""
    once = ((x / a).square() + (y / b).square()).sqrt()
    return once * (once - 1) / ((x / a**2).square() + (y / b**2).square()).sqrt().clamp(min=1e-6)


def rgb(*colour: float) -> Tensor:
    """[3, 1, 1]."""
    return torch.tensor(colour).view(3, 1, 1)
