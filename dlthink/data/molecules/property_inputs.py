"""Every molecule in a file of the user's, for its properties: a row of a table each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dlthink.data.molecules.features import descriptors
from dlthink.data.molecules.features.featurize import gathered
from dlthink.data.molecules.features.structures import molecule_of_smiles
from dlthink.data.molecules.inputs import Found, Inputs, columns_of
from dlthink.data.molecules.whole_molecules import WholeMolecules
from dlthink.errors import BadInput


class PropertyInputs(Inputs):
    """Columns: molecule, smiles, mean, std, low_90, high_90, of an ensemble aleatoric and epistemic, problem. Where a
    run has several targets, mean[NAME] and so on of each. The spread of a molecule with an atom of an unknown kind is
    widened to that of training.
    """

    fixed = ("molecule", "smiles")

    def __init__(self, path: str, state: dict) -> None:
        super().__init__(path, state)
        unknown = {*state["scales"]["names"]} - {*(descriptors.names() if state["scales"]["names"] else [])}
        if unknown:
            raise BadInput(
                f"input={path}: the run was trained with the descriptor {min(unknown)}, which this rdkit has not: "
                f"install the one that it was trained with, or train anew"
            )

    def ask(self, found: Found, deuterated: set[int]) -> str | None:
        found.asked = (0,)
        if wanted := self.state["scales"]["names"]:
            found.more = {"descriptors": descriptors.described([molecule_of_smiles(found.smiles)], wanted)}
        return None

    def part(self, every: list[Found], place: int) -> PropertyPart:
        return PropertyPart(every, place, self.state)


class PropertyPart(WholeMolecules):
    """Some molecules of the file, one after the other; place: of the first one, in the file."""

    def __init__(self, every: list[Found], place: int, state: dict) -> None:
        usable = [one for one in every if one.asked]
        told = [one.more["descriptors"] for one in usable if one.more]
        numbers = descriptors.standardized(torch.cat(told), state["scales"]) if told else torch.zeros(len(usable), 0)
        super().__init__(gathered([one.told for one in usable]), numbers, [one.smiles for one in usable])
        self.every, self.columns, self.rows = every, [], []
        self.places = torch.tensor([place + i for i, one in enumerate(every) if one.asked])
        self.names = [one.name for one in usable]
        self.targets, self.widest = state["targets"], state["spread"]
        self.strange = torch.tensor([bool(one.strange) for one in usable])[:, None]

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], None]:
        return self.take_x(index), None

    def known(self, index: Tensor) -> dict[str, Any]:
        names, least = [self.names[i] for i in index.tolist()], self.strange[index.cpu()] * self.widest
        return super().known(index) | {"place": self.places[index.cpu()], "name": names, "least_std": least}

    def write(self, read: dict[str, Any], path: str) -> None:
        """The rows of a table, which `parts` puts behind those of the parts before."""
        columns = columns_of(read, self.strange, self.widest)
        several = len(self.targets) > 1
        self.columns[:] = [f"{c}[{t}]" if several else c for t in self.targets for c in columns]
        values = iter(torch.stack(list(columns.values()), 2).flatten(1).tolist())  # targets, columns of each
        for one in self.every:
            numbers = [f"{v:.6g}" for v in next(values)] if one.asked else [""] * len(self.columns)
            self.rows.append([one.name, one.smiles, *numbers, one.problem])
