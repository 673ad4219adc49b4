"""Tables whose targets are real numbers: one or several, each in its own unit, missing ones target by target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from dlthink.data.tables import drawn, target_shape, targets
from dlthink.data.tables.baselines import Training
from dlthink.data.tables.inputs import Inputs, RealInputs
from dlthink.data.tables.preparation import Features
from dlthink.data.tables.roles import ROLES
from dlthink.data.tables.rows import Rows
from dlthink.data.tables.table import Table
from dlthink.data.tables.targets import tensor


class Reals(Table):
    """y: [n, n_targets] float32, nan where missing. The examination compares with baselines, and with the truth where
    the table is drawn."""

    kind = "reals"
    family = "tables of reals"

    def read(self, frame, names, source) -> np.ndarray:
        return targets.reals(frame, names, source)

    def known(self, y: np.ndarray) -> np.ndarray:
        return ~np.isnan(y).all(1)

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of its facts."""
        return ("n_in", "category_sizes", "quantiles", "n_targets", "unit", "target", "target_names", "target_std")

    def stated(self, names: list[str], y: np.ndarray) -> dict[str, Any]:
        self.notes += target_shape.notes(y, names) if self.path else []
        std = [float(np.nanstd(column)) or 1.0 for column in y.T]
        return {
            "n_targets": len(names),
            "unit": "" if len(names) == 1 else [""] * len(names),
            "target": "measured" if self.path else "simulated",
            "target_names": names,
            "target_std": std,
        }

    def splits(self, x: dict[str, tuple[Features, np.ndarray]], y, truth, ties) -> dict[str, Rows]:
        features, rows = x["train"]
        training = Training(features, tensor(y[rows]), ties[rows], self.facts["category_sizes"], self.baselines)
        made = {}
        for role in ROLES:
            features, rows = x[role]
            known = {name: torch.from_numpy(of[rows]).float() for name, of in truth.items()}

            def compared(features: Features = features, known: dict = known) -> dict[str, dict]:
                found = training.of_reals(features) if len(training.y) else {}
                return found | ({"truth": known} if known else {})

            made[role] = Rows(features, tensor(y[rows]), truth=known, baselines=dict if role == "train" else compared)
        return made

    def drawn(self):
        return drawn.harvest(self.rows, self.seed)

    @classmethod
    def inputs(cls, path: str, state: dict) -> Inputs:
        """Rows of the user's file, prepared as the training rows were."""
        return RealInputs(path, state)
