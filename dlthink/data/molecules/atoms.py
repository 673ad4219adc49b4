"""Atoms of molecules whose value is asked for: a sample is a molecule, its rows are these atoms."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dlthink.data.molecules.features.graphs import Graphs, spread
from dlthink.data.molecules.measured import Measured

if TYPE_CHECKING:
    from typing import Self


class Atoms:
    """x of a batch of molecules: its graph (see `Graphs.take`), and of the rows

    asked [R]  the atom whose value is asked for, counted within the batch

    first_row: [n + 1], molecule i has rows first_row[i] .. first_row[i + 1] - 1; atom: [R] counted within the molecule;
    smiles: of each molecule.
    """

    def __init__(self, graphs: Graphs, first_row: Tensor, atom: Tensor, smiles: list[str]) -> None:
        self.graphs, self.first_row, self.atom, self.smiles = graphs, first_row, atom, smiles

    def __len__(self) -> int:
        return len(self.graphs)

    def take_x(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """x, and the rows of these molecules: [R]."""
        x, first = self.graphs.take(index)
        row, owner, _ = spread(self.first_row, index)
        x["asked"] = self.atom.index_select(0, row) + first.index_select(0, owner)
        return x, row

    def known(self, index: Tensor) -> dict[str, Any]:
        """What is known of the rows of these molecules: SMILES and atom, and what a subclass knows (`more`)."""
        row, owner, _ = spread(self.first_row, index)
        molecule = index.index_select(0, owner).tolist()
        place = {
            "structure": [self.smiles[i] for i in molecule],
            "atom": self.atom.index_select(0, row),
            "item": index.index_select(0, owner),
        }
        return self.more(row, molecule) | place

    def more(self, row: Tensor, molecule: list[int]) -> dict[str, Any]:
        """What else is known of these rows, each of which belongs to its molecule."""
        raise NotImplementedError

    def to(self, device: torch.device | str) -> Self:
        moved = copy(self)
        moved.graphs = self.graphs.to(device)
        moved.first_row, moved.atom = self.first_row.to(device), self.atom.to(device)
        return moved


class MeasuredAtoms(Measured, Atoms):
    """Atoms with their measured values."""

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        x, row = self.take_x(index)
        _, owner, _ = spread(self.first_row, index)
        x["tie"] = self.ties.index_select(0, index).index_select(0, owner)
        return x, self.y.index_select(0, row)

    def more(self, row: Tensor, molecule: list[int]) -> dict[str, Any]:
        return self.about_rows(row)
