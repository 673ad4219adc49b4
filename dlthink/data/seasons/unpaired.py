"""Two sets of photos that nobody has paired: a sample is one of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlthink.data.photos.pixels import rows_of
from dlthink.nested import each

SEASONS = ("summer", "winter")
EXAMPLES = 6  # photos of each that stand for all


class Unpaired:
    """Sample i: {"summer", "winter"}, photos i mod (how many there are) of each; n is the larger number.

    photos   {season: uint8 [n_season, 3, l, l]}, which stay where they lie
    size     pixels a side of what is taken: a photo, or the middle of one that is larger; in training any square of it
    flip     probability of a mirrored photo in training
    truth    {season: uint8}: what sample i's photo of the other season looks like in this one; None: nobody knows
    transfer recolours float [n, 3, s, s] as a season: (x, season) -> x, for the baseline; None: no baselines

    An index beyond n names a pair: n + i m + j is summer photo i with winter photo j, m the number of winter photos. So
    an epoch pairs whom it likes and still is a list of numbers.
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
        self.count = {season: len(photos[season]) for season in SEASONS}
        self.n = max(self.count.values())
        self.examples = {
            season: torch.linspace(0, n - 1, min(EXAMPLES, n)).round().long() for season, n in self.count.items()
        }

    def __len__(self) -> int:
        return self.n

    def rows(self, index: Tensor) -> dict[str, Tensor]:
        """The photo of each season that a sample shows."""
        beyond, m = index - self.n, self.count["winter"]
        summer = torch.where(beyond < 0, index % self.count["summer"], beyond // m)
        return {"summer": summer, "winter": torch.where(beyond < 0, index, beyond) % m}

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        x = {season: floats(middle(self._photos(season, rows), self.size)) for season, rows in self.rows(index).items()}
        return x, x

    def _photos(self, season: str, rows: Tensor) -> Tensor:
        return rows_of(self.photos[season], rows)

    def draw(self, index: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """For training steps: a random square of each photo, mirrored at random; torch's global generator."""
        x = {}
        for season, rows in self.rows(index).items():
            photos = self._photos(season, rows)
            x[season] = floats(cut(photos, self.size, self.flip))
        return x, x

    def known(self, index: Tensor) -> dict[str, Any]:
        """first: is it the first time that examination shows this photo? example: is it one of a few, evenly spread,
        that stand for all? baselines and truth: uint8 pictures."""
        rows = self.rows(index)
        shown = {season: middle(self._photos(season, rows[season]), self.size) for season in SEASONS}
        known: dict[str, Any] = {
            "first": {season: index < self.count[season] for season in SEASONS},
            "example": {season: torch.isin(index, self.examples[season].to(index.device)) for season in SEASONS},
        }
        if self.transfer is not None:
            other = {"winter": shown["summer"], "summer": shown["winter"]}
            moved = {season: bytes_of(self.transfer(floats(other[season]), season)) for season in SEASONS}
            known["baselines"] = {"untouched": other, "color_transfer": moved}
        if self.truth is not None:
            other = {"winter": rows["summer"], "summer": rows["winter"]}
            known["truth"] = {season: self.truth[season].index_select(0, other[season]) for season in SEASONS}
        return known

    def targets(self) -> dict[str, Tensor]:
        """The photos themselves: no cost needs to see them before the first step."""
        return self.photos

    def epoch(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Every photo of the larger season once. Of the smaller one, round after shuffled round, the last cut short:
        nobody comes twice more than anybody else, and who comes once more is drawn anew each time."""
        shown = {season: self._round_after_round(count, generator) for season, count in self.count.items()}
        index = self.n + shown["summer"] * self.count["winter"] + shown["winter"]
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
