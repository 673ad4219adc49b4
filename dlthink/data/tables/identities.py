"""Tables that say what each row is: rows of one identity are to lie near each other, those of others far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from dlthink.data.pk_sampler import PKSampler
from dlthink.data.stable_hash import tie
from dlthink.data.tables import drawn, targets
from dlthink.data.tables.identity_roles import IdentitySplitting
from dlthink.data.tables.inputs import Inputs, VectorInputs
from dlthink.data.tables.preparation import Features, Preparation
from dlthink.data.tables.roles import ROLES, Splitting
from dlthink.data.tables.rows import Rows
from dlthink.data.tables.table import Table
from dlthink.errors import BadInput
from dlthink.false_accept_rate import different_pairs


class Identities(Table):
    """y: [n] the number of what each row is; rows without a name are left out.

    identities  in a batch; None: trainer.batch // each, or all
    each        rows of each of them

    Whoever is test is not in training, and whoever is validation is not either: `IdentitySplitting`. Compared with the
    features as they are: `raw`, in the file's units, and `features`, standardized.
    """

    kind = "identities"
    more = "give more identities and more rows of each, or a column that says train, val and test, data.split=COLUMN"
    family = "tables of identities"

    def __init__(self, identities: int | None = None, each: int = 4, **table) -> None:
        self.identities, self.each = identities, each
        super().__init__(**table)

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of its facts."""
        return ("n_in", "category_sizes", "quantiles", "n_targets", "n_identities", "validation_pairs")

    def read(self, frame, names, source) -> np.ndarray:
        if len(names) > 1:
            raise BadInput(f"data.target=[{','.join(names)}]: data.kind=identities asks for one column")
        return targets.identities(frame, names[0], source)

    def known(self, y: np.ndarray) -> np.ndarray:
        return y != ""

    def splitting(self, names: list[str], y: np.ndarray) -> Splitting:
        return IdentitySplitting(**vars(super().splitting(names, y)), identity=names[0], names=y)

    def stated(self, names: list[str], y: np.ndarray) -> dict[str, Any]:
        return {"n_targets": 1, "n_identities": len(np.unique(y))}

    def splits(self, x: dict[str, tuple[Features, np.ndarray]], y, truth, ties) -> dict[str, Rows]:
        new = "trained" not in self.state
        if new:
            self.state["trained"] = [tie(name) for name in np.unique(y[x["train"][1]])]
        number = {one: i for i, one in enumerate(self.state["trained"])}
        for name in np.unique(y):  # others from there on
            number.setdefault(tie(name), len(number))
        of = np.array([number[tie(name)] for name in y], np.int64)
        made, source = {}, f"data.target={self.state['targets'][0]}: data.path={self.path}" if self.path else ""
        of_each = {"names": ("identities", "each"), "called": ("identities", "rows"), "source": source}
        for role in ROLES:
            features, rows = x[role]
            numbers = torch.from_numpy(of[rows])

            def as_they_are(features: Features = features) -> dict[str, dict[str, Tensor]]:
                vectors = {"raw": _raw(features, self.state["columns"]), "features": features.numbers}
                return {name: {"embedding": normalize(one)} for name, one in vectors.items() if one.shape[1]}

            batches = PKSampler(numbers, self.identities, self.each, **of_each)
            made[role] = IdentityRows(features, numbers, batches, dict if role == "train" else as_they_are)
        if new:
            self.facts["validation_pairs"] = different_pairs(made["val"].y)
        if "table" in self.state and len(made["train"]):
            made["train"].batches.check()
        return made

    def drawn(self):
        return drawn.varieties(self.rows, self.seed)

    @classmethod
    def inputs(cls, path: str, state: dict) -> Inputs:
        """Rows of the user's file, prepared as the training rows were."""
        return VectorInputs(path, state)


class IdentityRows(Rows):
    """Rows whose training batches hold several rows of each of some identities."""

    def __init__(self, x: Features, y: Tensor, batches: PKSampler, baselines) -> None:
        super().__init__(x, y, baselines=baselines)
        self.batches = batches

    def epoch(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        return self.batches.epoch(batch, generator)


def _raw(features: Features, columns: list[dict]) -> Tensor:
    """Columns of numbers in their own units, [n, p]."""
    inputs = Preparation(columns).inputs
    parts = [part for column in columns if column["kind"] == "number" for part in column["parts"]]
    places = [inputs.index(part["name"]) for part in parts]
    mean, std = (torch.tensor([part[name] for part in parts]) for name in ("mean", "std"))
    return features.numbers[:, places] * std + mean
