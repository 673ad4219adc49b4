"""Behaviour to spikes: how many spikes each unit has in a bin, given a window of what was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from dlthink.data.recordings import reading_report
from dlthink.data.recordings.covariates import Covariates, positions
from dlthink.errors import BadInput


class Encode:
    """x: `history` past bins, the present and `future` later ones of each covariate; y: counts of the present bin.

    spike_history: x also holds counts of the units themselves, strictly past: row t of a window those of the bin
    `future` + 1 before, so that the last row holds those just before the present bin.
    """

    kind = "counts"
    own = ("spike_history", "bumps", "moments")  # settings that say nothing in the other direction
    facts_named = (
        *("n_in", "window", "n_targets", "bin", "lags"),
        *("input_names", "target_names", "units", "largest_count"),
    )

    def __init__(self, history: int, future: int, spike_history: bool) -> None:
        self.before, self.after, self.lag = history, future, (1 + future) * spike_history
        self.needs = {"need_spikes": spike_history}

    @property
    def margin(self) -> int:
        """How many bins before the present one its window knows of."""
        return self.before + self.lag

    def fit(self, covariates: Covariates, counts: np.ndarray, units: list[str], train: np.ndarray) -> dict:
        """Names, mean and spread of what x will hold, from the training blocks alone. train [T]. Raises BadInput."""
        seen = covariates.values[train]
        mean, std = seen.mean(axis=0), seen.std(axis=0)
        varies = covariates.varying(mean, std)
        if not varies.any() and not self.lag:
            raise BadInput(
                f"{covariates.source}: covariates are all constant in the training bins: there is nothing to predict "
                f"from"
            )
        low, high = reading_report.limits(seen)
        scale = {"mean": mean, "std": std, "low": low, "high": high}
        scale = {name: of[varies] for name, of in scale.items()}
        if self.lag:
            # A kept unit fires in the training bins, so its spread is not zero unless it fires in all alike.
            scale["mean"] = np.concatenate([scale["mean"], counts[train].mean(axis=0, dtype=np.float64)])
            spread = counts[train].std(axis=0, dtype=np.float64)
            scale["std"] = np.concatenate([scale["std"], np.maximum(spread, 1e-3)])
        names = [name for name, good in zip(covariates.names, varies, strict=True) if good]
        found = {"covariates": names, "units": units, "largest_count": int(counts.max(axis=1)[train].max())}
        return found | {name: torch.from_numpy(of) for name, of in scale.items()}

    def inputs(self, covariates: Covariates, state: dict) -> np.ndarray:
        """[T, F] the covariates that x holds."""
        where = positions(covariates.source, "covariate", covariates.names, state["covariates"])
        return covariates.values[:, where]

    def far(self, covariates: Covariates, state: dict) -> np.ndarray:
        """[T, F] where covariates lie so far beyond their training values that nothing learned holds."""
        return reading_report.beyond(self.inputs(covariates, state), state)

    def features(self, covariates: Covariates, counts: np.ndarray, state: dict) -> torch.Tensor:
        """[T, n_in] float32, what x may hold of every bin: minus mean, over spread, in float64."""
        values = self.inputs(covariates, state)
        mean, std = (state[name].double().numpy() for name in ("mean", "std"))
        features = np.empty((len(values), len(mean)), dtype=np.float32)
        own = values.shape[1]
        features[:, :own] = (values - mean[:own]) / std[:own]
        if self.lag:
            features[: self.lag, own:] = (-mean[own:] / std[own:])[None]  # nothing came before
            for unit in range(len(mean) - own):
                features[self.lag :, own + unit] = (counts[: -self.lag, unit] - mean[own + unit]) / std[own + unit]
        return torch.from_numpy(features)

    def y(self, covariates: Covariates, counts: np.ndarray, state: dict) -> torch.Tensor:
        """[T, units] counts."""
        return torch.from_numpy(np.ascontiguousarray(counts))

    def names(self, state: dict) -> list[str]:
        """Of the targets."""
        return state["units"]

    def facts(self, state: dict) -> dict[str, Any]:
        """What constructors may ask for: names, the largest training count."""
        past = [f"{unit} (spikes)" for unit in state["units"]] if self.lag else []
        return {
            "input_names": [*state["covariates"], *past],
            "target_names": state["units"],
            "units": state["units"],
            "largest_count": state.get("largest_count"),  # runs from before do not know it
        }

    def notes(self, bin: float) -> list[str]:
        """What the window is, where it is no usual one."""
        if not self.after:
            return []
        return [
            f"x looks {self.after} bins ({self.after * bin:g} s) ahead of the bin that is predicted: right where "
            f"spikes lead behaviour; no prediction in time"
        ]
