"""One recording as it was recorded: spike times, and what else was measured at the time. No bins yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from dlthink.data.recordings.readers.binned_counts import on_grid
from dlthink.data.recordings.series import Series, clock
from dlthink.data.recordings.truth import Truth
from dlthink.errors import BadInput


@dataclass(frozen=True)
class Trials:
    """Stretches [K, 2] in seconds, start and stop, and what was so during each: values [K, G] by name."""

    intervals: np.ndarray
    values: np.ndarray
    names: list[str]


@dataclass(frozen=True)
class Session:
    """Spike times of every unit and covariates in time. All times in float64 seconds on one clock.

    source      what error messages call the recording: usually its file
    spikes      one ascending array of spike times per unit
    units       a name per unit
    series      the covariates: those that were measured together stand in one of them
    intervals   [I, 2] the stretches to use (start, stop); None: for as long as every series lasts
    trials      stretches with values of their own
    counted     s, where the first of the bins begins in which spikes were counted before they were stored, and their
                width; None: spikes have times
    notes       what was left out or taken for granted in reading: a line each
    truth       what it was drawn from, the rates of all units; None outside simulations
    rounding    s, how far apart two times must be to be told apart, where the file stored fewer digits than float64
    reach       s, for how long before and after its time a row of covariates stands (`centred`)
    origin      s, when the recording begins on its own clock, once all times count from there (`checked`)
    """

    source: str
    spikes: list[np.ndarray]
    units: list[str]
    series: list[Series]
    intervals: np.ndarray | None = None
    trials: Trials | None = None
    counted: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    truth: Truth | None = field(default=None, repr=False)
    rounding: float = 0.0
    reach: float = 0.0
    origin: float = 0.0

    @property
    def names(self) -> list[str]:
        """Of all covariates."""
        return [name for series in self.series for name in series.names]

    @property
    def lasting(self) -> list[Series]:
        """The series that begin and end at some time: a value that is held goes on."""
        return [series for series in self.series if not series.held] or list(self.series)

    def checked(self) -> Session:
        """Itself with `intervals` filled in, rows of NaN outside them dropped, all times counted from its beginning.

        A clock of 1.7e9 s has a rounding of 2e-7 s in float64: what is computed from small numbers adds no more to it.
        Raises BadInput.
        """
        self._check_names()
        for series in self.series:
            series.check(self.bad, self.rounding)
        self._check_spikes()
        intervals = self._checked_intervals()
        for series in self.series:
            series.check_finite(self.bad, intervals)
        zero = min([series.times[0] for series in self.lasting] + [intervals[0, 0]])
        ends = [intervals, *(series.times[[0, -1]] for series in self.series)]
        ends += [unit[[0, -1]] for unit in self.spikes if len(unit)]
        latest = max(float(np.abs(end).max()) for end in ends)
        return replace(
            self,
            spikes=[unit - zero for unit in self.spikes] if zero else self.spikes,  # they may be hundreds of MB
            series=[series.only(series.finite()).since(zero) for series in self.series],
            intervals=intervals - zero,
            truth=self.truth and self.truth.since(zero),
            counted=None if self.counted is None else (self.counted[0] - float(zero), self.counted[1]),
            rounding=max(self.rounding, float(np.spacing(latest))),
            origin=self.origin + float(zero),
        )

    def centred(self, width: float) -> Session:
        """Itself where rows of covariates lie one bin of `width` apart: each stands for the bin around its time.

        Whoever binned the covariates wrote down the centres: bins that began there would be half a bin late. Where the
        file has `intervals`, these say where bins begin.
        """
        sampled = [s for s in self.series if not s.held]
        if self.intervals is not None or any(s.times.ndim != 1 or len(s.times) < 2 for s in sampled) or not sampled:
            return self
        binned = all(s.lie_apart(width, self.rounding) for s in sampled)
        return replace(self, reach=width / 2) if binned else self

    def whole(self) -> np.ndarray:
        """[1, 2] for as long as every series lasts; without any, from the first to the last spike."""
        if not self.series:
            ends = np.array([unit[[0, -1]] for unit in self.spikes if len(unit)])
            if not len(ends):
                raise self.bad("holds neither spikes nor covariates: there is nothing to predict from")
            return np.array([[ends[:, 0].min(), ends[:, 1].max()]])
        start, stop = (max(s.times[0] for s in self.lasting), min(s.times[-1] for s in self.lasting))
        if not start < stop:
            raise self.bad(
                f"its series do not overlap in time: {', '.join(map(_range, self.lasting))}: are all in seconds on one "
                f"clock?"
            )
        return np.array([[start - self.reach, stop + self.reach]])

    def bad(self, what: str) -> BadInput:
        """The refusal: every message names the file and its key, and says what to do."""
        return BadInput(f"{self.source}: {what}")

    def _check_names(self) -> None:
        if len(self.units) != len(self.spikes):
            raise self.bad(f"unit_names has {len(self.units)} names for {len(self.spikes)}: give one each")
        for key, names in (("covariate_names", self.names), ("unit_names", self.units)):
            if broken := [name for name in names if len(name.splitlines()) != 1]:
                raise self.bad(f"{key} has {broken[0]!r}: a name is one line of text")
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise self.bad(f"{key} has {twice[0]!r} twice: give every one its own name")

    def _check_spikes(self) -> None:
        for unit, spikes in zip(self.units, self.spikes, strict=True):
            if len(bad := np.flatnonzero(~np.isfinite(spikes))):
                raise self.bad(f"spike_times of unit {unit}: number {bad[0]} is {spikes[bad[0]]}: leave it out")
            if len(bad := np.flatnonzero(np.diff(spikes) < 0)):
                before, after = spikes[bad[0]], spikes[bad[0] + 1]
                raise self.bad(
                    f"spike_times of unit {unit} are not sorted: {clock(after)} s comes after {clock(before)} s: "
                    f"sort them, and check that no clock was reset"
                )
        if self.intervals is None and self.series:
            self._check_inside()

    def _check_inside(self) -> None:
        """Without intervals all spikes count, so all need covariates; one sample's width of grace."""
        (low, high), grace = self.whole()[0], max(series.step for series in self.lasting)
        outside = [int(((s < low - grace) | (s > high + grace)).sum()) for s in self.spikes]
        if total := sum(outside):
            unit = next(name for name, number in zip(self.units, outside, strict=True) if number)
            raise self.bad(
                f"{total} spike_times (first in unit {unit}; {self.spike_range()}) lie outside "
                f"{', '.join(map(_range, self.lasting))}: are both in seconds on one clock? "
                f"If so, cut with data.start and data.stop or the key intervals"
            )

    def spike_range(self) -> str:
        """From when to when there are spikes, for messages."""
        ends = np.array([[unit.min(), unit.max()] for unit in self.spikes if len(unit)])
        return f"all from {clock(ends[:, 0].min())} to {clock(ends[:, 1].max())} s" if len(ends) else "none at all"

    def _checked_intervals(self) -> np.ndarray:
        if self.intervals is None:
            return self.whole()
        intervals = check_intervals(self.intervals, "intervals", self.bad, self.rounding)
        if self.counted is not None:
            intervals = on_grid(intervals, self.counted)
            if not len(intervals):
                raise self.bad(f"no whole bin of {self.counted[1]:g} s, in which spikes were counted, is left to use")
        for series in self.lasting:
            low, high = series.times[0], series.times[-1]
            if intervals[0, 0] < low - series.step or intervals[-1, 1] > high + series.step:
                raise self.bad(
                    f"intervals reach from {clock(intervals[0, 0])} to {clock(intervals[-1, 1])} s but "
                    f"{series.times_key} only from {clock(low)} to {clock(high)} s: shorten them, and check that both "
                    f"are in seconds"
                )
        return intervals


def check_intervals(intervals: np.ndarray, key: str, bad, rounding: float = 0.0) -> np.ndarray:
    """[I, 2] in float64, ascending and apart. Raises what `bad` makes, which names the `key` and the row."""
    intervals = np.asarray(intervals, dtype=float)
    if intervals.ndim != 2 or intervals.shape[1] != 2 or not len(intervals):
        raise bad(f"{key} has shape {intervals.shape}: give [I, 2], start and stop each")
    if len(rows := np.flatnonzero(~np.isfinite(intervals).all(axis=1))):
        start, stop = intervals[rows[0]]
        raise bad(f"{key}, row {rows[0]}: {start:g} to {stop:g} are no seconds: give both ends, or leave the row out")
    if len(rows := np.flatnonzero(intervals[:, 0] >= intervals[:, 1])):
        raise bad(f"{key}, row {rows[0]}: the start is not before the stop: give start < stop")
    slack = 2 * max(rounding, float(np.spacing(np.abs(intervals).max())))  # one ends as the next begins
    if len(rows := np.flatnonzero(intervals[1:, 0] < intervals[:-1, 1] - slack)):
        raise bad(f"{key}, row {rows[0] + 1} starts before the one above ends: sort them and merge overlaps")
    return intervals


def _range(series: Series) -> str:
    return f"{series.times_key}, {clock(series.times[0])} to {clock(series.times[-1])} s"
