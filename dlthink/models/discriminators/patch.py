"""Discriminator of photos: is each patch of a photo real?"""

from __future__ import annotations

from typing import Literal

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from dlthink.errors import BadInput

Norm = Literal["instance", "spectral"]


class PatchDiscriminator(nn.Sequential):
    """Photos [n, colors, s, s] -> a verdict on each of their overlapping patches, [n, 1, about s/8, about s/8].

    C w - C 2w - C 4w - C 8w - 1 in the paper's letters: convolutions of 4 x 4, leaky ReLU of slope 0.2. A patch is
    70 x 70 pixels.

    norm  instance: the paper's, of all layers but the first and last (as groups of one channel, see
          `models/cyclegan.py`); weights N(0, 0.02^2). It hardly sees a photo's overall tone.
          spectral: weights over their largest singular value, and no other norm: the discriminator sees tone, and its
          slope is bounded. The norm does not depend on how large the first weights are.

    Source: Isola, Zhu, Zhou & Efros 2017, CVPR (PatchGAN); Miyato, Kataoka, Koyama & Yoshida 2018, ICLR (spectral).
    """

    def __init__(self, colors: int, width: int = 64, norm: Norm = "instance") -> None:
        if width < 1:
            raise BadInput(f"loss.discriminator.width={width}: must be 1 or more")
        plain = norm == "spectral"
        layers: list[nn.Module] = [nn.Conv2d(colors, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        for wide, stride in ((2, 2), (4, 2), (8, 1)):
            layers.append(nn.Conv2d(wide * width // 2, wide * width, 4, stride=stride, padding=1, bias=plain))
            if not plain:
                layers.append(nn.GroupNorm(wide * width, wide * width, affine=False))
            layers.append(nn.LeakyReLU(0.2, True))
        layers.append(nn.Conv2d(8 * width, 1, 4, padding=1))
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
                if plain:
                    spectral_norm(layer)
        super().__init__(*layers)
