"""Photos of people: a sample is a photo, its row the number of the person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlthink.data.faces.augment import masked
from dlthink.data.photos.pixels import rows_of
from dlthink.data.pk_sampler import PKSampler
from dlthink.nested_tensors import each

SHOWN = 96  # pixels a side of the photos in figures
AT_ONCE = 512 * 64**2  # pixels that a network is asked about at a time, whatever trainer.examine_batch says


class FaceSplit:
    """Photos pixels[rows] with the identity y [n] of each; pixels uint8 [all, channels, s, s] stay where they lie.

    on a device  only these photos are copied there; take: float32 [n, channels, s, s] in [-1, 1]
    augment      what `draw` does to a batch, None: nothing
    about        what is known of each photo, row for row
    batches      how an epoch is made of these photos
    """

    def __init__(
        self,
        pixels: Tensor,
        rows: Tensor,
        y: Tensor,
        about: dict[str, Any],
        batches: PKSampler,
        augment: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.pixels, self.rows, self.y, self.about = pixels, rows, y, about
        self.batches, self.augment = batches, augment

    def __len__(self) -> int:
        return len(self.y)

    @property
    def at_once(self) -> int:
        """Samples that an examination may ask about at a time, so that its memory does not grow with the photos."""
        return max(1, AT_ONCE // self.pixels.shape[-1] ** 2)

    def take(self, index: Tensor) -> tuple[Tensor, Tensor]:
        return self._pictures(index).float().div_(127.5).sub_(1), self.y.index_select(0, index)

    def _pictures(self, index: Tensor) -> Tensor:
        return rows_of(self.pixels, self.rows.index_select(0, index))

    def draw(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """The same, changed at random: for training steps."""
        x, y = self.take(index)
        return (x if self.augment is None else self.augment(x)), y

    def known(self, index: Tensor) -> dict[str, Any]:
        """What is known of each photo, and the photo itself, for figures: `picture`, uint8, without a mask, of at most
        96 pixels a side."""
        return each(lambda known: known.index_select(0, index), self.about) | {
            "picture": _small(self._pictures(index)),
        }

    def targets(self) -> Tensor:
        return self.y

    def masked(self, x: Tensor) -> Tensor:
        """The same photos with a mask over the lower face, always the same one."""
        return masked(x)

    def epoch(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        return self.batches.epoch(batch, generator)

    def to(self, device: torch.device | str) -> FaceSplit:
        pixels, rows = self.pixels, self.rows
        if torch.device(device) != pixels.device:
            pixels = pixels.index_select(0, rows.to(pixels.device)).to(device)
            rows = torch.arange(len(rows), device=device)
        about = each(lambda known: known.to(device), self.about)
        return FaceSplit(pixels, rows, self.y.to(device), about, self.batches, self.augment)


def _small(pictures: Tensor) -> Tensor:
    """uint8 [n, c, s, s], made smaller where s is more than SHOWN."""
    if pictures.shape[-1] <= SHOWN:
        return pictures
    return torch.nn.functional.interpolate(pictures, size=(SHOWN, SHOWN), mode="bilinear", antialias=True)
