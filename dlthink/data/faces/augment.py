"""Photos changed at random, a whole batch at a time and on its device: mirror, shift, zoom, light, erasing, masks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from dlthink.errors import BadInput

# Corners of a surgical mask on an aligned face, clockwise, as shares of the picture's side (x, y).
CORNERS = ((0.22, 0.54), (0.50, 0.49), (0.78, 0.54), (0.74, 0.76), (0.50, 0.90), (0.26, 0.76))


@dataclass(frozen=True)
class Augment:
    """Changes x [n, channels, s, s] in [-1, 1] with torch's global generator of its device.

    flip   probability of a mirrored photo
    shift  largest shift, as a share of the side; what comes in is mirrored at the border
    zoom   largest change of scale: 0.1 is 0.9 to 1.1
    light  strength of brightness, contrast and gamma: 0.2 is a factor of 0.8 to 1.2
    erase  probability that a rectangle of 2 to 20 % of the area is covered by one random tone
    mask   probability that a mask is drawn over the lower face
    """

    flip: float = 0.5
    shift: float = 0.06
    zoom: float = 0.08
    light: float = 0.2
    erase: float = 0.0
    mask: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            most = 1.0 if name in ("flip", "erase", "mask") else 0.5
            if not 0 <= value <= most:
                raise BadInput(f"data.{name}={value}: lies between 0 and {most:g}")

    def __call__(self, x: Tensor) -> Tensor:
        if self.flip or self.shift or self.zoom:
            x = self._moved(x)
        if self.mask:  # worn by the person, so the light falls on it too
            chosen = _uniform(x, 1, 1, 1) < self.mask
            x = torch.where(chosen, _worn(x, 0.03 * (_uniform(x, 6, 2) - 0.5), _uniform(x, x.shape[1], 1, 1)), x)
        if self.light:
            x = self._lit(x)
        return self._erased(x) if self.erase else x

    def _moved(self, x: Tensor) -> Tensor:
        n = len(x)
        mirror = torch.where(_uniform(x) < self.flip, -1.0, 1.0)
        scale = 1 + self.zoom * (2 * _uniform(x) - 1)
        by = 2 * self.shift * (2 * _uniform(x, 2) - 1)  # the grid spans 2
        line = (torch.arange(x.shape[-1], device=x.device) + 0.5) / x.shape[-1] * 2 - 1
        across = (line * (mirror * scale)[:, None] + by[:, :1])[:, None, :].expand(n, len(line), -1)
        down = (line * scale[:, None] + by[:, 1:])[:, :, None].expand(n, -1, len(line))
        return grid_sample(x, torch.stack([across, down], 3), padding_mode="reflection", align_corners=False)

    def _lit(self, x: Tensor) -> Tensor:
        gain, contrast, gamma = (1 + self.light * (2 * _uniform(x, 1, 1, 1) - 1) for _ in range(3))
        x = ((x + 1) / 2 * gain).clamp(1e-4, 1) ** gamma
        middle = x.mean((1, 2, 3), keepdim=True)
        return ((x - middle) * contrast + middle).clamp(0, 1) * 2 - 1

    def _erased(self, x: Tensor) -> Tensor:
        area, ratio = 0.02 + 0.18 * _uniform(x, 1, 1), torch.exp(math.log(3) * (2 * _uniform(x, 1, 1) - 1))
        tall, wide = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
        top, left = _uniform(x, 1, 1) * (1 - tall), _uniform(x, 1, 1) * (1 - wide)
        line = (torch.arange(x.shape[-1], device=x.device) + 0.5) / x.shape[-1]
        down, across = line[:, None], line
        inside = (down >= top) & (down < top + tall) & (across >= left) & (across < left + wide)
        inside = inside & (_uniform(x, 1, 1) < self.erase)
        return torch.where(inside[:, None], 2 * _uniform(x, x.shape[1], 1, 1) - 1, x)


def _uniform(x: Tensor, *shape: int) -> Tensor:
    return torch.rand(len(x), *shape, device=x.device)


def masked(x: Tensor) -> Tensor:
    """Every photo of x [n, channels, s, s] in [-1, 1] with the same pale mask over the lower face."""
    tone = x.new_tensor((0.70, 0.82, 0.90) if x.shape[1] == 3 else (0.80,)).view(1, -1, 1, 1)
    return _worn(x, x.new_zeros(1, 6, 2), tone)


def _worn(x: Tensor, jitter: Tensor, tone: Tensor) -> Tensor:
    """A mask with shifted corners [n, 6, 2], in a tone [n, channels, 1, 1] in 0 .. 1, with folds across."""
    side = x.shape[-1]
    line = (torch.arange(side, device=x.device) + 0.5) / side
    corner = x.new_tensor(CORNERS) + jitter
    along = corner.roll(-1, 1) - corner
    along = along / along.norm(dim=2, keepdim=True)
    # Signed distance to each edge of a polygon that is convex and clockwise on the screen; inside where all are > 0.
    px = line - corner[..., :1]
    py = line - corner[..., 1:]
    depth = along[..., :1, None] * py[..., :, None] - along[..., 1:, None] * px[..., None, :]
    alpha = torch.sigmoid(depth.amin(1) * side * 2)[:, None]
    folds = 1 - 0.06 * (1 + torch.sin(line * 75))[:, None]
    return x + alpha * ((tone * folds * 2 - 1) - x)
