"""Two generators, from one domain to the other and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, interpolate, pad
from torch.utils.checkpoint import checkpoint

from dlthink.errors import BadInput
from dlthink.models._guided_filter import MOST, guided_filter


class CycleGAN(nn.Module):
    """x {a, b}, photos by the names of both `domains`: [n, colors, s, s] in [-1, 1], s a multiple of 4. The answer has

        b = B(a)       back_a = A(b made)       same_b = B(b)
        a = A(b)       back_b = B(a made)       same_a = A(a)

    and of one domain alone only the translation; with that domain, x may hold "whole" [1, colors, h, w]: the one photo,
    made smaller, that its own are parts of. A and B are networks of their own (`Generator`).

    domains     as "summer" and "winter"; each answer is called after what is made
    width       channels of the first layer; blocks: 6 for photos up to 128 pixels, 9 beyond, in the paper
    skip        what goes into a layer that halves the photo is added where it is doubled again, so that nothing fine
                is lost; and (1 - |t|) x + t is made, with t in (-1, 1) from the last layer, 0 at first: it begins with
                the photo as it is, and keeps what need not change. false: neither, as in the paper
    guided_filter  0, or the radius in pixels, up to 64, of windows in which an affine function of the photo's colours
                is fitted to its change and put in its place: no new edges, no grain, no spots (`_guided_filter.py`)
    upsample    transpose: the paper's; resize: nearest neighbours and a convolution, which leaves no checkerboard
    same        same_a and same_b are made in training, too; a cost without identity can do without
    checkpoint  forgets what lies within blocks and computes it again going backward: less memory, a third more time

    Raises BadInput. Source: Zhu, Park, Isola & Efros 2017, ICCV; Johnson, Alahi & Fei-Fei 2016, ECCV (the generator);
    Ronneberger, Fischer & Brox 2015, MICCAI (skip connections); Odena, Dumoulin & Olah 2016, Distill (checkerboards).
    """

    def __init__(
        self,
        colors: int,
        domains: list[str],
        n_out: int,
        width: int = 32,
        blocks: int = 6,
        skip: bool = True,
        guided_filter: int = 0,
        upsample: Literal["transpose", "resize"] = "resize",
        same: bool = True,
        checkpoint: bool = False,
    ) -> None:
        super().__init__()
        for name, value in (("width", width), ("blocks", blocks)):
            if value < 1:
                raise BadInput(f"model.{name}={value}: must be 1 or more")
        if not 0 <= guided_filter <= MOST:
            raise BadInput(f"model.guided_filter={guided_filter}: a radius of 1 to {MOST} pixels, or 0 for none")
        make = partial(Generator, colors, n_out, width, blocks, skip, guided_filter, upsample, checkpoint)
        a, b = domains
        self.source = {b: a, a: b}  # of what each is made
        self.make = nn.ModuleDict({domain: make() for domain in self.source})
        self.same = same

    def forward(self, x: dict[str, Tensor]) -> dict[str, Tensor]:
        asked = {domain: source for domain, source in self.source.items() if source in x}
        if len(asked) == 1:
            return {domain: self.make[domain](x[source], x.get("whole")) for domain, source in asked.items()}
        out = {}
        for domain, source in self.source.items():
            if self.same or not self.training:  # one pass for both: no photo's norm looks at another
                made, same = self.make[domain](torch.cat([x[source], x[domain]])).split(len(x[domain]))
                out |= {domain: made, f"same_{domain}": same}
            else:
                out[domain] = self.make[domain](x[source])
        back = {f"back_{domain}": self.make[domain](out[source]) for domain, source in self.source.items()}
        return out | back


class Generator(nn.Module):
    """Photos [n, channels, s, s] -> [n, n_out, s, s] in [-1, 1].

    c7s1-w, d2w, d4w, R4w x blocks, u2w, uw, c7s1-n_out in the paper's letters; borders mirrored. Weights N(0, 0.02^2).

    Parts of a photo, each normalized by itself, would not fit together, and a part of clear sky be all noise: with the
    `whole` photo, asked once, its norms take mean and sd of that one, and parts are made one after the other.
    Source: Chen et al. 2022, AAAI (thumbnail instance norm).
    """

    def __init__(
        self,
        channels: int,
        n_out: int,
        width: int,
        blocks: int,
        skip: bool,
        guided_filter: int,
        upsample: str,
        checkpoint: bool,
    ) -> None:
        super().__init__()
        grow = Up if upsample == "transpose" else Resize
        self.encode = nn.ModuleList(
            [
                layer(Conv(channels, width, 7), width),
                layer(Conv(width, 2 * width, 3, stride=2), 2 * width),
                layer(Conv(2 * width, 4 * width, 3, stride=2), 4 * width),
            ]
        )
        self.blocks = nn.ModuleList(Block(4 * width) for _ in range(blocks))
        self.decode = nn.ModuleList(
            [layer(grow(4 * width, 2 * width), 2 * width), layer(grow(2 * width, width), width)]
        )
        self.paint = nn.Sequential(Conv(width, n_out, 7, bias=True), nn.Tanh())
        self.skip, self.guided_filter, self.checkpoint = skip, guided_filter, checkpoint
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if skip:
            nn.init.zeros_(self.paint[0].weight)

    def forward(self, x: Tensor, whole: Tensor | None = None) -> Tensor:
        if whole is None:
            return self._finished(x)
        with self._norms_of(whole):
            return torch.cat([self._finished(part) for part in x.split(1)])

    def _finished(self, x: Tensor) -> Tensor:
        made = self._made(x)
        return (x + guided_filter(made - x, x, self.guided_filter)).clamp(-1, 1) if self.guided_filter else made

    @contextmanager
    def _norms_of(self, whole: Tensor) -> Iterator[None]:
        """Inside it, every norm has the mean and variance that it finds in this photo."""
        norms = [module for module in self.modules() if isinstance(module, Norm)]
        try:
            with ExitStack() as looking, torch.no_grad():
                for norm in norms:
                    looking.callback(norm.register_forward_pre_hook(Norm.lend).remove)
                self._made(whole)
            yield
        finally:
            for norm in norms:
                norm.lent = None

    def _made(self, x: Tensor) -> Tensor:
        h, fine = self.encode[0](x), []
        for smaller in self.encode[1:]:
            fine.append(h)
            h = smaller(h)
        for block in self.blocks:
            h = checkpoint(block, h, use_reentrant=False) if self.checkpoint and h.requires_grad else block(h)
        for larger in self.decode:
            beside = fine.pop()
            h = larger(h) + beside if self.skip else larger(h)
            del beside
        t = self.paint(h)
        return (1 - t.abs()) * x + t if self.skip else t


class Conv(nn.Conv2d):
    """Half the side with stride 2; borders mirrored. A bias before a norm would do nothing."""

    def __init__(self, n_in: int, n_out: int, size: int, stride: int = 1, bias: bool = False) -> None:
        super().__init__(n_in, n_out, size, stride=stride, padding=size // 2, padding_mode="reflect", bias=bias)


class Norm(nn.GroupNorm):
    """(x - mean) / sd over the pixels of each photo and channel: instance normalization.

    As groups of one channel, since torch's own instance norm gives a wrong gradient on a CPU for one photo whose
    incoming gradient lies channels last.
    """

    lent: tuple[Tensor, Tensor] | None = None  # mean and variance of another photo, [channels]

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.lent is None:
            return super().forward(x)
        return batch_norm(x, *self.lent, eps=self.eps)

    def lend(self, given: tuple[Tensor]) -> None:
        """Keep the mean and variance of this photo, in float32 at least; `var_mean` takes four times as long."""
        x = given[0].to(torch.promote_types(given[0].dtype, torch.float32))
        mean = x.mean((0, 2, 3), keepdim=True)
        self.lent = mean.flatten(), (x - mean).square().mean((0, 2, 3))


def layer(conv: nn.Module, width: int) -> nn.Sequential:
    return nn.Sequential(conv, Norm(width), nn.ReLU(inplace=True))


class Block(nn.Module):
    """x + norm(conv(relu(norm(conv(x)))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(layer(Conv(width, width, 3), width), Conv(width, width, 3), Norm(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)


class Up(nn.ConvTranspose2d):
    """Twice the side by a transposed convolution."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, 3, stride=2, padding=1, output_padding=1, bias=False)


class Resize(nn.Module):
    """Twice the side: each pixel four times, then a convolution.

    Without a gradient to keep, the four pixels that one becomes are made by four smaller convolutions of it and its
    neighbours: less than half of the time, and no map of four times the pixels.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv = Conv(n_in, n_out, 3)

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return self.conv(interpolate(x, scale_factor=2.0, mode="nearest"))
        framed = pad(x, (1, 1, 1, 1), mode="replicate")  # the larger map's border, mirrored
        h, w = x.shape[2:]
        made = None
        for a, b, weight in _of_quarters(self.conv.weight):
            quarter = conv2d(framed[..., a : a + h + 1, b : b + w + 1], weight)
            made = quarter.new_empty(*quarter.shape[:2], 2 * h, 2 * w) if made is None else made
            made[..., a::2, b::2] = quarter
        return made


def _of_quarters(weight: Tensor) -> Iterator[tuple[int, int, Tensor]]:
    """(row, column, [n_out, n_in, 2, 2]) of each of four pixels: taps that see the same pixel are added."""
    first, second, third = weight.unbind(2)
    for row, lines in enumerate(((first, second + third), (first + second, third))):
        left, middle, right = torch.stack(lines, 2).unbind(3)
        for column, taps in enumerate(((left, middle + right), (left + middle, right))):
            yield row, column, torch.stack(taps, 3)
