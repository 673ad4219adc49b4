"""A judge of photos: is each patch of it real?"""

from __future__ import annotations

from torch import Tensor, nn


class PatchJudge(nn.Sequential):
    """Photos [n, channels, s, s] -> a verdict on each of their overlapping patches, [n, 1, about s/8, about s/8].

    C w - C 2w - C 4w - C 8w - 1 in the paper's letters: convolutions of 4 x 4, leaky ReLU of slope 0.2, instance norm
    (as groups of one channel, see `models/cyclegan.py`) but for the first. With all four stages a patch is 70 x 70;
    photos below 32 pixels would have no patch. Weights N(0, 0.02^2).

    Source: Isola, Zhu, Zhou & Efros 2017, CVPR (PatchGAN).
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        for wide, stride in ((2, 2), (4, 2), (8, 1)):
            layers += [
                nn.Conv2d(wide * width // 2, wide * width, 4, stride=stride, padding=1, bias=False),
                nn.GroupNorm(wide * width, wide * width, affine=False),
                nn.LeakyReLU(0.2, True),
            ]
        super().__init__(*layers, nn.Conv2d(8 * width, 1, 4, padding=1))
        for module in self:
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)
