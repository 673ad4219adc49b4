"""Tables whose targets are counts: visits, insects, claims; perhaps for an exposure, which differs from row to row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from dlthink.data.column_names import Name, as_written
from dlthink.data.tables import drawn, targets
from dlthink.data.tables.baselines import Training
from dlthink.data.tables.inputs import CountInputs, Inputs
from dlthink.data.tables.preparation import Features
from dlthink.data.tables.roles import ROLES
from dlthink.data.tables.rows import Rows
from dlthink.data.tables.table import Table
from dlthink.data.tables.targets import log_exposure, tensor


class Counts(Table):
    """y: [n, n_targets] whole numbers from 0, float32; rows without are left out.

    exposure  a column that says how long, how large or how many a row is: the count is taken to be in proportion to it.
              Its log, less that of the mean exposure in training, is x["offset"], which networks add to the log of the
              rate: only costs with such a log fit. null: every row alike
    """

    prepares = (*Table.prepares, "exposure")
    fixed = (*Table.fixed, "exposure")
    kind = "counts"
    family = "tables of counts"

    def __init__(self, exposure: Name | None = None, **table) -> None:
        self.exposure = as_written(exposure)
        super().__init__(**table)

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target that data with these settings have."""
        return "counts" if settings.get("exposure") is None else "counts with exposure"

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of its facts."""
        return ("n_in", "category_sizes", "quantiles", "n_targets", "target_names", "largest_count")

    def read(self, frame, names, source) -> np.ndarray:
        self._exposed = None if self.exposure is None else targets.exposure(frame, self.exposure, source)
        return targets.counts(frame, names, source)

    def known(self, y: np.ndarray) -> np.ndarray:
        return ~np.isnan(y).any(1)

    def apart(self) -> list[str]:
        return [] if self.exposure is None else [self.exposure]

    def stated(self, names: list[str], y: np.ndarray) -> dict[str, Any]:
        return {"n_targets": len(names), "target_names": names, "largest_count": int(y.max())}

    def splits(self, x: dict[str, tuple[Features, np.ndarray]], y, truth, ties) -> dict[str, Rows]:
        features, rows = x["train"]
        if self._exposed is not None and "mean_exposure" not in self.state:
            self.state["mean_exposure"] = float(self._exposed[rows].mean())
        exposed = None if self._exposed is None else self._exposed[rows]
        sizes = self.facts["category_sizes"]
        training = Training(features, tensor(y[rows]), ties[rows], sizes, self.baselines, exposed)
        made = {}
        for role in ROLES:
            features, rows = x[role]
            exposed = None if self._exposed is None else self._exposed[rows]
            known = {name: torch.from_numpy(of[rows]).float() for name, of in truth.items()}

            def compared(features: Features = features, exposed=exposed, known: dict = known) -> dict[str, dict]:
                found = training.of_counts(features, exposed) if len(training.y) else {}
                return found | ({"truth": known} if known else {})

            offset = None if exposed is None else log_exposure(exposed, self.state["mean_exposure"])
            made[role] = Rows(features, tensor(y[rows]), offset, known, dict if role == "train" else compared)
        return made

    def drawn(self):
        return drawn.pests(self.rows, self.seed)

    @classmethod
    def inputs(cls, path: str, state: dict) -> Inputs:
        """Rows of the user's file, prepared as the training rows were."""
        return CountInputs(path, state)
