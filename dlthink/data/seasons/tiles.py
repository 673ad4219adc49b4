"""A picture too large for one piece: cut into tiles that overlap, and put together again without seams."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

PIECE = 384  # a picture of up to PIECE^2 pixels is one tile: a network takes some 1,200 bytes for each of them
WHOLE = 320  # all of a larger one is made to at most WHOLE^2 pixels, to be looked at beside its tiles
TILE = 320  # pixels a side, at most, of the tiles of a larger one
OVERLAP = 64  # at least, of neighbours; what is made of a pixel hangs on some 60 around it, little on the last of them
STEP = 4  # the network halves a side twice: sides and places of tiles are multiples of it
SMALLEST = 8  # pixels a side that the network needs, to mirror its borders


class Mosaic:
    """A picture, uint8 [3, h, w], in `len` tiles of one size, and what is made of each, blended linearly.

    Right and lower borders are mirrored up to a multiple of STEP, which `made` cuts off again. No picture is too small.
    """

    def __init__(self, picture: Tensor, piece: int = PIECE, tile: int = TILE, overlap: int = OVERLAP) -> None:
        self.shape = picture.shape[1:]
        height, width = (max(SMALLEST, -(-side // STEP) * STEP) for side in self.shape)
        more = [(0, 0), (0, height - self.shape[0]), (0, width - self.shape[1])]
        self.picture = torch.from_numpy(np.pad(picture.numpy(), more, mode="reflect"))  # torch mirrors once only
        one = height * width <= piece * piece
        down, across = (along(side, side if one else tile, overlap) for side in (height, width))
        self.most = min(piece, WHOLE)
        self.tiles = [(top, left) for top in zip(*down, strict=True) for left in zip(*across, strict=True)]
        self.canvas = torch.zeros(self.picture.shape)

    def __len__(self) -> int:
        return len(self.tiles)

    def tile(self, i: int) -> Tensor:
        """uint8 [3, h, w] of tile i."""
        return self._place(self.picture, i)

    @cached_property
    def whole(self) -> Tensor:
        """uint8 [3, h, w]: all of the picture, made smaller to at most WHOLE^2 pixels, in its own proportions."""
        height, width = self.picture.shape[1:]
        scale = min(1.0, self.most / math.sqrt(height * width))
        size = [max(SMALLEST, int(side * scale) // STEP * STEP) for side in (height, width)]
        return interpolate(self.picture[None], size=size, mode="bilinear", antialias=True)[0]

    def add(self, i: int, made: Tensor) -> None:
        """What was made of tile i, [3, h, w]."""
        (_, down), (_, across) = self.tiles[i]
        self._place(self.canvas, i).add_(made.cpu().float() * down[:, None] * across)

    def made(self) -> Tensor:
        """Floats [3, h, w], once every tile was added."""
        return self.canvas[:, : self.shape[0], : self.shape[1]]

    def _place(self, whole: Tensor, i: int) -> Tensor:
        (top, down), (left, across) = self.tiles[i]
        return whole[:, top : top + len(down), left : left + len(across)]


def along(side: int, most: int, overlap: int) -> tuple[list[int], Tensor]:
    """(starts [n], weights [n, tile]) of the tiles along a side: evenly spread; over every pixel weights sum to 1.

    Tiles are no larger than so many of them need to be, with that overlap. A weight falls linearly towards the end of
    its tile, where a neighbour's rises.
    """
    tile = min(side, most)
    n = 1 if side == tile else -(-(side - overlap) // (tile - overlap))
    tile = min(tile, -(-(side + (n - 1) * overlap) // n // STEP) * STEP + STEP) if n > 1 else tile
    starts = [round(i * (side - tile) / max(n - 1, 1) / STEP) * STEP for i in range(n)]
    tent = torch.minimum(torch.arange(tile), torch.arange(tile).flip(0)) + 0.5
    total = torch.zeros(side)
    for start in starts:
        total[start : start + tile] += tent
    return starts, torch.stack([tent / total[start : start + tile] for start in starts])
