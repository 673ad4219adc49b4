"""In which order training samples come: seeded, resumable at any batch of any epoch."""

from collections.abc import Iterator

import torch


class Order:
    """Epochs of batches of indices, drawn by a generator of its own.

    A split may bring its own epochs (`epoch(batch, generator) -> list of index tensors`, for batches with structure);
    otherwise an epoch is a random permutation cut into equal batches. What does not fill a batch is left out of that
    epoch (another random remainder each time), so that every batch has the same shape.
    """

    def __init__(self, split, batch: int | None, seed: int, device: torch.device):
        self.split, self.device = split, device
        self.batch = min(batch or len(split), len(split))
        self.generator = torch.Generator().manual_seed(seed)
        self.epoch, self.position = 0, 0
        self._begin = self.generator.get_state()

    def __len__(self) -> int:
        """Batches in an epoch."""
        if hasattr(self.split, "epoch"):
            return len(self._draw(torch.Generator().manual_seed(0)))
        return len(self.split) // self.batch

    def _draw(self, generator: torch.Generator):
        if hasattr(self.split, "epoch"):
            return [self._move(index) for index in self.split.epoch(self.batch, generator)]
        n = len(self.split)
        if self.batch == n:
            return torch.arange(n, device=self.device)[None]
        whole = n // self.batch * self.batch
        return self._move(torch.randperm(n, generator=generator)[:whole]).view(-1, self.batch)

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
            self.epoch, self.position = self.epoch + 1, 0

    def state(self) -> dict:
        return {"epoch": self.epoch, "position": self.position, "generator": self._begin}

    def restore(self, saved: dict) -> None:
        self.epoch, self.position = saved["epoch"], saved["position"]
        self.generator.set_state(saved["generator"].cpu())
