"""Molecules with a measured shift for some of their atoms, split by molecule: what all data sets of shifts share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

from dlthink.data.molecules.atom_inputs import AtomInputs
from dlthink.data.molecules.atoms import MeasuredAtoms
from dlthink.data.molecules.environments import Lookup
from dlthink.data.molecules.features.graphs import spread, starts
from dlthink.data.molecules.molecule_data import MoleculeData
from dlthink.data.molecules.prepared_shifts import PreparedShifts


class ShiftData(MoleculeData):
    """Rows are atoms whose shift was measured: y [R, 1] in ppm.

    split   file: as the file says, and at random where it does not; random and scaffold: see `MoleculeData`
    state   also holds the nucleus and the look-up table

    Subclasses say in `prepared` where they come from, and the `nucleus`.
    """

    family = "shifts of atoms"
    baselines = ("lookup",)
    prepares = (*MoleculeData.prepares, "nucleus")
    fixed = (*MoleculeData.fixed, "nucleus")
    nucleus: str = "13C"

    def __init__(self, split: Literal["file", "random", "scaffold"] = "file", **splitting) -> None:
        super().__init__(split=split, **splitting)

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of their facts."""
        return ("n_targets", "unit", "target", "atom_features", "bond_kinds")

    def said_of(self, state: dict[str, Any]) -> dict[str, Any]:
        return {"n_targets": 1, "unit": "ppm"}

    def truth(self, rows: Tensor) -> dict[str, Tensor]:
        """True mean and std of these rows, [R, 1] each, where they are known."""
        return {}

    def learned(self, every: PreparedShifts, molecules: Tensor) -> dict[str, Any]:
        rows, _, _ = spread(every.first_row, molecules)
        return {"lookup": Lookup.fit(every.codes[rows], every.y[rows]).state()}

    def part(self, every: PreparedShifts, molecules: Tensor, training: bool) -> MeasuredAtoms:
        row, _, size = spread(every.first_row, molecules)
        truth = self.truth(row)
        about: dict[str, Any] = {"spread_measured": every.spread[row, None]} | truth
        if not training:
            about["baselines"] = {"lookup": Lookup(**self.state["lookup"]).predict(every.codes[row])}
            if truth:  # what the best of all predictors would say
                about["baselines"]["truth"] = truth
        if self.nucleus == "1H":
            about["groups"] = {"on_carbon": every.on_carbon[row], "on_hetero": ~every.on_carbon[row]}
        return MeasuredAtoms(
            every.graphs.select(molecules),
            starts(size),
            every.atom[row],
            [every.smiles[i] for i in molecules.tolist()],
            ties=every.ties[molecules],
            y=every.y[row, None],
            about=about,
        )

    @classmethod
    def inputs(cls, path: str, state: dict) -> AtomInputs:
        """Every atom of the run's nucleus in a file of the user's, see `read_structures`."""
        return AtomInputs(path, state)
