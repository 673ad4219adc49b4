"""Photos of people: a sample is a photo, its row the number of the person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlthink.data.faces.augment import masked
from dlthink.data.faces.pk_sampler import PeopleBatches
from dlthink.nested import each


class Portraits:
    """Photos pixels[rows] with the identity y [n] of each; pixels uint8 [all, channels, s, s] stay where they lie.

    on a device  only these photos are copied there; take: float32 [n, channels, s, s] in [-1, 1]
    augment      what `draw` does to a batch, None: nothing
    about        what is known of each photo, row for row; masks: every photo wears one
    batches      how an epoch is made of these photos
    """

    def __init__(
        self,
        pixels: Tensor,
        rows: Tensor,
        y: Tensor,
        about: dict[str, Any],
        batches: PeopleBatches,
        augment: Callable[[Tensor], Tensor] | None = None,
        masks: bool = False,
    ) -> None:
        self.pixels, self.rows, self.y, self.about = pixels, rows, y, about
        self.batches, self.augment, self.masks = batches, augment, masks

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: Tensor) -> tuple[Tensor, Tensor]:
        x = self._pictures(index).float().div_(127.5).sub_(1)
        return masked(x) if self.masks else x, self.y.index_select(0, index)

    def _pictures(self, index: Tensor) -> Tensor:
        return self.pixels.index_select(0, self.rows.index_select(0, index))

    def draw(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """The same, changed at random: for training steps."""
        x, y = self.take(index)
        return (x if self.augment is None else self.augment(x)), y

    def known(self, index: Tensor) -> dict[str, Any]:
        """What is known of each photo, and the photo itself (`picture`, uint8, without a mask), for figures."""
        return each(lambda known: known.index_select(0, index), self.about) | {
            "picture": self._pictures(index),
            "masked": torch.full((len(index),), self.masks, device=index.device),
        }

    def targets(self) -> Tensor:
        return self.y

    def masked(self, x: Tensor) -> Tensor:
        """The same photos with a mask over the lower face, always the same one."""
        return masked(x)

    def with_masks(self) -> Portraits:
        """This split, everybody wearing one."""
        return Portraits(self.pixels, self.rows, self.y, self.about, self.batches, self.augment, masks=True)

    def epoch(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        return self.batches.epoch(batch, generator)

    def to(self, device: torch.device | str) -> Portraits:
        pixels, rows = self.pixels, self.rows
        if torch.device(device) != pixels.device:
            pixels = pixels.index_select(0, rows.to(pixels.device)).to(device)
            rows = torch.arange(len(rows), device=device)
        about = each(lambda known: known.to(device), self.about)
        return Portraits(pixels, rows, self.y.to(device), about, self.batches, self.augment, self.masks)
