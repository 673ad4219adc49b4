"""The embedded faces: drawn people, told apart by their faces alone; pose, light and background are chance."""

from __future__ import annotations

import torch

from dlthink.data.faces.drawing import factors, picture
from dlthink.data.faces.identities import FaceSet, Identities
from dlthink.data.photos.pixels import drawn, looks
from dlthink.errors import BadInput


class Faces(Identities):
    """Drawn people (see `drawing/`), in three groups whose faces are distributed differently.

    identities   how many people; a fifth of them is test
    photos_each  photos of each
    size         pixels a side
    seed         of the drawing; the run has a seed of its own
    hardness     how far pose, light and the like go; 1: raw pixels are of little use

    Group 2 is the smallest, and its people are more alike.
    """

    real = False
    fixed = (*Identities.fixed, "identities", "photos_each", "seed", "hardness")

    def __init__(
        self,
        identities: int = 300,
        photos_each: int = 12,
        size: int = 48,
        seed: int = 0,
        hardness: float = 1.0,
        **splitting,
    ) -> None:
        for name, value, least in (("identities", identities, 4), ("photos_each", photos_each, 2), ("seed", seed, 0)):
            if value < least:
                raise BadInput(f"data.{name}={value}: must be {least} or more")
        if not 0 <= hardness <= 2:
            raise BadInput(f"data.hardness={hardness}: lies between 0 and 2")
        self.identities, self.photos_each, self.seed, self.hardness = identities, photos_each, seed, hardness
        super().__init__(size=size, **splitting)

    def face_set(self) -> FaceSet:
        n, each = self.identities, self.photos_each
        pixels = drawn(
            picture.__package__,
            (n, each, self.size, self.seed, float(self.hardness)),
            (n * each, 3, self.size, self.size),
            lambda: picture.draw(n, each, self.size, self.seed, self.hardness),
        )
        if self.grey:
            pixels = pixels.float().mean(1, keepdim=True).round().to(torch.uint8)
        people = [f"drawn {self.seed}-{person:04d}" for person in range(n) for _ in range(each)]
        group = torch.from_numpy(factors.groups_of(n, self.seed)).repeat_interleave(each)
        return FaceSet(
            pixels=pixels,
            names=[f"{person} {i % each}" for i, person in enumerate(people)],
            people=people,
            hashes=[looks(photo) for photo in pixels.numpy()],
            groups={f"group_{g}": group == g for g in range(len(factors.SHARES))},
        )

    def source(self) -> str:
        return f"data.identities={self.identities}"
