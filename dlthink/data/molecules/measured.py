"""Measured values of the rows of a split, and what else is known of them: the same for atoms and whole molecules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dlthink.nested_tensors import each

if TYPE_CHECKING:
    from typing import Self


class Measured:
    """Stands before a class of samples that says what their x is (`Atoms`, `WholeMolecules`).

    y: [R, n_targets], nan where nothing was measured; about: what is known of each row. x has also `tie`, a number that
    depends on the molecule alone, the same in every epoch and every run; ties: [n], those of the molecules.
    """

    def __init__(self, *molecules: Any, ties: Tensor, y: Tensor, about: dict[str, Any]) -> None:
        super().__init__(*molecules)
        self.ties, self.y, self.about = ties, y, about

    def about_rows(self, row: Tensor) -> dict[str, Any]:
        """What is known of these rows."""
        return each(lambda known: known.index_select(0, row), self.about)

    def targets(self) -> Tensor:
        return self.y

    def to(self, device: torch.device | str) -> Self:
        moved = super().to(device)
        moved.ties, moved.y = self.ties.to(device), self.y.to(device)
        moved.about = each(lambda known: known.to(device), self.about)
        return moved
