"""A recording cut into time bins: spikes to be predicted from what was measured, or what was measured from spikes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from dlthink.data.fixed_settings import fixed
from dlthink.data.recordings import blocks as cut
from dlthink.data.recordings import reading_report
from dlthink.data.recordings.bin_filter import where as holds
from dlthink.data.recordings.bin_leaks import seen, unseen
from dlthink.data.recordings.bins import Bins, totals
from dlthink.data.recordings.bumps import Bumps
from dlthink.data.recordings.circular import periods, turned, turns
from dlthink.data.recordings.covariates import Covariates, in_bins, positions
from dlthink.data.recordings.decode import Decode
from dlthink.data.recordings.encode import Encode
from dlthink.data.recordings.moments import Moments
from dlthink.data.recordings.readers import formats
from dlthink.data.recordings.readers.binned_counts import check_width
from dlthink.data.recordings.session import Session
from dlthink.data.recordings.split_checks import check_rows, check_spikes, kept_units
from dlthink.data.recordings.splitting import SPLITS, Splitting, believable, rows_of
from dlthink.data.recordings.stretches import between, without_gaps
from dlthink.data.recordings.windows import Inputs, Split
from dlthink.errors import BadInput
from dlthink.memory_limit import check_memory

MOST_BINS = 50_000_000
DIRECTIONS = {"encode": Encode, "decode": Decode}


class Binned:
    """Samples are bins: x [window, n_in] a window of bins around each, y what is to be predicted of it.

    direction      encode: covariates to spike counts. decode: spike counts to covariates
    bin            width in seconds; every spike falls in exactly one bin
    history        number of past bins that x reaches back
    future         number of later bins that x looks ahead
    spike_history  encode: x also holds the units' own past counts, strictly past
    target         decode: names of the covariates, or of series of them, that are predicted; null: all
    before, after  decode: bins of spikes before the present one, and after it; null: as history and future
    blocks         the time is cut into so many contiguous blocks, of equally many bins
    folds, fold    of so many blocks in a row one is test and one validation (of five: train train test train val);
                   fold turns that pattern, so that over all folds every block is test once
    block_by       what a block is: a stretch of time, a trial (or interval), or all bins of one value of a covariate
    fraction       of the training blocks (of time: of stretches of them) that are trained on, see `fraction.py`
    moments        encode: train on points that have the means and covariances of all samples (`Moments`): estimated, or
                   white, where those of x are known. For loss=poisson_expected and model=glm; null: on the samples
    min_spikes     a unit with fewer spikes in the training bins is left out
    start, stop    use only this part, in seconds after the recording's beginning
    gap            s; stretches without a row of covariates, or with NaN, for longer are left out; null: bridged
    where          only bins of which this holds are predicted: "speed > 20 and light == 1" (`where`)
    hold           names of covariates that stay as they are until their next row (a state, coded by its changes): a bin
                   holds their mean over its time; the others are the mean of the rows inside, or on a line between two
    circular       names of covariates that go around, replaced by sine and cosine; {NAME: period} where it is not 2 pi
                   or 360
    bumps          {NAME: number} of Gaussian bumps along a covariate, beside it; {"x*y": 8} on a grid (`Bumps`)
    state          how another recording was prepared (names, mean, std, bin, ...): prepare this one alike
    elsewhere      this is not the recording of the run with that state, which is examined on all of it that is new

    No window crosses the border of a block, interval or trial, and different splits share no bin: the first bins of
    each are no targets, nor the last where windows look ahead. Rows of covariates that lie one bin apart are taken as
    centres of bins. Subclasses say in `read` where the recording comes from. Raises BadInput.
    """

    family = "recordings"
    prepares: tuple[str, ...] = (
        *("direction", "bin", "history", "future", "spike_history", "target", "before", "after"),
        *("gap", "where", "hold", "circular", "bumps"),
    )
    fixed: tuple[str, ...] = (
        *prepares,
        *("blocks", "folds", "fold", "block_by", "fraction", "start", "stop", "min_spikes"),
    )

    def __init__(
        self,
        direction: Literal["encode", "decode"] = "encode",
        bin: float = 0.05,
        history: int = 10,
        future: int = 0,
        spike_history: bool = False,
        target: list[str | int] | None = None,
        before: int | None = None,
        after: int | None = None,
        blocks: int = 20,
        folds: int = 5,
        fold: int = 0,
        block_by: str = "time",
        fraction: float = 1.0,
        min_spikes: int = 1,
        moments: Literal["estimated", "white"] | None = None,
        start: float | None = None,
        stop: float | None = None,
        gap: float | None = None,
        where: str | None = None,
        hold: list[str | int] | None = None,
        circular: list[str | int] | dict[str, float | None] | None = None,
        bumps: dict[str, int] | None = None,
        state: dict | None = None,
        elsewhere: bool = False,
    ) -> None:
        self.direction, self.bin, self.history, self.future = direction, bin, history, future
        self.spike_history, self.target, self.before, self.after = spike_history, _names(target), before, after
        self.blocks, self.folds, self.fold, self.block_by, self.fraction = blocks, folds, fold, block_by, fraction
        self.min_spikes, self.moments = min_spikes, moments
        self.start, self.stop, self.gap, self.where, self.hold = start, stop, gap, where, _names(hold)
        self.circular = periods(circular)
        self.bumps = dict(bumps) if bumps else None
        self._check()
        splitting = Splitting(blocks, folds, fold, block_by, fraction)
        settings = fixed(self, state, elsewhere)
        way = _way(settings)
        circular = (state or {}).get("turns") or self.circular or {}
        session, around, guessed = _as_measured(between(self.read().centred(bin), start, stop), gap, circular)
        if not session.units:
            raise BadInput(f"{session.source}: holds no units: there is nothing to predict")
        bins = _bins(session, bin)
        arrays = 1 if session.truth is None else 3  # counts; expected ones, log probabilities
        needed = 4.0 * len(bins) * (arrays * len(session.units) + 4 * len(session.names))
        check_memory(needed, f"{session.source}: {len(bins):,} bins (data.bin={bin}) of {len(session.units)} units")
        covariates = in_bins(session, bins, self.hold)
        used = np.ones(len(bins), dtype=bool) if where is None else holds(where, covariates.by_name())
        if elsewhere:
            block, role, said = unseen(session, bins, state)
        else:
            (block, role), said = splitting.roles(session, bins, covariates, used, way.margin + way.after), []
        rows = rows_of(bins, block, role, used, way.margin, way.after)
        check_rows(session.source, rows, (way.margin, way.after), None if elsewhere else splitting.otherwise)
        counts = bins.counts(session.spikes)
        check_spikes(session, counts, rows, blocks)
        train = role == "train"
        if state is None:
            kept, left_out = kept_units(session, totals(counts, rows["train"]), min_spikes)
        else:
            kept, left_out = positions(session.source, "unit", session.units, state["units"]), []
        counts = counts if kept == list(range(counts.shape[1])) else counts[:, kept]
        units = [session.units[unit] for unit in kept]
        covariates, ends = self._with_bumps(covariates, train, state)
        if state is None:
            state = way.fit(covariates, counts, units, train) | settings | {"bump_ends": ends, "turns": around}
            state["seen"] = seen(session, bins, train | (role == "val"))
        self.state = state
        far = way.far(covariates, state)
        rows["val"], fewer = believable(rows["val"], far.any(axis=1), way.before, way.after)
        self.notes = [
            reading_report.read(session, bins, counts, rows, int(used.sum())),
            *said,
            *way.notes(bin),
            *session.notes,
            *guessed,
            *left_out,
            *covariates.notes,
            *reading_report.pace(session, bins, counts, self.hold or []),
            *(reading_report.strange(session, bins, far, state, role, fewer) or reading_report.codes(session)),
            *(reading_report.copies(covariates, counts, units, train) if train.any() else []),
            *reading_report.silence(session, bins, counts),
        ]
        truth = session.truth
        del session  # its spikes: what follows is as large
        known = {"time": torch.from_numpy(bins.centres), "item": torch.from_numpy(cut.items(block))}
        if truth is not None and way.kind == "counts":
            known |= truth.known(bins, counts, kept)
        self._cut(way, way.features(covariates, counts, state), way.y(covariates, counts, state), rows, known)

    def _with_bumps(
        self, covariates: Covariates, train: np.ndarray, state: dict | None
    ) -> tuple[Covariates, dict[str, list[float]]]:
        """(Covariates with bumps along some, where the bumps end): in the training bins [T], or as the run has it."""
        bumps = Bumps(self.bumps or {})
        values = {name: of[train] for name, of in covariates.by_name().items()} if self.bumps else {}
        ends = bumps.fit(values) if state is None else state["bump_ends"]
        return covariates.with_bumps(bumps, ends), ends

    def _cut(
        self,
        way: Encode | Decode,
        features: torch.Tensor,
        y: torch.Tensor,
        rows: dict[str, np.ndarray],
        known: dict[str, torch.Tensor],
    ) -> None:
        """The splits, windows of `features` [T, n_in] around their rows, and the facts."""
        lags = range(-way.before, way.after + 1)
        self.facts: dict[str, Any] = {
            "n_in": features.shape[1],
            "window": len(lags),
            "n_targets": y.shape[1],
            "bin": self.bin,
            "lags": [round(self.bin * lag, 9) for lag in lags],
        } | way.facts(self.state)
        self.train, self.val, self.test = (
            Split(features, y, torch.from_numpy(rows[name]), way.before, way.after, known) for name in SPLITS
        )
        if self.moments is not None:
            self.train = Moments(self.train, white=self.moments == "white")
            self.notes += self.train.notes()

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target that data with these settings have."""
        kind = DIRECTIONS[settings.get("direction", "encode")].kind
        return kind if settings.get("moments") is None else f"moments of {kind}"

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of their facts."""
        return DIRECTIONS[settings.get("direction", "encode")].facts_named

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
        way = _way(state)
        try:
            session = cls.open(path, state, **way.needs).centred(state["bin"])
        except BadInput as error:
            if not error.way:
                raise
            raise BadInput(f"input={error.what}", f"give {formats.KNOWN}, with {_asked(way, state)}") from error
        session, _, _ = _as_measured(session, state["gap"], _circular(state) if session.series else {})
        bins = _bins(session, state["bin"])
        before, after = cut.reach(bins, np.zeros(len(bins), dtype=int))
        rows = np.flatnonzero((before >= way.margin) & (after >= way.after))
        if not len(rows):
            raise BadInput(
                f"{session.source}: is too short: a prediction needs {way.margin + 1 + way.after} bins of "
                f"{state['bin']:g} s in a row"
            )
        counts = np.empty((len(bins), 0), dtype=np.float32)
        if way.needs.get("need_spikes", True):
            kept = positions(session.source, "unit", session.units, state["units"])
            counts = bins.counts([session.spikes[unit] for unit in kept])
        covariates = in_bins(session, bins, state["hold"] if session.series else None)
        if session.series:
            covariates = covariates.with_bumps(Bumps(state["bumps"] or {}), state["bump_ends"])
        far = way.far(covariates, state)
        looks_wrong = reading_report.strange(session, bins, far, state) or reading_report.codes(session)
        times = bins.centres[rows] + session.origin
        features = way.features(covariates, counts, state)
        found = torch.from_numpy(rows)
        return Inputs(features, found, way.before, way.after, times, bins.width, way.names(state), tuple(looks_wrong))

    def _check(self) -> None:
        if not (math.isfinite(self.bin) and self.bin > 0):
            raise BadInput(f"data.bin={self.bin}: a bin must be longer than 0 s: choose for example 0.05")
        given = {"history": self.history, "future": self.future, "before": self.before, "after": self.after}
        for name, bins in given.items():
            if bins is not None and bins < 0:
                raise BadInput(f"data.{name}={bins}: a number of bins cannot be negative: choose 0 or more")
        if self.min_spikes < 0:
            raise BadInput(f"data.min_spikes={self.min_spikes}: cannot be negative: choose 0 or more")
        if self.gap is not None and not self.gap > 0:
            raise BadInput(f"data.gap={self.gap}: a gap is longer than 0 s: choose for example 1")
        other = next(way for way in DIRECTIONS if way != self.direction)
        given = {name: vars(self)[name] for name in DIRECTIONS[other].own}
        if strange := [name for name, value in given.items() if value is not None and value is not False]:
            raise BadInput(f"data.{strange[0]}: is for data.direction={other}; leave it out of {self.direction}")


def _way(settings: Mapping[str, Any]) -> Encode | Decode:
    """The direction, with its window."""
    history, future = settings["history"], settings["future"]
    if settings["direction"] == "encode":
        return Encode(history, future, settings["spike_history"])
    before = history if settings["before"] is None else settings["before"]
    return Decode(before, future if settings["after"] is None else settings["after"], settings["target"])


def _circular(state: Mapping[str, Any]) -> Mapping[str, float | None]:
    """Covariates that go round, and how far round is; `turns`, where training found it."""
    return state.get("turns") or state["circular"] or {}


def _asked(way: Encode | Decode, state: Mapping[str, Any]) -> str:
    """What a file holds that a run predicts from: its covariates as they are measured, its units."""
    asked = []
    if way.needs.get("need_covariates", True):
        names = [name for name in state["covariates"] if not (state["bumps"] and re.search(r"_bump_\d+$", name))]
        for around in _circular(state):
            names = [around if name == f"{around}_sin" else name for name in names if name != f"{around}_cos"]
        asked.append(f"the covariates {', '.join(names)} (covariates, covariate_times, covariate_names)")
    if way.needs.get("need_spikes", True):
        asked.append(f"the spikes of units {reading_report.listed(state['units'])} (spike_times, spike_units)")
    return " and ".join(asked)


def _as_measured(
    session: Session, gap: float | None, circular: Mapping[str, float | None]
) -> tuple[Session, dict[str, float], list[str]]:
    """(The session without its gaps, what goes around as sine and cosine; the periods; a note on each guessed)."""
    session = without_gaps(session, gap)
    around, guessed = turns(session, circular)
    return turned(session, around).checked(), around, guessed


def _names(given: list[str | int] | None) -> list[str] | None:
    return [str(name) for name in given] if given else None


def _bins(session: Session, width: float) -> Bins:
    number = float(np.diff(session.intervals).sum()) / width
    if number > MOST_BINS:
        sampled = [series for series in session.series if not series.held]
        pauses = [said for series in sampled if (said := reading_report.pause(series, session, share=0.5))]
        why = (
            f"{pauses[0]}: is a time wrong? If not, {reading_report.GAP}"
            if pauses
            else "choose a wider data.bin, and check that times are in seconds (not milliseconds, not sample numbers)"
        )
        raise BadInput(f"{session.source}: {number:.2g} bins of {width:g} s are more than memory holds: {why}")
    if session.counted is not None:
        check_width(session.source, session.counted, width)
    if session.rounding > width / 4:
        raise BadInput(
            f"{session.source}: its times tell apart steps of {session.rounding:.2g} s only, too coarse for bins of "
            f"{width:g} s: save them as float64, counted from the recording's beginning, in seconds"
        )
    return Bins(session.intervals, width, session.rounding)
