"""Discriminator of photos that looks at their pixels, and through a frozen network at four scales."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from torch.nn.utils.parametrizations import spectral_norm

from dlthink.efficientnet_lite import CHANNELS, EfficientNetLite, preprocess
from dlthink.errors import BadInput

SHIFT = 0.12  # of a side, at most
PIXELS = ((4, 2), (4, 2), (4, 2))  # (size, stride) of the convolutions that look at the photo: to 1/8 of its side
MAPS = (((3, 2), (3, 1)),) * 2 + (((3, 1), (3, 1)),) * 2  # at each map: to 1/8, 1/16, 1/16, 1/32 of the side seen


class FeatureDiscriminator(nn.Module):
    """Photos [n, 3 or 1, s, s] in [-1, 1] -> verdicts at five scales, [n, 5, h, w].

    One judges the pixels, in patches of 22: colours and grain, to which the network is nearly blind. Four look at its
    maps (`EfficientNetLite.maps`); it sees photos twice as large, up to 224 pixels, about what it was trained on, or as
    large as they are. Each comes to verdicts by a few convolutions of `width` channels; there are as many as an
    eighth of the side that the network sees, those of coarse scales repeated (evenly where sides divide), so that all
    scales count alike. Weights over their largest singular value: the slope of what learns is bounded.

    In training, photos are moved a little at random before, all of a batch alike, up to 12 % of a side, borders
    mirrored: a network cannot make patterns that fool the frozen one's grid.

    Raises BadInput. Source: Sauer et al. 2021, NeurIPS; Karras et al. 2020, NeurIPS (what is judged is augmented).
    """

    def __init__(self, backbone: EfficientNetLite, width: int = 64) -> None:
        super().__init__()
        if width < 1:
            raise BadInput(f"loss.discriminator.width={width}: must be 1 or more")
        self.backbone = backbone
        scales = zip((3, *CHANNELS), (PIXELS, *MAPS), strict=True)
        self.heads = nn.ModuleList(layers_of(channels, width, convolutions) for channels, convolutions in scales)

    def forward(self, x: Tensor) -> Tensor:
        x = x.expand(-1, 3, -1, -1)
        if self.training:
            x = shifted(x)
        views = [x, *self.backbone.maps(preprocess(x))]
        verdicts = [head(view) for head, view in zip(self.heads, views, strict=True)]
        most = verdicts[1].shape[-2:]  # of the finest map
        return torch.cat([interpolate(v, size=most, mode="nearest") for v in verdicts], 1)


def layers_of(channels: int, width: int, convolutions: Iterable[tuple[int, int]]) -> nn.Sequential:
    """Convolutions of (size, stride), each to `width` channels, then one verdict per place."""
    layers: list[nn.Module] = []
    for size, stride in convolutions:
        layers += [spectral_norm(nn.Conv2d(channels, width, size, stride, padding=1)), nn.LeakyReLU(0.2)]
        channels = width
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(width, 1, 1)))


def shifted(x: Tensor) -> Tensor:
    """x, borders mirrored, moved by the same whole pixels, up to 12 % of its side."""
    side = x.shape[-1]
    most = int(SHIFT * side)
    down, right = torch.randint(2 * most + 1, (2,)).tolist()
    return pad(x, (most,) * 4, mode="reflect")[:, :, down : down + side, right : right + side]
