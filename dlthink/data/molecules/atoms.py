"""Atoms of molecules whose value is asked for: a sample is a molecule, its rows are these atoms."""

from __future__ import annotations

import csv
from copy import copy
from typing import Any

import torch
from torch import Tensor

from dlthink.data.molecules.graphs import Graphs, spread
from dlthink.files.atomic import whole
from dlthink.nested import each


class Atoms:
    """x of a batch of molecules: its graph (see `Graphs.take`), and of the rows

    asked [R]  the atom whose value is asked for, counted within the batch
    tie   [R]  a number that depends on the molecule alone, the same in every epoch and every run

    first_row: [n + 1], molecule i has rows first_row[i] .. first_row[i + 1] - 1; atom: [R] counted within the molecule;
    ties: [n]; smiles: of each molecule.
    """

    def __init__(self, graphs: Graphs, first_row: Tensor, atom: Tensor, ties: Tensor, smiles: list[str]) -> None:
        self.graphs, self.first_row, self.atom, self.ties, self.smiles = graphs, first_row, atom, ties, smiles

    def __len__(self) -> int:
        return len(self.graphs)

    def take_x(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """x, and the rows of these molecules: [R]."""
        x, first = self.graphs.take(index)
        row, owner, _ = spread(self.first_row, index)
        x["asked"] = self.atom.index_select(0, row) + first.index_select(0, owner)
        x["tie"] = self.ties.index_select(0, index).index_select(0, owner)
        return x, row

    def known(self, index: Tensor) -> dict[str, Any]:
        """What is known of the rows of these molecules: SMILES and atom, and what a subclass knows (`more`)."""
        row, owner, _ = spread(self.first_row, index)
        molecule = index.index_select(0, owner).tolist()
        place = {"structure": [self.smiles[i] for i in molecule], "atom": self.atom.index_select(0, row)}
        return self.more(row, molecule) | place

    def more(self, row: Tensor, molecule: list[int]) -> dict[str, Any]:
        """What else is known of these rows, each of which belongs to its molecule."""
        raise NotImplementedError

    def to(self, device: torch.device | str) -> Atoms:
        moved = copy(self)
        moved.graphs = self.graphs.to(device)
        moved.first_row, moved.atom, moved.ties = (t.to(device) for t in (self.first_row, self.atom, self.ties))
        return moved


class Split(Atoms):
    """Atoms with their measured values, y [R, 1]. `about`: what is known of each row."""

    def __init__(self, *atoms: Any, y: Tensor, about: dict[str, Any]) -> None:
        super().__init__(*atoms)
        self.y, self.about = y, about

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        x, row = self.take_x(index)
        return x, self.y.index_select(0, row)

    def more(self, row: Tensor, molecule: list[int]) -> dict[str, Any]:
        return each(lambda known: known.index_select(0, row), self.about)

    def targets(self) -> Tensor:
        return self.y

    def to(self, device: torch.device | str) -> Split:
        moved = super().to(device)
        moved.y, moved.about = self.y.to(device), each(lambda known: known.to(device), self.about)
        return moved


class Inputs(Atoms):
    """Atoms of a user's own molecules, whose predictions go to a table.

    symbols, written: of each row, its element and its index in the file; names: of every molecule in the file, in its
    order; rejected: {place in the file: why it cannot be predicted}; simulated: what the run has learned.
    """

    def __init__(
        self,
        *atoms: Any,
        symbols: list[str],
        written: list[int],
        names: list[str],
        rejected: dict[int, str],
        simulated: bool,
    ) -> None:
        super().__init__(*atoms)
        self.symbols, self.written, self.names, self.rejected = symbols, written, names, rejected
        self.simulated = simulated
        self.places = [place for place in range(len(names)) if place not in rejected]  # in the file, of each molecule

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], None]:
        return self.take_x(index)[0], None

    def more(self, row: Tensor, molecule: list[int]) -> dict[str, Any]:
        place = [self.places[i] for i in molecule]
        return {"place": torch.tensor(place), "name": [self.names[i] for i in place]}

    def told(self) -> str:
        """What was predicted, for the terminal."""
        skipped = f"; {len(self.rejected)} have none (see the column problem)" if self.rejected else ""
        warning = "; the run has learned SIMULATED shifts, do not take these for chemistry" if self.simulated else ""
        return f"{len(self.atom)} atoms of {len(self)} molecules{skipped}{warning}"

    def write(self, read: dict[str, Any], path: str) -> None:
        """A CSV, whole or not at all: molecule, atom (as the file counts them, from 0), element, mean, std, low_90,
        high_90, of an ensemble aleatoric and epistemic; a molecule that cannot be predicted has one row that says why.
        """
        columns = {name: column.flatten().tolist() for name, column in _columns(read).items()}
        first = self.first_row.tolist()
        molecules = {place: molecule for molecule, place in enumerate(self.places)}
        with whole(path) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["molecule", "atom", "element", *columns, "problem"])
            for place, name in enumerate(self.names):
                if place in self.rejected:
                    table.writerow([name, "", "", *[""] * len(columns), self.rejected[place]])
                    continue
                molecule = molecules[place]
                for row in range(first[molecule], first[molecule + 1]):
                    values = (f"{column[row]:.6g}" for column in columns.values())
                    table.writerow([name, self.written[row], self.symbols[row], *values, ""])


def _columns(read: dict[str, Any]) -> dict[str, Tensor]:
    """mean, std and the ends of the central 90 % interval, nan where the cost is silent; the parts of an ensemble."""
    mean = read["mean"]
    nothing = torch.full_like(mean, torch.nan)
    columns = {"mean": mean, "std": read.get("std", nothing)}
    for name, p in (("low_90", 0.05), ("high_90", 0.95)):
        columns[name] = read["distribution"].icdf(torch.full_like(mean, p)) if "distribution" in read else nothing
    return columns | {name: read[name] for name in ("aleatoric", "epistemic") if name in read}
