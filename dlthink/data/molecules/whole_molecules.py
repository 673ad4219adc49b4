"""Molecules whose own value is asked for: a sample is a molecule, and so is its row."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dlthink.data.molecules.features.graphs import Graphs
from dlthink.nested_tensors import each

if TYPE_CHECKING:
    from typing import Self


class WholeMolecules:
    """x of a batch of molecules: its graph (see `Graphs.take`), and where there are any

    descriptors [n, descriptors]  what rdkit computes of each

    smiles: of each molecule.
    """

    def __init__(self, graphs: Graphs, descriptors: Tensor, smiles: list[str]) -> None:
        self.graphs, self.descriptors, self.smiles = graphs, descriptors, smiles

    def __len__(self) -> int:
        return len(self.graphs)

    def take_x(self, index: Tensor) -> dict[str, Tensor]:
        x, _ = self.graphs.take(index)
        if self.descriptors.shape[1]:
            x["descriptors"] = self.descriptors.index_select(0, index)
        return x

    def known(self, index: Tensor) -> dict[str, Any]:
        """SMILES and number of each molecule."""
        return {"structure": [self.smiles[i] for i in index.tolist()], "item": index}

    def to(self, device: torch.device | str) -> Self:
        moved = copy(self)
        moved.graphs, moved.descriptors = self.graphs.to(device), self.descriptors.to(device)
        return moved


class Measured(WholeMolecules):
    """Molecules with their measured values, y [n, n_targets], nan where nothing was measured. `about`: what is known
    of each.

    x has also tie [n], a number that depends on the molecule alone, the same in every epoch and every run.
    """

    def __init__(self, *molecules: Any, ties: Tensor, y: Tensor, about: dict[str, Any]) -> None:
        super().__init__(*molecules)
        self.ties, self.y, self.about = ties, y, about

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        return self.take_x(index) | {"tie": self.ties.index_select(0, index)}, self.y.index_select(0, index)

    def known(self, index: Tensor) -> dict[str, Any]:
        return each(lambda known: known.index_select(0, index), self.about) | super().known(index)

    def targets(self) -> Tensor:
        return self.y

    def to(self, device: torch.device | str) -> Self:
        moved = super().to(device)
        moved.ties, moved.y = self.ties.to(device), self.y.to(device)
        moved.about = each(lambda known: known.to(device), self.about)
        return moved
