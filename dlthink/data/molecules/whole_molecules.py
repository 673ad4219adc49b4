"""Molecules whose own value is asked for: a sample is a molecule, and so is its row."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dlthink.data.molecules.features.graphs import Graphs
from dlthink.data.molecules.measured import Measured

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


class MeasuredMolecules(Measured, WholeMolecules):
    """Molecules with their measured values: a row each."""

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        return self.take_x(index) | {"tie": self.ties.index_select(0, index)}, self.y.index_select(0, index)

    def known(self, index: Tensor) -> dict[str, Any]:
        return self.about_rows(index) | super().known(index)
