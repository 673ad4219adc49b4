"""Two sets of photos that nobody has paired: a sample is one of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlthink.data.photos.pixels import rows_of
from dlthink.data.seasons.domains import swapped
from dlthink.nested_tensors import each

EXAMPLES = 6  # photos of each that stand for all


class Unpaired:
    """Sample i: {a, b}, photos i mod (how many there are) of each domain; n is the larger number.

    photos   {domain: uint8 [n_domain, 3, l, l]} of a and b, which stay where they lie
    size     pixels a side of what is taken: a photo, or the middle of one that is larger; in training any square of it
    flip     probability of a mirrored photo in training
    truth    {domain: uint8}: what sample i's photo of the other domain looks like in this one; None: nobody knows
    transfer recolours float [n, 3, s, s] as a domain: (x, domain) -> x, for the baseline; None: no baselines

    An index beyond n names a pair: n + i m + j is photo i of a with photo j of b, m the number of photos of b. So an
    epoch pairs whom it likes and still is a list of numbers.
    """

    def __init__(
        self,
        photos: dict[str, Tensor],
        size: int,
        flip: float = 0.0,
        truth: dict[str, Tensor] | None = None,
        transfer: Callable[[Tensor, str], Tensor] | None = None,
    ) -> None:
        self.photos, self.size, self.flip = photos, size, flip
        self.truth, self.transfer = truth, transfer
        self.count = {domain: len(some) for domain, some in photos.items()}
        self.n = max(self.count.values())
        self.examples = {
            domain: torch.linspace(0, n - 1, min(EXAMPLES, n)).round().long() for domain, n in self.count.items()
        }

    def __len__(self) -> int:
        return self.n

    def rows(self, index: Tensor) -> dict[str, Tensor]:
        """The photo of each domain that a sample shows."""
        (a, n), (b, m) = self.count.items()
        beyond = index - self.n
        return {a: torch.where(beyond < 0, index % n, beyond // m), b: torch.where(beyond < 0, index, beyond) % m}

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        x = {domain: floats(middle(self._photos(domain, rows), self.size)) for domain, rows in self.rows(index).items()}
        return x, x

    def _photos(self, domain: str, rows: Tensor) -> Tensor:
        return rows_of(self.photos[domain], rows)

    def draw(self, index: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """For training steps: a random square of each photo, mirrored at random; torch's global generator."""
        x = {}
        for domain, rows in self.rows(index).items():
            photos = self._photos(domain, rows)
            x[domain] = floats(cut(photos, self.size, self.flip))
        return x, x

    def known(self, index: Tensor) -> dict[str, Any]:
        """first: is it the first time that examination shows this photo? example: is it one of a few, evenly spread,
        that stand for all? baselines and truth: uint8 pictures."""
        rows = self.rows(index)
        shown = {domain: middle(self._photos(domain, rows[domain]), self.size) for domain in rows}
        known: dict[str, Any] = {
            "first": {domain: index < n for domain, n in self.count.items()},
            "example": {domain: torch.isin(index, some.to(index.device)) for domain, some in self.examples.items()},
        }
        if self.transfer is not None:
            other = swapped(shown)
            moved = {domain: bytes_of(self.transfer(floats(photos), domain)) for domain, photos in other.items()}
            known["baselines"] = {"untouched": other, "color_transfer": moved}
        if self.truth is not None:
            known["truth"] = {d: self.truth[d].index_select(0, other) for d, other in swapped(rows).items()}
        return known

    def targets(self) -> dict[str, Tensor]:
        """The photos themselves: no cost needs to see them before the first step."""
        return self.photos

    def epoch(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Every photo of the larger domain once. Of the smaller one, round after shuffled round, the last cut short:
        nobody comes twice more than anybody else, and who comes once more is drawn anew each time."""
        shown = {domain: self._round_after_round(count, generator) for domain, count in self.count.items()}
        a, b = self.count
        index = self.n + shown[a] * self.count[b] + shown[b]
        whole = self.n // batch * batch
        return list(index[:whole].view(-1, batch))

    def _round_after_round(self, count: int, generator: torch.Generator) -> Tensor:
        rounds = [torch.randperm(count, generator=generator) for _ in range(0, self.n, count)]
        return torch.cat(rounds)[: self.n]

    def to(self, device: torch.device | str) -> Unpaired:
        move = lambda tensor: tensor.to(device)  # noqa: E731
        return Unpaired(each(move, self.photos), self.size, self.flip, each(move, self.truth), self.transfer)


def cut(photos: Tensor, size: int, flip: float) -> Tensor:
    """A random square of `size` pixels from each of [n, c, l, l], mirrored with probability `flip`."""
    n, side, device = len(photos), photos.shape[-1], photos.device
    if side == size and not flip:
        return photos
    line = torch.arange(size, device=device)
    top, left = ((torch.rand(2, n, 1, device=device) * (side - size + 1)).long() + line).unbind(0)
    mirror = torch.rand(n, 1, device=device) < flip
    left = torch.where(mirror, left.flip(1), left)
    rows = torch.arange(n, device=device)[:, None, None]
    return photos.permute(0, 2, 3, 1)[rows, top[:, :, None], left[:, None, :]].permute(0, 3, 1, 2)


def middle(photos: Tensor, size: int) -> Tensor:
    """The central square of `size` pixels of each of [n, c, l, l]."""
    edge = (photos.shape[-1] - size) // 2
    return photos[..., edge : edge + size, edge : edge + size]


def floats(photos: Tensor) -> Tensor:
    """uint8 as float32 in [-1, 1]."""
    return photos.float().div_(127.5).sub_(1).contiguous()


def bytes_of(pictures: Tensor) -> Tensor:
    """Floats in [-1, 1] as uint8."""
    return ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
