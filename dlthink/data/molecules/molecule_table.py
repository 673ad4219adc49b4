"""The user's own molecules with measured properties: a value, or several, for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from dlthink.data.column_names import Name, as_written
from dlthink.data.molecules.boosting import Boosting
from dlthink.data.molecules.features import descriptors as computed
from dlthink.data.molecules.molecule_data import MoleculeData
from dlthink.data.molecules.neighbours import Neighbours
from dlthink.data.molecules.prepared import cached
from dlthink.data.molecules.prepared_properties import PreparedProperties, prepare
from dlthink.data.molecules.property_inputs import PropertyInputs
from dlthink.data.molecules.readers import molecule_contents
from dlthink.data.molecules.readers.property_records import Wanted, read
from dlthink.data.molecules.whole_molecules import MeasuredMolecules
from dlthink.errors import BadInput

Baseline = Literal["constant", "lookup", "boosting"]
WITHOUT = "no boosted trees to compare with: they need scikit-learn, of the extra table: pip install 'dlthink[table]'"


class MoleculeTable(MoleculeData):
    """Rows are molecules: y [n, n_targets] in the units of the file, nan where nothing was measured.

    path         .csv, .tsv and other tables, .sdf, JSON lines; plain or .gz
    smiles       the column of the structures; null: one called smiles, or something with that word
    target       the column to predict, or several; a molecule has one of them at least
    split        random or scaffold; else the column that says train, val or test
    group        a column: molecules with the same word in it stay on one side
    missing      values that stand for nothing known, -999 say
    descriptors  the network also sees what rdkit computes of a molecule as a whole
    unit         of the values, or a list with one of each target
    baselines    what the examination compares with: constant, lookup (nearest neighbours), boosting (on fingerprints)
    state        also holds names and training spread of the targets, scales of descriptors, what baselines have learned

    Raises BadInput, naming the file and the column.
    """

    family = "properties of molecules"
    prepares = (*MoleculeData.prepares, "descriptors", "missing")
    fixed = (*MoleculeData.fixed, "group", "target", "descriptors", "missing")
    row = "values"

    def __init__(
        self,
        path: str | None = None,
        smiles: Name | None = None,
        target: Name | list[Name] | None = None,
        split: Name = "random",
        group: Name | None = None,
        missing: list[Name] | None = None,
        descriptors: bool = False,
        baselines: Sequence[Baseline] = ("constant", "lookup", "boosting"),
        unit: str | list[str] = "",
        state: dict | None = None,
        **splitting,
    ) -> None:
        self.path = path
        self.smiles, self.target, self.group, split = map(as_written, (smiles, target, group, split))
        self.missing = as_written(missing)
        self.descriptors, self.baselines, self.unit = descriptors, list(baselines), unit
        if not path:
            raise BadInput("data.path: say which file: data=molecule_table data.path=FILE.csv data.target=COLUMN")
        given = self.target or (state or {}).get("targets", ())
        self.names = [given] if isinstance(given, str) else list(given)
        if state is not None and len(self.names) != len(state["targets"]):
            trained = ", ".join(state["targets"])
            raise BadInput(f"data.target: the run predicts {trained}; name as many columns, in this order")
        if len({*self.names}) < len(self.names):
            raise BadInput(f"data.target=[{','.join(self.names)}]: one of them stands there twice: leave it out")
        if not isinstance(unit, str) and len(unit) != len(self.names):
            raise BadInput(f"data.unit: {len(unit)} units for {len(self.names)} targets; give one for each")
        super().__init__(split=split, state=state, **splitting)

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of their facts."""
        own = ("n_targets", "unit", "target_names", "target_std", "rows", "n_descriptors")
        return (*own, "target", "atom_features", "bond_kinds")

    def said_of(self, state: dict[str, Any]) -> dict[str, Any]:
        several = len(self.names) > 1
        return {
            "n_targets": len(self.names),
            "unit": [self.unit] * len(self.names) if several and isinstance(self.unit, str) else self.unit,
            "target_names": self.names,
            "target_std": state["spread"].tolist(),
            "rows": "molecules",
            "n_descriptors": len(state["scales"]["names"]),
        }

    def prepared(self) -> PreparedProperties:
        by_column = self.split if self.split not in ("random", "scaffold") else None
        wanted = Wanted(tuple(self.names), self.smiles, by_column, self.group, tuple(self.missing or ()))
        file = Path(self.path).expanduser()
        settings = {"wanted": repr(wanted), "tautomers": self.tautomers, "descriptors": self.descriptors}

        def make() -> PreparedProperties:
            return prepare(read(file, wanted, self.tautomers), self.descriptors)

        return cached(PreparedProperties, file, settings, make)

    @classmethod
    def contents(cls, path: str) -> list[str]:
        """What is in a file of records, for `dlthink show`."""
        return molecule_contents.lines(path)

    def source(self) -> str:
        return f"data.path={self.path}"

    def groups(self, every: PreparedProperties) -> Sequence[str]:
        return every.groups

    def learned(self, every: PreparedProperties, molecules: Tensor) -> dict[str, Any]:
        y, prints = every.y[molecules], every.prints[molecules]
        for name, column in zip(self.names, y.unbind(1), strict=True):
            if bool(column.isnan().all()):
                raise BadInput(f"data.target={name}: no training molecule has a value of it; try another data.split")
            known = column[~column.isnan()]
            if len(known) > 1 and bool((known == known[0]).all()):
                raise BadInput(
                    f"data.target={name}: is {float(known[0]):g} in all {len(known):,} training molecules, so there "
                    f"is nothing to learn: take another column"
                )
        mean = y.nanmean(0)
        spread = (y - mean).square().nanmean(0).sqrt()
        learned: dict[str, Any] = {"mean": mean, "spread": torch.where(spread > 0, spread, 1.0), "targets": self.names}
        learned["smiles"], learned["scales"] = self.smiles, {"names": []}
        if self.descriptors:
            learned["scales"] = computed.scale(every.descriptors[molecules], every.descriptor_names)
        if "lookup" in self.baselines:
            learned["lookup"] = Neighbours.fit(prints, y).state()
        if "boosting" in self.baselines:
            try:
                learned["boosting"] = Boosting.fit(prints, y, every.ties[molecules]).state()
            except ImportError:
                self.notes.append(WITHOUT)
        return learned

    def part(self, every: PreparedProperties, molecules: Tensor, training: bool) -> MeasuredMolecules:
        state, y = self.state, every.y[molecules]
        numbers = torch.zeros(len(molecules), 0)
        if wanted := state["scales"]["names"]:
            place = [every.descriptor_names.index(name) for name in wanted]
            numbers = computed.standardized(every.descriptors[molecules][:, place], state["scales"])
        about = {} if training else {"baselines": self._baselines(every.prints[molecules], y)}
        return MeasuredMolecules(
            every.graphs.select(molecules),
            numbers,
            [every.smiles[i] for i in molecules.tolist()],
            ties=every.ties[molecules],
            y=y,
            about=about,
        )

    def _baselines(self, prints: Tensor, y: Tensor) -> dict[str, dict[str, Tensor]]:
        """What other predictors say, as far as this run has learned them."""
        state, said = self.state, {}
        if "constant" in self.baselines:
            said["constant"] = {"mean": state["mean"].expand_as(y), "std": state["spread"].expand_as(y)}
        if "lookup" in self.baselines and "lookup" in state:
            said["lookup"] = Neighbours(**state["lookup"]).predict(prints)
        if "boosting" in self.baselines and "boosting" in state:
            said["boosting"] = Boosting(state["boosting"]).predict(prints)
        return said

    @classmethod
    def inputs(cls, path: str, state: dict) -> PropertyInputs:
        """Every molecule in a file of the user's, see `read_structures`."""
        return PropertyInputs(path, state)
