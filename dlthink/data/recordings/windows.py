"""Windows of bins, taken from a time-by-feature tensor when asked for and never stored."""

from __future__ import annotations

import csv
import math

import numpy as np
import torch

from dlthink.files.atomic import atomic

ROWS = 4096  # of a table, written at a time


class Windows:
    """x = features[row - before .. row + after], oldest first: [B, window, n_in] float32, gathered when asked for.

    features [T, n_in]; rows [n] the present bin of every sample, ascending
    """

    def __init__(self, features: torch.Tensor, rows: torch.Tensor, before: int, after: int) -> None:
        self.features, self.rows, self.before, self.after = features.contiguous(), rows, before, after
        self.window, self.first = before + 1 + after, rows - before

    def __len__(self) -> int:
        return len(self.rows)

    def take_x(self, index: torch.Tensor) -> torch.Tensor:
        return self.windows(self.first.index_select(0, index)).view(-1, self.window, self.features.shape[1])

    def windows(self, first: torch.Tensor) -> torch.Tensor:
        """The windows that begin at these bins: [B, window * n_in]."""
        bins, width = self.features.shape
        # Row t of this view is the window that begins at bin t: one run of memory, overlapping the next.
        view = self.features.as_strided((bins - self.window + 1, self.window * width), (width, 1))
        return view.index_select(0, first)


class Split(Windows):
    """Windows with what is to be predicted of their present bin: y [B, n_targets]. The examination alone sees the rest:

    time  [n] centre of the present bin, seconds after the recording's beginning
    item  [n] the stretch of time by which runs are compared
    rate  [n, n_targets] expected counts, where they are known
    log_prob  [n, n_targets] of y by the true distribution, where that is known

    The y of all bins [T, n_targets], and what is known of them, is held once by all splits. What is known stays on the
    CPU, where every device's times can be float64.
    """

    def __init__(
        self,
        features: torch.Tensor,
        y: torch.Tensor,
        rows: torch.Tensor,
        before: int,
        after: int,
        known: dict[str, torch.Tensor],
    ) -> None:
        super().__init__(features, rows, before, after)
        self.y = y
        self.places, self._known = rows, known  # of all bins, of which a sample's is that of its place

    def take(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.take_x(index), self.y.index_select(0, self.rows.index_select(0, index))

    def known(self, index: torch.Tensor) -> dict[str, torch.Tensor]:
        place = self.places.index_select(0, index.cpu())
        return {name: values.index_select(0, place) for name, values in self._known.items()}

    def targets(self) -> torch.Tensor:
        return self.y.index_select(0, self.rows)

    def to(self, device: torch.device | str) -> Split:
        moved = object.__new__(Split)
        Windows.__init__(moved, self.features.to(device), self.rows.to(device), self.before, self.after)
        moved.y, moved.places, moved._known = self.y.to(device), self.places, self._known
        return moved


class Inputs(Windows):
    """Windows of a user's own file, whose predictions go to a table.

    times  [n] centre of each bin on the file's own clock, s; `bin` seconds apart
    names  of the targets: units, or covariates that are decoded
    notes  lines on what looks wrong in the file
    """

    def __init__(
        self,
        features: torch.Tensor,
        rows: torch.Tensor,
        before: int,
        after: int,
        times: np.ndarray,
        bin: float,
        names: list[str],
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(features, rows, before, after)
        self.times, self.bin, self.names, self.notes = times, bin, names, notes

    def take(self, index: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.take_x(index), None

    def known(self, index: torch.Tensor) -> dict:
        return {}

    def summary(self) -> str:
        """What was predicted, for the terminal."""
        return "; ".join([*(f"note: {note}" for note in self.notes), f"{len(self)} predictions"])

    def to(self, device: torch.device | str) -> Inputs:
        features, rows = self.features.to(device), self.rows.to(device)
        return Inputs(features, rows, self.before, self.after, self.times, self.bin, self.names, self.notes)

    def write(self, read: dict[str, torch.Tensor], path: str) -> None:
        """A CSV, whole or not at all: `time` (bin centre, s), `name[TARGET]` of every [n, n_targets] tensor."""
        shape = (len(self), len(self.names))
        tables = {k: v for k, v in read.items() if isinstance(v, torch.Tensor) and tuple(v.shape) == shape}
        header = ["time", *(f"{name}[{unit}]" for name in tables for unit in self.names)]
        formats = [f"%.{self._digits()}g"] + ["%.8g"] * (len(header) - 1)
        with atomic(path) as file:
            csv.writer(file, lineterminator="\n").writerow(header)
            for first in range(0, len(self), ROWS):
                part = slice(first, first + ROWS)
                columns = [self.times[part, None], *(v[part].detach().cpu().double().numpy() for v in tables.values())]
                np.savetxt(file, np.concatenate(columns, axis=1), fmt=formats, delimiter=",")

    def _digits(self) -> int:
        """As many as tell one bin from the next, and four for where in it; what float64 does not know is left out."""
        latest = float(np.abs(self.times).max(initial=self.bin))
        return min(max(10, math.ceil(math.log10(latest / self.bin)) + 4), 16)
