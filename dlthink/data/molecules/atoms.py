"""Atoms of molecules whose value is asked for: a sample is a molecule, its rows are these atoms."""

from __future__ import annotations

import csv
from typing import Any

import torch
from torch import Tensor

from dlthink.data.molecules.graphs import Graphs, spread
from dlthink.data.whole import whole


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
        simulated: bool = False,
    ) -> None:
        super().__init__(graphs, first_row, atom, ties)
        self.simulated = simulated
        self.smiles, self.symbols, self.written, self.names, self.rejected = smiles, symbols, written, names, rejected

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], None]:
        return self.take_x(index)[0], None

    def known(self, index: Tensor) -> dict[str, Any]:
        row, owner, _ = spread(self.first_row, index)
        places = torch.tensor([place for place in range(len(self.names)) if place not in self.rejected])
        place = places[index.cpu()[owner.cpu()]]
        named = {"place": place, "name": [self.names[i] for i in place.tolist()]}
        return known({}, self.smiles, self.atom, index, row, owner) | named

    def told(self) -> str:
        """What was predicted, for the terminal."""
        skipped = f"; {len(self.rejected)} have none (see the column problem)" if self.rejected else ""
        warning = "; the run has learned SIMULATED shifts, do not take these for chemistry" if self.simulated else ""
        return f"{len(self.atom)} atoms of {len(self)} molecules{skipped}{warning}"

    def to(self, device: torch.device | str) -> Inputs:
        return Inputs(
            *self.moved(device), self.smiles, self.symbols, self.written, self.names, self.rejected, self.simulated
        )

    def write(self, read: dict[str, Any], path: str) -> None:
        """A CSV, whole or not at all: molecule, atom (as the file counts them, from 0), element, mean, std, low_90,
        high_90, of an ensemble aleatoric and epistemic; a molecule that cannot be predicted has one row that says why.
        """
        columns = {name: column.flatten().tolist() for name, column in _columns(read).items()}
        first = self.first_row.tolist()
        kept = iter(range(len(self)))
        with whole(path) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["molecule", "atom", "element", *columns, "problem"])
            for place, name in enumerate(self.names):
                if place in self.rejected:
                    table.writerow([name, "", "", *[""] * len(columns), self.rejected[place]])
                    continue
                molecule = next(kept)
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
