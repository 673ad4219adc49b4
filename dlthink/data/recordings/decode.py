"""Spikes to behaviour: what a covariate was in a bin, given the spikes before, in and after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from dlthink.data.recordings.covariates import Covariates, positions
from dlthink.errors import BadInput


class Decode:
    """x: counts of every unit in `before` past bins, the present and `after` later ones; y: covariates of the present.

    target: names of covariates, or of series of them; None: all. A circular one is its sine and cosine.
    Source: Glaser et al. 2020, eNeuro 7: the windows, and the scores of the examination.
    """

    kind = "reals"
    own = ("target", "before", "after")  # settings that say nothing in the other direction
    facts_named = (
        *("n_in", "window", "n_targets", "bin", "lags", "input_names"),
        *("target_names", "target", "target_std", "unit"),
    )
    lag = 0
    needs = {"need_covariates": False}

    def __init__(self, before: int, after: int, target: list[str] | None) -> None:
        self.before, self.after, self.target = before, after, target

    @property
    def margin(self) -> int:
        """How many bins before the present one its window knows of."""
        return self.before

    def fit(self, covariates: Covariates, counts: np.ndarray, units: list[str], train: np.ndarray) -> dict:
        """Mean and spread of counts, names and units of the targets, from the training blocks. Raises BadInput."""
        chosen = covariates.chosen(self.target, "data.target")
        seen = covariates.values[train]
        mean, std = seen.mean(axis=0), seen.std(axis=0)
        varies = covariates.varying(mean, std)
        kept = [place for place in chosen if varies[place]]
        if not kept or (self.target is not None and len(kept) < len(chosen)):
            names = [covariates.names[place] for place in chosen if not varies[place]]
            raise BadInput(
                f"{covariates.source}: {', '.join(names)} never changes in the training bins: it cannot be decoded"
            )
        spread = counts[train].std(axis=0, dtype=np.float64)
        return {
            "units": units,
            "covariates": [covariates.names[place] for place in kept],
            "target_units": [covariates.units[place] for place in kept],
            "target_std": [float(std[place]) for place in kept],
            "mean": torch.from_numpy(counts[train].mean(axis=0, dtype=np.float64)),
            "std": torch.from_numpy(np.maximum(spread, 1e-3)),
        }

    def far(self, covariates: Covariates, state: dict) -> np.ndarray:
        """[T, 0]: counts are never so strange that nothing learned holds."""
        return np.zeros((len(covariates.values), 0), dtype=bool)

    def features(self, covariates: Covariates, counts: np.ndarray, state: dict) -> torch.Tensor:
        """[T, units] float32 counts, minus mean, over spread."""
        mean, std = (state[name].to(torch.float32).numpy() for name in ("mean", "std"))
        features = counts - mean
        features /= std
        return torch.from_numpy(features)

    def y(self, covariates: Covariates, counts: np.ndarray, state: dict) -> torch.Tensor:
        """[T, n_targets] float32, in their own units."""
        where = positions(covariates.source, "covariate", covariates.names, state["covariates"])
        return torch.from_numpy(covariates.values[:, where].astype(np.float32))

    def names(self, state: dict) -> list[str]:
        """Of the targets."""
        return state["covariates"]

    def facts(self, state: dict) -> dict[str, Any]:
        """What constructors may ask for: names and units."""
        return {
            "input_names": state["units"],
            "unit": state["target_units"],
            "target": "measured",
            "target_names": state["covariates"],
            "target_std": state["target_std"],
        }

    def notes(self, bin: float) -> list[str]:
        """What the window is."""
        sees = f"{self.before} bins before and {self.after} after it ({bin:g} s each)"
        return [f"decoding: x holds the spikes of the bin and of {sees}"]
