"""In which order training samples come: seeded, resumable at any batch of any epoch."""

import math
from collections.abc import Iterator
from typing import Literal

import torch

from dlthink.errors import BadInput
from dlthink.protocols import Split

BatchSize = int | Literal["auto"] | None
SHARE, FEWEST, MOST = 16, 64, 1024  # of "auto": batches in an epoch; samples in a batch


def batch_size(wanted: BatchSize, samples: int) -> int:
    """How many of the training samples a batch holds: `wanted`, None for all, never more than there are.

    auto: 2^round(log2(samples / 16)), from 64 to 1,024. An epoch is then some 16 batches, so that a number of steps is
    as many epochs of 1,000 samples as of 16,000; fewer come more often, more of them less.
    """
    if wanted == "auto":
        wanted = 2 ** round(math.log2(min(max(samples / SHARE, FEWEST), MOST)))
    return min(wanted or samples, samples)


class Sampler:
    """Epochs of batches of indices, drawn by a generator of its own.

    A split may bring its own epochs (`epoch(batch, generator) -> list of index tensors`, for batches with structure);
    otherwise an epoch is a random permutation cut into equal batches. What does not fill a batch is left out of that
    epoch (another random remainder each time), so that every batch has the same shape.
    """

    def __init__(self, split, batch: BatchSize, seed: int, device: torch.device):
        self.split, self.device = split, device
        self.batch = batch_size(batch, len(split))
        self.generator = torch.Generator().manual_seed(seed)
        self.epoch, self.position = 0, 0
        self._own = Split.epoch.of(split) if Split.epoch.given(split) else None
        self._behind = 0  # samples that came in this epoch before the size of batches was changed
        self._begin = self.generator.get_state()
        self._batches = len(self._draw(torch.Generator())) if self._own else len(split) // self.batch

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._batches

    @property
    def epochs(self) -> float:
        """Epochs behind us, the begun one as its share."""
        return self.epoch + min(1.0, (self._behind + self.position * self.batch) / (self._batches * self.batch))

    def _draw(self, generator: torch.Generator):
        if self._own:
            return [self._move(index) for index in self._own(self.batch, generator)]
        n = len(self.split)
        if self.batch == n and not self._behind:
            return torch.arange(n, device=self.device)[None]
        rest = torch.randperm(n, generator=generator)[self._behind :]
        return self._move(rest[: len(rest) // self.batch * self.batch]).view(-1, self.batch)

    def _move(self, index: torch.Tensor) -> torch.Tensor:
        """To the device, without waiting for it."""
        if self.device.type == "cuda":
            index = index.pin_memory()
        return index.to(self.device, non_blocking=True)

    def __iter__(self) -> Iterator[torch.Tensor]:
        """Batches without end; `epoch` and `position` say how many are behind us."""
        while True:
            self._begin = self.generator.get_state()
            batches = self._draw(self.generator)
            for index in batches[self.position :]:
                self.position += 1
                yield index
            self.epoch, self.position, self._behind = self.epoch + 1, 0, 0

    def next(self) -> torch.Tensor:
        """The batch that comes next, before anything is drawn; it still comes next afterwards."""
        kept = self.epoch, self.position, self._behind, self._begin, self.generator.get_state()
        batch = next(iter(self))
        self.epoch, self.position, self._behind, self._begin, state = kept
        self.generator.set_state(state)
        return batch

    def state(self) -> dict:
        return {
            "epoch": self.epoch,
            "position": self.position,
            "generator": self._begin,
            "behind": self._behind,
            "batch": self.batch,
            "samples": len(self.split),
        }

    def restore(self, saved: dict) -> str | None:
        """Go on from a state. In batches of another size, the epoch that has begun goes on with what is left of it, or
        from its beginning where the split brings its own epochs: this is the note that is returned.

        Raises BadInput for a state of other data.
        """
        if saved.get("samples", len(self.split)) != len(self.split):
            raise BadInput(
                f"the data have {len(self.split)} training samples, and had {saved['samples']} when the run began; "
                f"give it the same data, or train anew"
            )
        self.epoch, self.position, self._behind = saved["epoch"], saved["position"], saved.get("behind", 0)
        self.generator.set_state(saved["generator"].cpu())
        before = saved.get("batch", self.batch)
        if before == self.batch:
            return None
        note = f"batches of {self.batch} from here on, no longer of {before}; the epoch that has begun "
        if self._own:
            self.position = 0
            return note + "begins again"
        self._behind, self.position = self._behind + self.position * before, 0
        return note + "goes on with the samples that did not come yet"
