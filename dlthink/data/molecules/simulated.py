"""The embedded molecules: real structures with simulated shifts whose true mean and spread are known."""

from __future__ import annotations

import torch
from torch import Tensor

from dlthink.data.molecules.nci import read_nci
from dlthink.data.molecules.prepared_shifts import PreparedShifts, prepare
from dlthink.data.molecules.shift_data import ShiftData


class Molecules(ShiftData):
    """The first `molecules` of the NCI table that comes with rdkit, 13C shifts SIMULATED (see `nci.py`).

    molecules  how many; 4,000 or so are there
    seed       of the noise; the run has a seed of its own
    """

    called = "simulated"
    fixed = (*ShiftData.fixed, "molecules", "seed")
    elements = ["H", "C", "N", "O", "F", "S", "P", "Cl"]
    largest = 64

    def __init__(self, molecules: int = 2000, seed: int = 0, **splitting) -> None:
        self.molecules, self.seed = molecules, seed
        super().__init__(**splitting)

    def prepared(self) -> PreparedShifts:
        reading, means, stds = read_nci(self.molecules, self.seed, self.elements, self.largest, self.tautomers)
        self._mean, self._std = (
            torch.tensor([values[atom] for values in known for atom in sorted(values)]) for known in (means, stds)
        )
        return prepare(reading)

    def source(self) -> str:
        return f"data.molecules={self.molecules}"

    def truth(self, rows: Tensor) -> dict[str, Tensor]:
        return {"mean": self._mean[rows, None], "std": self._std[rows, None]}
