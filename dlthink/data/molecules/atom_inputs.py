"""Every atom of the run's nucleus in a file of the user's: a row of a table each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dlthink.data.molecules.atoms import Atoms
from dlthink.data.molecules.features.applicability_domain import near, symbol
from dlthink.data.molecules.features.featurize import ELEMENT, HYDROGENS, gathered
from dlthink.data.molecules.features.graphs import starts
from dlthink.data.molecules.inputs import HYDROGEN, Found, Inputs, columns_of

NEAR = 2  # bonds around an atom of an unknown kind
CARBON = 6


class AtomInputs(Inputs):
    """Columns: molecule, atom (as the file counts them, from 0), element, mean, std, low_90, high_90, of an ensemble
    aleatoric and epistemic, problem. Within two bonds of an atom of an unknown kind the spread is widened.
    """

    fixed = ("molecule", "atom", "element")
    widened = "within two bonds "

    def ask(self, found: Found, deuterated: set[int]) -> str | None:
        elements = found.told.column(ELEMENT)
        if self.state["nucleus"] == "1H":
            bearers = enumerate(zip(elements, found.told.column(HYDROGENS), strict=True))
            asked = [i for i, (element, hs) in bearers if hs and element != HYDROGEN and i not in deuterated]
        else:
            asked = [i for i, element in enumerate(elements) if element == CARBON]
        if not asked:
            return "no hydrogen in it" if self.state["nucleus"] == "1H" else "no carbon in it"
        if found.written:
            asked.sort(key=lambda i: found.written[i])
        found.asked = tuple(asked)
        return None

    def part(self, every: list[Found], place: int) -> AtomPart:
        return AtomPart(every, place, self.state)

    def counted(self) -> str:
        return f"{self.count} atoms of {self.molecules} molecules"

    def summary(self) -> str:
        simulated = self.state.get("called") == "simulated"
        warning = "; the run has learned SIMULATED shifts, do not take these for chemistry" if simulated else ""
        return f"{super().summary()}{warning}"


class AtomPart(Atoms):
    """Some molecules of the file, one after the other; place: of the first one, in the file."""

    def __init__(self, every: list[Found], place: int, state: dict) -> None:
        usable = [one for one in every if one.asked]
        super().__init__(
            gathered([one.told for one in usable]),
            starts(torch.tensor([len(one.asked) for one in usable], dtype=torch.long)),
            torch.tensor([index for one in usable for index in one.asked], dtype=torch.long),
            [one.smiles for one in usable],
        )
        self.every, self.columns, self.rows = every, [], []
        self.places = [place + i for i, one in enumerate(every) if one.asked]
        self.names = [one.name for one in usable]
        self.widest = torch.tensor([state["lookup"]["overall"][1] if "lookup" in state else 0.0])
        beside = near(self.graphs, [list(one.strange) for one in usable], NEAR)
        first = self.graphs.first_atom[:-1].repeat_interleave(self.first_row.diff())
        self.near = beside[first + self.atom][:, None]

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], None]:
        return self.take_x(index)[0], None

    def more(self, row: Tensor, molecule: list[int]) -> dict[str, Any]:
        place, least = torch.tensor([self.places[i] for i in molecule]), self.near[row.cpu()] * self.widest
        return {"place": place, "name": [self.names[i] for i in molecule], "least_std": least}

    def write(self, read: dict[str, Any], path: str) -> None:
        """The rows of a table, which `parts` puts behind those of the parts before."""
        columns = columns_of(read, self.near, self.widest)
        self.columns[:] = columns  # which a copy on another device shares
        values = iter(zip(*(column.flatten().tolist() for column in columns.values()), strict=True))
        for one in self.every:
            if not one.asked:
                self.rows.append([one.name, "", "", *[""] * len(columns), one.problem])
                continue
            elements = one.told.column(ELEMENT)
            for index in one.asked:
                numbers = [f"{value:.6g}" for value in next(values)]
                written = index if one.written is None else one.written[index]
                self.rows.append([one.name, written, symbol(elements[index]), *numbers, one.problem])
