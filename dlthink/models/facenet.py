"""A compact residual network from a photo to an embedding."""

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput

SMALLEST = 5  # pixels that are left of a side before it is averaged


class FaceNet(nn.Module):
    """out = W mean over pixels of h,  h_i = halve(block(... h_(i-1))),  h_0 = a first convolution of the photo.

    x: [n, channels, size, size], float, about [-1, 1]; out: [n, n_out], not yet on the sphere: the cost puts it there.
    Each stage halves the side and doubles the width, from `width` on, until fewer than 10 pixels are left; `depth`
    blocks a stage, each x + conv(relu(norm(conv(relu(norm(x)))))). Batch norm, as in the paper's Inception: batches are
    made of many people. mirror: when not training, out is the mean of a photo's and its mirror image's. Raises BadInput
    for sizes below what it needs or a dropout outside [0, 1).

    Source: Schroff, Kalenichenko & Philbin 2015, CVPR (what is learned); He et al. 2016, ECCV (the blocks).
    """

    def __init__(
        self,
        channels: int,
        size: int,
        n_out: int,
        width: int = 32,
        depth: int = 1,
        dropout: float = 0.0,
        mirror: bool = True,
    ):
        super().__init__()
        if width < 1 or depth < 1 or not 0 <= dropout < 1:
            raise BadInput(f"model=facenet {width=} {depth=} {dropout=}: sizes start at 1, 0 <= dropout < 1")
        if size < 2 * SMALLEST:
            raise BadInput(f"model=facenet: photos of {size} pixels are too small: data.size={4 * SMALLEST} or more")
        self.first = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        stages: list[nn.Module] = []
        while size >= 2 * SMALLEST:
            wide = min(2 * width, 256) if stages else width
            stages += [Halve(width, wide), *(Block(wide) for _ in range(depth))]
            width, size = wide, (size + 1) // 2
        self.stages = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(width)
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(width, n_out)
        self.mirror = mirror

    def forward(self, x: Tensor) -> Tensor:
        if self.mirror and not self.training:
            return (self._seen(x) + self._seen(x.flip(-1))) / 2
        return self._seen(x)

    def _seen(self, x: Tensor) -> Tensor:
        h = torch.relu(self.norm(self.stages(self.first(x))))
        return self.readout(self.dropout(h.mean((2, 3))))


class Halve(nn.Sequential):
    """Half the side, another width."""

    def __init__(self, width: int, wide: int):
        super().__init__(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, wide, 3, stride=2, padding=1, bias=False))


class Block(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))), the same side and width."""

    def __init__(self, width: int):
        super().__init__()
        self.change = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)
