"""Causal windows, taken from a time-by-feature tensor when asked for and never stored."""

from __future__ import annotations

import csv

import numpy as np
import torch

from dlthink.files.atomic import whole


class Windows:
    """x = features[row - history .. row], oldest first: [B, window, n_in] float32, gathered when asked for.

    features [T, n_in]; rows [n] the present bin of every sample, row >= history
    """

    def __init__(self, features: torch.Tensor, rows: torch.Tensor, history: int) -> None:
        self.features, self.rows, self.window = features.contiguous(), rows, history + 1
        self.first = rows - history

    def __len__(self) -> int:
        return len(self.rows)

    def take_x(self, index: torch.Tensor) -> torch.Tensor:
        bins, width = self.features.shape
        # Row t of this view is the window that begins at bin t: one run of memory, overlapping the next.
        view = self.features.as_strided((bins - self.window + 1, self.window * width), (width, 1))
        return view.index_select(0, self.first.index_select(0, index)).view(-1, self.window, width)


class Split(Windows):
    """Windows with the counts of their present bin: y [B, n_targets]. Only the examination sees what is `known`:

    time  [n] centre of the present bin, s
    rate  [n, n_targets] expected counts, where they are known
    """

    def __init__(
        self,
        features: torch.Tensor,
        counts: torch.Tensor,
        rows: torch.Tensor,
        history: int,
        known: dict[str, torch.Tensor],
    ) -> None:
        super().__init__(features, rows, history)
        self.counts = counts.index_select(0, rows)
        self.truth = {name: values.index_select(0, rows) for name, values in known.items()}

    def take(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.take_x(index), self.counts.index_select(0, index)

    def known(self, index: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: values.index_select(0, index) for name, values in self.truth.items()}

    def targets(self) -> torch.Tensor:
        return self.counts

    def to(self, device: torch.device | str) -> Split:
        moved = object.__new__(Split)
        moved.window = self.window
        moved.features, moved.rows, moved.first = (t.to(device) for t in (self.features, self.rows, self.first))
        moved.counts = self.counts.to(device)
        moved.truth = {name: t.to(device) for name, t in self.truth.items()}
        return moved


class Inputs(Windows):
    """Windows of a user's own file, whose predictions go to a table. times [n]: centre of each bin, s."""

    def __init__(
        self, features: torch.Tensor, rows: torch.Tensor, history: int, times: np.ndarray, units: list[str]
    ) -> None:
        super().__init__(features, rows, history)
        self.times, self.units = times, units

    def take(self, index: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.take_x(index), None

    def known(self, index: torch.Tensor) -> dict:
        return {}

    def told(self) -> str:
        """What was predicted, for the terminal."""
        return f"{len(self)} predictions"

    def to(self, device: torch.device | str) -> Inputs:
        return Inputs(self.features.to(device), self.rows.to(device), self.window - 1, self.times, self.units)

    def write(self, read: dict[str, torch.Tensor], path: str) -> None:
        """A CSV, whole or not at all: `time` (bin centre, s), `name[UNIT]` of every [n, n_targets] tensor."""
        shape = (len(self), len(self.units))
        tables = {k: v for k, v in read.items() if isinstance(v, torch.Tensor) and tuple(v.shape) == shape}
        header = ["time", *(f"{name}[{unit}]" for name in tables for unit in self.units)]
        columns = [self.times[:, None], *(v.detach().double().cpu().numpy() for v in tables.values())]
        with whole(path) as file:
            csv.writer(file, lineterminator="\n").writerow(header)
            formats = ["%.10g"] + ["%.8g"] * (len(header) - 1)
            np.savetxt(file, np.concatenate(columns, axis=1), fmt=formats, delimiter=",")
