"""A recording cut into time bins: spike counts to be predicted from a causal window of what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlthink.data.fixed_settings import fixed
from dlthink.data.recordings import formats, notes
from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.counted import check_width
from dlthink.data.recordings.session import Session
from dlthink.data.recordings.stretches import between
from dlthink.data.recordings.windows import Inputs, Split
from dlthink.errors import BadInput
from dlthink.memory import check_memory

PATTERN = ("train", "train", "test", "train", "val")
MOST_BINS = 50_000_000
PIECES = 5  # of a block, as items of a comparison
FEW = 0.1  # of validation may be left out; if more of it is strange, it is no glitch


class Binned:
    """Samples are bins: x [window, n_in] is the `history` past bins and the present one, y [units] counts.

    bin            width in seconds; every spike falls in exactly one bin
    history        number of past bins that x reaches back
    spike_history  x also holds the units' own past counts, strictly past: row t holds those of bin t - 1
    blocks         the time is cut into so many contiguous blocks; of five, train train test train val
    fold           0..4 turns that pattern, so that over five folds every block is test once
    min_spikes     a unit with fewer spikes in the training bins is left out
    start, stop    use only this part, in seconds after the recording's beginning
    hold           names of covariates that stay as they are until their next row (a state, coded by its changes): a bin
                   holds their mean over its time; the others are the mean of the rows inside, or on a line between two
    state          how another recording was prepared (names, mean, std, bin, ...): prepare this one alike

    The first `history` bins of each block and interval are no targets: no window crosses a border, and
    different splits share no bin. Rows of covariates that lie one bin apart are taken as centres of bins.
    Subclasses say in `predict` where the recording comes from. Raises BadInput.
    """

    fixed = ("bin", "history", "spike_history", "blocks", "fold", "start", "stop", "hold")  # once a run is trained

    def __init__(
        self,
        bin: float = 0.05,
        history: int = 10,
        spike_history: bool = False,
        blocks: int = 20,
        fold: int = 0,
        min_spikes: int = 1,
        start: float | None = None,
        stop: float | None = None,
        hold: list[str | int] | None = None,
        state: dict | None = None,
    ) -> None:
        _check(bin, history, blocks, fold, min_spikes)
        self.bin, self.history, self.spike_history = bin, history, spike_history
        self.blocks, self.fold, self.start, self.stop = blocks, fold, start, stop
        self.hold = [str(name) for name in hold] if hold else None
        cut = fixed(self, state)
        self.notes: list[str] = []
        session = between(self.read().centred(bin), start, stop).checked()
        if not session.units:
            raise BadInput(f"{session.source}: holds no units: there is nothing to predict")
        bins = _bins(session, bin)
        margin = history + int(spike_history)
        block, since = _blocks(session.source, bins, blocks, history, margin)
        role = np.array(PATTERN)[(block + fold) % len(PATTERN)]
        rows = {name: np.flatnonzero((role == name) & (since >= margin)) for name in ("train", "val", "test")}
        if empty := [name for name in rows if not len(rows[name])]:
            raise BadInput(
                f"{session.source}: no bin is left for {empty[0]} between the gaps: "
                f"choose fewer data.blocks than {blocks} or a shorter data.history than {history}"
            )
        needed = 4.0 * len(bins) * (len(session.units) + 4 * len(session.names))
        check_memory(needed, f"{session.source}: {len(bins):,} bins (data.bin={bin}) of {len(session.units)} units")
        counts = bins.counts(session.spikes)
        if silent := [name for name in rows if not counts[rows[name]].any()]:
            raise BadInput(
                f"{session.source}: not one spike falls in the {silent[0]} bins: are spikes and covariates on one "
                f"clock, in seconds? If they are, choose more data.blocks than {blocks}, or data.start and data.stop"
            )
        if state is None:
            kept = self._kept_units(session, counts[rows["train"]].sum(axis=0), min_spikes)
        else:
            kept = _positions(session.source, "unit", session.units, state["units"])
        counts = counts if kept == list(range(counts.shape[1])) else counts[:, kept]
        units = [session.units[unit] for unit in kept]
        values = _values(session, bins, self.hold)
        if state is None:
            state = self._fit(session, values, counts, role == "train", spike_history)
            state |= cut | {"units": units}
        values = _wanted(session, values, state)
        far = notes.beyond(values, state)
        rows["val"], fewer = _believable(rows["val"], far.any(axis=1), history)
        self.notes = [
            notes.read(session, bins, counts, rows),
            *session.notes,
            *self.notes,
            *notes.pace(session, bins, counts, self.hold or []),
            *(notes.strange(session, bins, far, state, role, fewer) or notes.codes(session)),
        ]
        features = _features(values, counts, state)
        known = {"time": torch.from_numpy(bins.centres), "item": torch.from_numpy(_stretches(block))}
        if session.rates is not None:
            expected = bins.integrals(session.rate_edges, session.rates)[:, kept]
            known["rate"] = torch.from_numpy(expected).float()
        self.state = state
        self.facts = {
            "n_in": features.shape[1],
            "window": history + 1,
            "n_targets": len(units),
            "units": units,
            "bin": bin,
        }
        counts_tensor = torch.from_numpy(np.ascontiguousarray(counts))
        self.train, self.val, self.test = (
            Split(features, counts_tensor, torch.from_numpy(rows[name]), history, known)
            for name in ("train", "val", "test")
        )

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target that data with these settings have."""
        return "counts"

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of their facts."""
        return ("n_in", "window", "n_targets", "units", "bin")

    def read(self) -> Session:
        """The recording that this data set stands for."""
        raise NotImplementedError

    @classmethod
    def open(cls, path: str | Path, state: dict, **needs) -> Session:
        """The user's own file for `dlthink predict`, as for `data=recording`. needs: what `formats.read` is asked."""
        return formats.read(path, **needs)

    @classmethod
    def inputs(cls, path: str, state: dict) -> Inputs:
        """Every bin of the user's file that has a whole window, prepared as the training data were."""
        session = cls.open(path, state, need_spikes=state["spike_history"]).centred(state["bin"]).checked()
        history, margin = state["history"], state["history"] + int(state["spike_history"])
        bins = _bins(session, state["bin"])
        rows = np.flatnonzero(np.arange(len(bins)) - bins.origin >= margin)
        if not len(rows):
            raise BadInput(
                f"{session.source}: is too short: a prediction needs {margin + 1} bins of {state['bin']:g} s in a row"
            )
        counts = np.empty((len(bins), 0), dtype=np.float32)
        if state["spike_history"]:
            kept = _positions(session.source, "unit", session.units, state["units"])
            counts = bins.counts([session.spikes[unit] for unit in kept])
        values = _wanted(session, _values(session, bins, state["hold"]), state)
        looks_wrong = notes.strange(session, bins, notes.beyond(values, state), state) or notes.codes(session)
        times = bins.centres[rows] + session.origin
        features = _features(values, counts, state)
        return Inputs(features, torch.from_numpy(rows), history, times, bins.width, state["units"], tuple(looks_wrong))

    def _kept_units(self, session: Session, spikes: np.ndarray, min_spikes: int) -> list[int]:
        least = max(min_spikes, 1)
        kept = [unit for unit in range(len(spikes)) if spikes[unit] >= least]
        if left_out := [session.units[unit] for unit in range(len(spikes)) if spikes[unit] < least]:
            self.notes.append(
                f"left out, fewer than {least} spikes in the training bins: unit {notes.listed(left_out)}"
            )
        if not kept:
            raise BadInput(
                f"{session.source}: no unit has {least} spikes in the training bins "
                f"(the busiest has {int(spikes.max())}): "
                f"lower data.min_spikes, or check that spikes and covariates are on one clock, in seconds"
            )
        return kept

    def _fit(self, session: Session, values: np.ndarray, counts: np.ndarray, train: np.ndarray, past: bool) -> dict:
        """Names, mean and spread of what x will hold, from the training blocks alone."""
        seen = values[train]
        mean, std = seen.mean(axis=0), seen.std(axis=0)
        varies = std > 1e-14 * np.abs(mean)
        if left_out := [name for name, good in zip(session.names, varies, strict=True) if not good]:
            self.notes.append(f"left out, constant in the training bins: covariate {notes.listed(left_out)}")
        if not varies.any() and not past:
            raise BadInput(
                f"{session.source}: covariates are all constant in the training bins: there is nothing to predict from"
            )
        steps = np.concatenate([np.zeros(len(s.names)) if s.steps is None else s.steps for s in session.series])
        if (coarse := varies & (steps > 0.1 * std)).any():
            column = int(np.flatnonzero(coarse)[0])
            self.notes.append(
                f"covariate {session.names[column]} is stored with too few digits: in steps of "
                f"{steps[column]:.2g} beside a spread of {std[column]:.2g}: save it as float64"
            )
        low, high = notes.limits(seen)
        scale = {"mean": mean, "std": std, "low": low, "high": high}
        scale = {name: of[varies] for name, of in scale.items()}
        if past:
            # A kept unit fires in the training bins, so its spread is not zero unless it fires in all alike.
            scale["mean"] = np.concatenate([scale["mean"], counts[train].mean(axis=0, dtype=np.float64)])
            spread = counts[train].std(axis=0, dtype=np.float64)
            scale["std"] = np.concatenate([scale["std"], np.maximum(spread, 1e-3)])
        names = [name for name, good in zip(session.names, varies, strict=True) if good]
        return {"covariates": names} | {name: torch.from_numpy(of) for name, of in scale.items()}


def _bins(session: Session, width: float) -> Bins:
    number = float(np.diff(session.intervals).sum()) / width
    if number > MOST_BINS:
        raise BadInput(
            f"{session.source}: {number:.2g} bins of {width:g} s are more than memory holds: "
            f"choose a wider data.bin, and check that all times are in seconds (not milliseconds, not sample numbers)"
        )
    if session.counted is not None:
        check_width(session.source, session.counted, width)
    if session.rounding > width / 4:
        raise BadInput(
            f"{session.source}: its times tell apart steps of {session.rounding:.2g} s only, too coarse for bins of "
            f"{width:g} s: save them as float64, counted from the recording's beginning, in seconds"
        )
    return Bins(session.intervals, width, session.rounding)


def _values(session: Session, bins: Bins, hold: list[str] | None) -> np.ndarray:
    """[T, F] what every covariate was in every bin."""
    for name in hold or []:
        if name not in session.names:
            raise BadInput(
                f"data.hold=[{','.join(hold)}]: {session.source} has no covariate {name!r}: "
                f"choose of {notes.listed(session.names)}"
            )
    parts = []
    for series in session.series:
        held = [series.held or name in (hold or []) for name in series.names]
        part = np.empty((len(bins), len(held))) if all(held) else bins.means(series.times, series.values)
        for column in np.flatnonzero(held):
            part[:, column] = bins.held(series.times, series.values[:, column])
        parts.append(part)
    return np.concatenate(parts, axis=1) if len(parts) != 1 else parts[0]


def _wanted(session: Session, values: np.ndarray, state: dict) -> np.ndarray:
    """The covariates that the network was trained on, in its order."""
    return values[:, _positions(session.source, "covariate", session.names, state["covariates"])]


def _features(values: np.ndarray, counts: np.ndarray, state: dict) -> torch.Tensor:
    """[T, n_in] float32, what x may hold of every bin: covariates, past counts; minus mean, over spread, in float64."""
    mean, std = (state[name].double().numpy() for name in ("mean", "std"))
    features = np.empty((len(values), len(mean)), dtype=np.float32)
    own = values.shape[1]
    features[:, :own] = (values - mean[:own]) / std[:own]
    features[:1, own:] = (-mean[own:] / std[own:])[None]  # nothing came before
    for unit in range(len(mean) - own):
        features[1:, own + unit] = (counts[:-1, unit] - mean[own + unit]) / std[own + unit]
    return torch.from_numpy(features)


def _believable(rows: np.ndarray, far: np.ndarray, history: int) -> tuple[np.ndarray, int]:
    """Rows whose windows hold nothing that is `far` (bool [T]), and how many fewer these are; a tenth at most.

    What a network says where it has learned nothing must not choose the checkpoint.
    """
    total = np.append(0, np.cumsum(far))
    believed = rows[total[rows + 1] == total[np.maximum(rows - history, 0)]]
    fewer = len(rows) - len(believed)
    return (believed, fewer) if fewer <= FEW * len(rows) else (rows, 0)


def _stretches(block: np.ndarray) -> np.ndarray:
    """[T] the stretch of time of each bin, by which runs are compared: each block in PIECES, numbered through."""
    _, first, size = np.unique(block, return_index=True, return_counts=True)
    within = np.arange(len(block)) - np.repeat(first, size)
    return block * PIECES + within * PIECES // np.repeat(size, size)


def _blocks(source: str, bins: Bins, blocks: int, history: int, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """The block of each bin, and how many bins before it lie in the same block and the same interval."""
    position = np.arange(len(bins))
    if len(bins) < blocks:
        raise BadInput(
            f"{source}: {len(bins)} bins of {bins.width:g} s are fewer than data.blocks={blocks}: choose smaller "
            f"bins, and check that all times are in seconds (not minutes, not hours)"
        )
    block = position * blocks // len(bins)
    first = np.searchsorted(block, np.arange(blocks))[block]
    shortest = len(bins) // blocks
    if margin >= shortest:
        raise BadInput(
            f"{source}: data.history={history} reaches back {margin} bins, no less than a block of {shortest}: "
            f"choose a shorter data.history or fewer data.blocks than {blocks}"
        )
    return block, position - np.maximum(first, bins.origin)


def _check(bin: float, history: int, blocks: int, fold: int, min_spikes: int) -> None:
    if not (math.isfinite(bin) and bin > 0):
        raise BadInput(f"data.bin={bin}: a bin must be longer than 0 s: choose for example 0.05")
    if history < 0:
        raise BadInput(f"data.history={history}: the number of past bins cannot be negative: choose 0 or more")
    if blocks < len(PATTERN):
        raise BadInput(
            f"data.blocks={blocks}: {len(PATTERN)} blocks at least, or a split stays empty: choose for example 20"
        )
    if not 0 <= fold < len(PATTERN):
        raise BadInput(f"data.fold={fold}: there are {len(PATTERN)} folds: choose 0 to {len(PATTERN) - 1}")
    if min_spikes < 0:
        raise BadInput(f"data.min_spikes={min_spikes}: cannot be negative: choose 0 or more")


def _positions(source: str, kind: str, names: list[str], wanted: list[str]) -> list[int]:
    where = {name: position for position, name in enumerate(names)}
    if missing := [name for name in wanted if name not in where]:
        raise BadInput(
            f"{source}: has no {kind} {missing[0]!r}, which the network was trained on "
            f"(it has {notes.listed(names) if names else 'none'}): add it under that name in {kind}_names"
        )
    return [where[name] for name in wanted]
