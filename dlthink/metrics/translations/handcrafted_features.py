"""Features of a photo without any weights: colours and oriented edges at several scales, in three bands."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SCALES = 4  # each half as fine as the one before
TURNS = 4  # directions of edges
KERNEL, WAVE = 7, 4.0  # pixels
STEPS = 8  # of the soft histogram of each colour axis
BANDS = 3  # sky, middle, ground


class HandcraftedFeatures(nn.Module):
    """[n, 3, s, s] in [0, 1] -> [n, 378], of mean square near 1. Closed formulas throughout: nothing random or learned.

    Three colour axes (luminance, yellow-blue, red-green); of each, in each horizontal third of the photo: mean and
    spread, a soft histogram, and log(1 + 20 e) of the energy e of Gabor filters in 4 directions at 4 scales, its mean
    and spread. A cubic kernel over these sees colours, contrasts and textures; it knows no things, as networks do.
    """

    axes: Tensor  # [3 axes, 3 colours]
    steps: Tensor  # [STEPS, 1, 1]
    gabor: Tensor  # [6 TURNS, 1, KERNEL, KERNEL]

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("axes", torch.tensor([[0.299, 0.587, 0.114], [0.5, 0.5, -1.0], [0.5, -0.5, 0.0]]))
        self.register_buffer("steps", torch.linspace(0, 1, STEPS)[:, None, None])
        self.register_buffer("gabor", gabor().repeat(3, 1, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, picture: Tensor) -> Tensor:
        colour = torch.einsum("cd,ndhw->nchw", self.axes, picture)
        made = [4 * part for part in _bands(colour)]
        made.append(3 * self._shares(colour))
        for _ in range(SCALES):
            around = F.pad(colour, (KERNEL // 2,) * 4, mode="replicate")
            waves = F.conv2d(around, self.gabor, groups=3) ** 2
            energy = torch.log1p(20 * (waves[:, ::2] + waves[:, 1::2]).sqrt())
            made += [2 * part for part in _bands(energy)]
            colour = F.avg_pool2d(colour, 2, ceil_mode=True)
        return torch.cat([part.flatten(1) for part in made], 1)

    def _shares(self, colour: Tensor) -> Tensor:
        """Share of pixels near each of some values of each axis, in each band; a pixel between two is shared."""
        place = torch.stack([colour[:, 0], 2 * colour[:, 1] + 0.5, 2 * colour[:, 2] + 0.5], 1)[:, :, None]
        near = (1 - (place - self.steps).abs() * (STEPS - 1)).clamp(min=0)
        return _bands(near.flatten(1, 2))[0]


def gabor() -> Tensor:
    """Even and odd filters in every direction, without a mean: [2 TURNS, 1, KERNEL, KERNEL]."""
    at = torch.arange(KERNEL, dtype=torch.float64) - KERNEL // 2
    down, right = torch.meshgrid(at, at, indexing="ij")
    made = []
    for k in range(TURNS):
        along = right * math.cos(math.pi * k / TURNS) + down * math.sin(math.pi * k / TURNS)
        window = torch.exp(-(right**2 + down**2) / (2 * (KERNEL / 4) ** 2))
        for wave in (torch.cos, torch.sin):
            one = window * wave(2 * math.pi * along / WAVE)
            one = one - window * one.sum() / window.sum()
            made.append(one / one.abs().sum())
    return torch.stack(made)[:, None].float()


def _bands(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread in horizontal bands: [n, c, BANDS] each."""
    parts = [part.flatten(2) for part in maps.tensor_split(BANDS, dim=2)]
    mean = torch.stack([part.mean(2) for part in parts], 2)
    square = torch.stack([(part**2).mean(2) for part in parts], 2)
    return mean, (square - mean**2).clamp(min=0).sqrt()
