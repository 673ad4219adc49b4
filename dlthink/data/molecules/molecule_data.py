"""Molecules of which something was measured, split by molecule: what data sets of shifts and of properties share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlthink.data.fixed_settings import fixed
from dlthink.data.fraction import SPARE, thinned
from dlthink.data.molecules.features.applicability_domain import called
from dlthink.data.molecules.features.featurize import ATOM_FEATURES, BOND_KINDS, ELEMENT, KIND
from dlthink.data.molecules.features.graphs import Graphs
from dlthink.data.molecules.prepared import Prepared
from dlthink.data.molecules.splits import FOLDS, ROLES, as_seen, in_several, roles
from dlthink.errors import BadInput

FEW = 300  # rows of validation on which nothing should rest


class MoleculeData:
    """Samples are molecules; what their rows are, and what is measured of them, subclasses say.

    split        random: by a hash of the molecule, so that it is on the same side in every file; scaffold: all
                 molecules with one ring skeleton on the same side; what else, a subclass says
    validation   share of the training molecules that is held out, where the file holds out none itself
    fold         0 .. 4: which fifth of the molecules is test, where the file does not say
    fraction     of the training molecules that are trained on, see `fraction.py`
    tautomers    whether tautomers and mesomers of one molecule stay together, too
    elsewhere    these are not the data of the run with that state, which is examined on them
    state        how a run's data were prepared: atomic numbers and kinds of atoms seen in training, what its baselines
                 have learned, the molecules seen: in any file they keep their role, and all others are test

    Molecules stay together that differ in stereochemistry or isotopes alone, and salts, ions and charge-separated forms
    of one molecule: each is known by its `key`, that of its neutralized largest part. Raises BadInput.
    """

    prepares: tuple[str, ...] = ("tautomers",)
    fixed: tuple[str, ...] = ("split", "validation", "fold", "fraction", *prepares)  # once a run is trained
    row = "atoms"  # what a row is, in messages
    called = "measured"  # what values are; or simulated

    def __init__(
        self,
        split: str = "random",
        validation: float = 0.1,
        fold: int = 0,
        fraction: float = 1.0,
        tautomers: bool = False,
        state: dict | None = None,
        elsewhere: bool = False,
    ) -> None:
        if not 0 < validation < 1:
            raise BadInput(f"data.validation={validation}: a share lies between 0 and 1, e.g. 0.1")
        if not 0 <= fold < FOLDS:
            raise BadInput(f"data.fold={fold}: there are {FOLDS}, 0 to {FOLDS - 1}")
        self.split, self.validation, self.fold, self.fraction = split, validation, fold, fraction
        self.tautomers = tautomers
        settings = fixed(self, state, elsewhere)
        every = self.prepared()
        self.notes = list(every.notes)
        if split not in ("random", "scaffold") and not elsewhere and (twice := in_several(every)):
            self.notes.append(
                f"{twice} molecules stand in several splits of the file (salts and charged forms are one molecule): "
                f"they are test rather than val, and val rather than train"
            )
        if state is None:
            role = thinned(roles(every, split, validation, fold, self.groups(every)), every.keys, fraction)
        else:
            role = as_seen(every, state["seen"])
        rows = {name: torch.tensor([i for i, one in enumerate(role) if one == name]).long() for name in ROLES}
        self._check_rows(rows, every, ROLES if state is None else ("test",))
        if state is None:
            state = settings | self._as_trained(every, role, rows["train"])
        self.state = state
        shared = {"target": self.called, "atom_features": ATOM_FEATURES, "bond_kinds": BOND_KINDS}
        self.facts = self.said_of(state) | shared
        self.train, self.val, self.test = (self.part(every, rows[name], name == "train") for name in ROLES)
        if elsewhere:
            self._tell_unseen()
            self.notes += _unlike(every.graphs.select(rows["test"]), state)
            if known := len(self.train) + len(self.val):
                self.notes.append(f"{known:,} molecules are among those that the run was trained on: no test, left out")
        else:
            self._tell_sizes()

    def _check_rows(self, rows: dict[str, Tensor], every: Prepared, needed: Sequence[str]) -> None:
        """Raises BadInput where a split that is `needed` has no molecule."""
        for name in needed:
            if not len(rows[name]):
                raise BadInput(
                    f"{self.source()}: no molecule of {len(every.keys)} is left for {name}: "
                    f"{''.join(f'{note}; ' for note in every.notes)}"
                    f"give more molecules, or another data.split or data.validation"
                )

    def _as_trained(self, every: Prepared, role: np.ndarray, train: Tensor) -> dict[str, Any]:
        """What the state keeps of a run that begins, beside its settings. role: [molecules]; train: their places."""
        atoms = every.graphs.select(train).atoms
        return {
            "elements": sorted({1, *atoms[:, ELEMENT].unique().tolist()}),
            "kinds": atoms[:, KIND].unique(dim=0).tolist(),
            "seen": {name: every.ties[torch.from_numpy(role == name)] for name in ("train", "val", SPARE)},
            "called": self.called,
        } | self.learned(every, train)

    def _tell_unseen(self) -> None:
        n, values = len(self.test), _known(self.test)
        self.notes.append(f"molecules ({self.row}) that the run has not seen: {n:,} ({values:,})")

    def _tell_sizes(self) -> None:
        counts = " / ".join(f"{len(split):,} ({_known(split):,})" for split in (self.train, self.val, self.test))
        self.notes.append(f"molecules ({self.row}) for train / val / test: {counts}")
        if 0 < (few := _known(self.val)) < FEW:
            rows = self.row if few > 1 else self.row[:-1]
            self.notes.append(
                f"validation has only {few} {rows}: the choice of the best weights, one "
                f"spread for all and any recalibration rest on that; give more molecules or a larger data.validation"
            )

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target that data with these settings have."""
        return "reals"

    # ------------------------------------------------------------------------------------- what a data set says

    def prepared(self) -> Prepared:
        """The molecules that this data set stands for."""
        raise NotImplementedError

    def source(self) -> str:
        """How a message names it."""
        raise NotImplementedError

    def groups(self, every: Prepared) -> Sequence[str]:
        """Words that molecules on one side share."""
        return ()

    def learned(self, every: Prepared, molecules: Tensor) -> dict[str, Any]:
        """What else a run's state holds: what is learned of the training molecules."""
        raise NotImplementedError

    def said_of(self, state: dict[str, Any]) -> dict[str, Any]:
        """Further facts."""
        raise NotImplementedError

    def part(self, every: Prepared, molecules: Tensor, training: bool) -> Any:
        """The split of these molecules; baselines know nothing of training."""
        raise NotImplementedError


def _known(split: Any) -> int:
    """How many values of its targets are known."""
    return int(split.y.isfinite().sum())


def _unlike(graphs: Graphs, state: dict) -> list[str]:
    """A note on molecules with atoms of a kind that was not in training: what is said of them is a guess."""
    seen = {tuple(kind) for kind in state["kinds"]}
    kinds, place = graphs.atoms[:, KIND].unique(dim=0, return_inverse=True)
    strange = torch.tensor([tuple(kind) not in seen for kind in kinds.tolist()])[place]
    count = int(torch.repeat_interleave(graphs.first_atom.diff())[strange].unique().numel())
    names = ", ".join(called(*kind) for kind in kinds.tolist() if tuple(kind) not in seen)
    return [f"{count:,} molecules hold atoms unlike any in training: {names}"] if count else []
