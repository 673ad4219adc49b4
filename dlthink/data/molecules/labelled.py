"""Molecules some of whose atoms carry a measured value, split by molecule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from dlthink.data.fixed_settings import fixed
from dlthink.data.molecules.atoms import Split
from dlthink.data.molecules.environments import Lookup
from dlthink.data.molecules.featurize import ATOM_FEATURES, BOND_KINDS, ELEMENT, KIND
from dlthink.data.molecules.graphs import spread, starts
from dlthink.data.molecules.inputs import Inputs
from dlthink.data.molecules.parent import parent
from dlthink.data.molecules.prepared import Prepared
from dlthink.data.molecules.structures import chemistry
from dlthink.data.stable_hash import share
from dlthink.errors import BadInput

ROLES = ("train", "val", "test")
FEW = 300  # atoms of validation on which nothing should rest
TEST_SHARE = 0.2  # of the molecules, where the file does not say


class Labelled:
    """Samples are molecules, their rows are labelled atoms: y [R, 1] in ppm.

    split        file: as the file says, and at random where it does not; random: by a hash of the molecule, so that it
                 is on the same side in every file; scaffold: all molecules with one ring skeleton on the same side
    validation   share of the training molecules that is held out, where the file holds out none itself
    tautomers    whether tautomers and mesomers of one molecule stay together, too
    state        how a run's data were prepared: nucleus, atomic numbers and kinds of atoms seen in training, look-up
                 table, the molecules seen: in any file they keep their role, and all others are test

    Molecules stay together that differ in stereochemistry or isotopes alone, and salts, ions and charge-separated forms
    of one molecule: each is known by its `key`, that of its neutralized largest part. Subclasses say in `prepared`
    where they come from, and the `nucleus`. Raises BadInput.
    """

    fixed = ("split", "validation", "tautomers", "nucleus")  # once a run is trained
    nucleus: str = "13C"
    target = "measured"  # or simulated

    def __init__(
        self,
        split: Literal["file", "random", "scaffold"] = "file",
        validation: float = 0.1,
        tautomers: bool = False,
        state: dict | None = None,
    ) -> None:
        if not 0 < validation < 1:
            raise BadInput(f"data.validation={validation}: a share lies between 0 and 1, e.g. 0.1")
        self.split, self.validation, self.tautomers = split, validation, tautomers
        cut = fixed(self, state)
        every = self.prepared()
        self.notes = list(every.notes)
        if twice := _in_several(every) if self.split == "file" else 0:
            self.notes.append(
                f"{twice} molecules stand in several splits of the file (salts and charged forms are one molecule): "
                f"they are test rather than val, and val rather than train"
            )
        roles = self._roles(every) if state is None else _as_seen(every, state["seen"])
        rows = {name: torch.tensor([i for i, role in enumerate(roles) if role == name]).long() for name in ROLES}
        for name in ROLES if state is None else ("test",):
            if not len(rows[name]):
                raise BadInput(
                    f"{self.source()}: no molecule of {len(roles)} is left for {name}: "
                    f"{''.join(f'{note}; ' for note in every.notes)}"
                    f"give more molecules, or another data.split or data.validation"
                )
        if state is None:
            training, _, _ = spread(every.first_row, rows["train"])
            lookup = Lookup.fit(every.codes[training], every.y[training])
            atoms = every.graphs.select(rows["train"]).atoms
            seen = {name: every.ties[rows[name]] for name in ("train", "val")}
            state = cut | {
                "elements": sorted({1, *atoms[:, ELEMENT].unique().tolist()}),
                "kinds": atoms[:, KIND].unique(dim=0).tolist(),
                "lookup": lookup.state(),
                "seen": seen,
                "target": self.target,
            }
        else:
            lookup = Lookup(**state["lookup"])
        self.state = state
        self.facts = {
            "n_targets": 1,
            "unit": "ppm",
            "target": self.target,
            "atom_features": ATOM_FEATURES,
            "bond_kinds": BOND_KINDS,
        }
        self.train, self.val, self.test = (
            self._split(every, rows[name], None if name == "train" else lookup) for name in ROLES
        )
        counts = " / ".join(f"{len(s):,} ({len(s.y):,})" for s in (self.train, self.val, self.test))
        self.notes.append(f"molecules (atoms) for train / val / test: {counts}")
        if 0 < len(self.val.y) < FEW:
            self.notes.append(
                f"validation has {len(self.val.y)} atoms only: the choice of the best weights, one spread for all and "
                f"any recalibration rest on them; give more molecules or a larger data.validation"
            )

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target that data with these settings have."""
        return "reals"

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of their facts."""
        return ("n_targets", "unit", "target", "atom_features", "bond_kinds")

    def prepared(self) -> Prepared:
        """The molecules that this data set stands for."""
        raise NotImplementedError

    def source(self) -> str:
        """How a message names it."""
        raise NotImplementedError

    def truth(self, rows: Tensor) -> dict[str, Tensor]:
        """True mean and std of these rows, [R, 1] each, where they are known."""
        return {}

    def _roles(self, every: Prepared) -> list[str]:
        """train, val or test, for every molecule."""
        said: dict[str, str] = {}  # of molecules in a split by the file; one that is in several is no training data
        for role in ROLES if self.split == "file" else ():
            said |= {one: role for one, word in zip(every.keys, every.splits, strict=True) if word == role}
        held_out_by_file = "val" in said.values()
        groups = _scaffolds(every.smiles, every.keys) if self.split == "scaffold" else every.keys
        roles = []
        for one, group in zip(every.keys, groups, strict=True):
            test = said[one] == "test" if one in said else share(group) < TEST_SHARE
            if one in said and held_out_by_file:
                held_out = said[one] == "val"
            else:
                held_out = share(group, "validation") < self.validation
            roles.append("test" if test else "val" if held_out else "train")
        return roles

    def _split(self, every: Prepared, molecules: Tensor, lookup: Lookup | None) -> Split:
        row, _, size = spread(every.first_row, molecules)
        truth = self.truth(row)
        about: dict[str, Any] = {"spread_measured": every.spread[row, None]} | truth
        if lookup is not None:
            about["baselines"] = {"lookup": lookup.predict(every.codes[row])}
            if truth:  # what the best of all predictors would say
                about["baselines"]["truth"] = truth
        if self.nucleus == "1H":
            about["groups"] = {"on_carbon": every.on_carbon[row], "on_hetero": ~every.on_carbon[row]}
        return Split(
            every.graphs.select(molecules),
            starts(size),
            every.atom[row],
            [every.smiles[i] for i in molecules.tolist()],
            ties=every.ties[molecules],
            y=every.y[row, None],
            about=about,
        )

    @classmethod
    def inputs(cls, path: str, state: dict) -> Inputs:
        """Every atom of the run's nucleus in a file of the user's, see `read_structures`."""
        return Inputs(path, state)


def _in_several(every: Prepared) -> int:
    """Molecules that the file puts on several sides."""
    said: dict[str, set[str]] = {}
    for one, word in zip(every.keys, every.splits, strict=True):
        if word:
            said.setdefault(one, set()).add(word)
    return sum(len(words) > 1 for words in said.values())


def _as_seen(every: Prepared, seen: dict[str, Tensor]) -> list[str]:
    """What a run was trained on keeps its role in every file, and all else is a test."""
    roles = {one: name for name, ties in seen.items() for one in ties.tolist()}
    return [roles.get(one, "test") for one in every.ties.tolist()]


def _scaffolds(smiles: list[str], keys: list[str]) -> list[str]:
    """The ring skeleton (Bemis & Murcko 1996) of each molecule's parent; one without rings is its own.

    Where one key has several skeletons, as tautomers may, these are one group.
    """
    Chem, _ = chemistry()
    from rdkit.Chem.Scaffolds.MurckoScaffold import GetScaffoldForMol

    groups, of_key = {}, {}  # a group's other name leads to its first one
    for text, same in zip(smiles, keys, strict=True):
        scaffold = Chem.MolToSmiles(GetScaffoldForMol(parent(Chem.MolFromSmiles(text))), isomericSmiles=False) or same
        first, other = _first(groups, of_key.setdefault(same, scaffold)), _first(groups, scaffold)
        if first != other:
            groups[other] = first
    return [_first(groups, of_key[same]) for same in keys]


def _first(groups: dict[str, str], name: str) -> str:
    while name in groups:
        name = groups[name]
    return name
