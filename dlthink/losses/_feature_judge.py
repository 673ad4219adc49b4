"""A judge of photos that looks through a frozen network, at four scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from torch.nn.utils.parametrizations import spectral_norm

from dlthink.efficientnet_lite import CHANNELS, SIZE, EfficientNetLite
from dlthink.errors import BadInput

SHIFT = 0.12  # of a side, at most


class FeatureJudge(nn.Module):
    """Photos [n, 3 or 1, s, s] in [-1, 1] -> verdicts at four scales, [n, 4, h, w].

    The network sees them twice as large, up to 224 pixels, about what it was trained on, or as large as they are. On
    each of its maps (`EfficientNetLite.maps`) three convolutions of `width` channels come to verdicts, as many as an
    eighth of the side that is seen; those of coarse scales are repeated, so that all scales count alike. Weights over
    their largest singular value: the slope of what learns is bounded.

    In training, photos are moved a little at random before, all of a batch alike, up to 12 % of a side, borders
    mirrored: a network cannot make patterns that fool the frozen one's grid.

    Raises BadInput. Source: Sauer et al. 2021, NeurIPS; Karras et al. 2020, NeurIPS (what is judged is augmented).
    """

    def __init__(self, eye: EfficientNetLite, width: int = 64) -> None:
        super().__init__()
        if width < 1:
            raise BadInput(f"loss.judge_width={width}: must be 1 or more")
        self.eye = eye
        self.heads = nn.ModuleList(
            nn.Sequential(
                spectral_norm(nn.Conv2d(channels, width, 3, stride=2 if scale < 2 else 1, padding=1)),
                nn.LeakyReLU(0.2),
                spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
                nn.LeakyReLU(0.2),
                spectral_norm(nn.Conv2d(width, 1, 1)),
            )
            for scale, channels in enumerate(CHANNELS)
        )

    def forward(self, x: Tensor) -> Tensor:
        side = x.shape[-1]
        x = (x.expand(-1, 3, -1, -1) + 1) / 2
        if self.training:
            x = moved(x)
        seen = max(side, min(2 * side, SIZE))
        if seen != side:
            x = interpolate(x, size=(seen, seen), mode="bilinear", align_corners=False)
        verdicts = [head(view) for head, view in zip(self.heads, self.eye.maps(x), strict=True)]
        return torch.cat([interpolate(v, size=verdicts[0].shape[-2:], mode="nearest") for v in verdicts], 1)


def moved(x: Tensor) -> Tensor:
    """x, borders mirrored, moved by the same whole pixels, up to 12 % of its side."""
    side = x.shape[-1]
    most = int(SHIFT * side)
    down, right = torch.randint(2 * most + 1, (2,)).tolist()
    return pad(x, (most,) * 4, mode="reflect")[:, :, down : down + side, right : right + side]
