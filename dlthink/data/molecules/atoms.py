"""Atoms of molecules whose value is asked for: a sample is a molecule, its rows are these atoms."""

from __future__ import annotations

import csv
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlthink.data.molecules.graphs import Graphs, spread
from dlthink.errors import BadInput


class Atoms:
    """x of a batch of molecules: its graph (see `Graphs.take`), and of the rows

    asked [R]  the atom whose value is asked for, counted within the batch
    tie   [R]  a number that depends on the molecule alone, the same in every epoch and every run

    first_row: [n + 1], molecule i has rows first_row[i] .. first_row[i + 1] - 1; atom: [R] counted within the molecule;
    ties: [n].
    """

    def __init__(self, graphs: Graphs, first_row: Tensor, atom: Tensor, ties: Tensor) -> None:
        self.graphs, self.first_row, self.atom, self.ties = graphs, first_row, atom, ties

    def __len__(self) -> int:
        return len(self.graphs)

    def take_x(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """x, and the rows of these molecules: [R]."""
        x, first = self.graphs.take(index)
        row, owner, _ = spread(self.first_row, index)
        x["asked"] = self.atom.index_select(0, row) + first.index_select(0, owner)
        x["tie"] = self.ties.index_select(0, index).index_select(0, owner)
        return x, row

    def moved(self, device: torch.device | str) -> tuple[Graphs, Tensor, Tensor, Tensor]:
        return self.graphs.to(device), self.first_row.to(device), self.atom.to(device), self.ties.to(device)


class Split(Atoms):
    """Atoms with their measured values, y [R, 1]. `about`: what is known of each row; `smiles`: of each molecule."""

    def __init__(
        self,
        graphs: Graphs,
        first_row: Tensor,
        atom: Tensor,
        ties: Tensor,
        y: Tensor,
        about: dict[str, Any],
        smiles: list[str],
    ) -> None:
        super().__init__(graphs, first_row, atom, ties)
        self.y, self.about, self.smiles = y, about, smiles

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        x, row = self.take_x(index)
        return x, self.y.index_select(0, row)

    def known(self, index: Tensor) -> dict[str, Any]:
        row, owner, _ = spread(self.first_row, index)
        return known(self.about, self.smiles, self.atom, index, row, owner)

    def targets(self) -> Tensor:
        return self.y

    def to(self, device: torch.device | str) -> Split:
        return Split(*self.moved(device), self.y.to(device), _at(self.about, lambda t: t.to(device)), self.smiles)


def known(about: dict, smiles: list[str], atom: Tensor, index: Tensor, row: Tensor, owner: Tensor) -> dict[str, Any]:
    """What is known of the rows `row`, which belong to the molecules `index[owner]`: numbers, SMILES, atom."""
    molecules = index.tolist()
    return _at(about, lambda t: t.index_select(0, row)) | {
        "structure": [smiles[molecules[place]] for place in owner.tolist()],
        "atom": atom.index_select(0, row),
    }


def _at(value: Any, function: Any) -> Any:
    return {key: _at(item, function) for key, item in value.items()} if isinstance(value, dict) else function(value)


class Inputs(Atoms):
    """Atoms of a user's own molecules, whose predictions go to a table.

    names: of every molecule in the file, in its order; rejected: {place in the file: why it cannot be predicted}.
    """

    def __init__(
        self,
        graphs: Graphs,
        first_row: Tensor,
        atom: Tensor,
        ties: Tensor,
        smiles: list[str],
        symbols: list[str],
        written: list[int],
        names: list[str],
        rejected: dict[int, str],
    ) -> None:
        super().__init__(graphs, first_row, atom, ties)
        self.smiles, self.symbols, self.written, self.names, self.rejected = smiles, symbols, written, names, rejected

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], None]:
        return self.take_x(index)[0], None

    def known(self, index: Tensor) -> dict[str, Any]:
        row, owner, _ = spread(self.first_row, index)
        return known({}, self.smiles, self.atom, index, row, owner)

    def told(self) -> str:
        """What was predicted, for the terminal."""
        skipped = f"; {len(self.rejected)} have none (see the column problem)" if self.rejected else ""
        return f"{len(self.atom)} atoms of {len(self)} molecules{skipped}"

    def to(self, device: torch.device | str) -> Inputs:
        return Inputs(*self.moved(device), self.smiles, self.symbols, self.written, self.names, self.rejected)

    def write(self, read: dict[str, Any], path: str) -> None:
        """A CSV, whole or not at all: molecule, atom (as the file counts them, from 0), element, mean, std, low_90,
        high_90; a molecule that cannot be predicted has one row that says why.
        """
        mean, std, low, high = (column.flatten().tolist() for column in _columns(read))
        first = self.first_row.tolist()
        kept = iter(range(len(self)))
        target = Path(path)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with unfinished.open("w", newline="", encoding="utf-8") as file:
                table = csv.writer(file, lineterminator="\n")
                table.writerow(["molecule", "atom", "element", "mean", "std", "low_90", "high_90", "problem"])
                for place, name in enumerate(self.names):
                    if place in self.rejected:
                        table.writerow([name, "", "", "", "", "", "", self.rejected[place]])
                        continue
                    molecule = next(kept)
                    for row in range(first[molecule], first[molecule + 1]):
                        values = (f"{column[row]:.6g}" for column in (mean, std, low, high))
                        table.writerow([name, self.written[row], self.symbols[row], *values, ""])
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, target)
        except OSError as error:
            raise BadInput(
                f"output={path}: cannot be written ({error.strerror or error}): choose another place"
            ) from error
        finally:
            with suppress(OSError):  # what could not be opened cannot be removed
                unfinished.unlink(missing_ok=True)


def _columns(read: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """mean, std and the ends of the central 90 % interval; nan where the cost says nothing of it."""
    mean = read["mean"]
    nothing = torch.full_like(mean, torch.nan)
    distribution = read.get("distribution")
    if distribution is None:
        return mean, read.get("std", nothing), nothing, nothing
    ends = [distribution.icdf(torch.full_like(mean, p)) for p in (0.05, 0.95)]
    return mean, read["std"], *ends
