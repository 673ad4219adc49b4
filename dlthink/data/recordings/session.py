"""One recording as it was recorded: spike times, and what else was measured at the time. No bins yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from dlthink.errors import BadInput

ALIKE = 0.01  # of a bin: times so near to a grid lie on it


def clock(time: float) -> str:
    """A time in seconds as text, to the microsecond as far as float64 knows it: 1700000000.02, not 1.7e+09."""
    return f"{round(float(time), 6):.15g}"


@dataclass(frozen=True)
class Session:
    """Spike times of every unit and covariates in time. All times in float64 seconds on one clock.

    source      what error messages call the recording: usually its file
    spikes      one ascending array of spike times per unit
    units       a name per unit
    covariates  [T, F] the animal's behaviour or the stimulus
    times       [T] when each row of `covariates` was measured, ascending
    names       F names of the covariates
    intervals   [I, 2] the stretches to use (start, stop); None: from the first to the last covariate
    rates       [G, U] true rates in Hz, constant between `rate_edges` [G + 1]; None outside simulations
    rounding    s, how far apart two times must be to be told apart, where the file stored fewer digits than float64
    steps       [F] the same for the values of each covariate, in its own units
    reach       s, for how long before and after its time a row of covariates stands (`centred`)
    origin      s, when the recording begins on its own clock, once all times count from there (`checked`)
    rows        [T] the row of the file that each row of `covariates` was, once some were dropped (`checked`)
    """

    source: str
    spikes: list[np.ndarray]
    units: list[str]
    covariates: np.ndarray
    times: np.ndarray
    names: list[str]
    intervals: np.ndarray | None = None
    rates: np.ndarray | None = field(default=None, repr=False)
    rate_edges: np.ndarray | None = field(default=None, repr=False)
    rounding: float = 0.0
    steps: np.ndarray | None = field(default=None, repr=False)
    reach: float = 0.0
    origin: float = 0.0
    rows: np.ndarray | None = field(default=None, repr=False)

    def checked(self) -> Session:
        """Itself with `intervals` filled in, rows of NaN outside them dropped, all times counted from its beginning.

        A clock of 1.7e9 s has a rounding of 2e-7 s in float64: what is computed from small numbers adds no more to it.
        Raises BadInput.
        """
        self._check_shapes()
        self._check_times()
        self._check_spikes()
        intervals = self._checked_intervals()
        finite = np.isfinite(self.covariates).all(axis=1)
        self._check_finite(finite, intervals)
        zero = min(self.times[0], intervals[0, 0])
        ends = [intervals, self.times[[0, -1]], *(unit[[0, -1]] for unit in self.spikes if len(unit))]
        latest = max(float(np.abs(end).max()) for end in ends)
        return replace(
            self,
            spikes=[unit - zero for unit in self.spikes],
            covariates=self.covariates[finite],
            times=self.times[finite] - zero,
            intervals=intervals - zero,
            rate_edges=None if self.rate_edges is None else self.rate_edges - zero,
            rounding=max(self.rounding, float(np.spacing(latest))),
            origin=self.origin + float(zero),
            rows=np.flatnonzero(finite),
        )

    def centred(self, width: float) -> Session:
        """Itself where rows of covariates lie one bin of `width` apart: each stands for the bin around its time.

        Whoever binned the covariates wrote down the centres: bins that began there would be half a bin late. Where the
        file has `intervals`, these say where bins begin.
        """
        if self.intervals is not None or self.times.ndim != 1 or len(self.times) < 2:
            return self
        place = (self.times - self.times[0]) / width
        loose = ALIKE + 2 * max(self.rounding, float(np.spacing(np.abs(self.times).max()))) / width
        apart = abs(float(np.median(np.diff(place))) - 1) <= loose
        return replace(self, reach=width / 2) if apart and (np.abs(place - np.rint(place)) <= loose).all() else self

    def between(self, start: float | None, stop: float | None) -> Session:
        """The part from `start` to `stop` seconds after the beginning. Raises BadInput if nothing is left."""
        if start is None and stop is None:
            return self
        whole = self._whole() if self.intervals is None else self.intervals
        first = min(self.times[0], whole[0, 0])
        low = -np.inf if start is None else first + start
        high = np.inf if stop is None else first + stop
        if low >= high:
            raise BadInput(f"data.start={start} is not before data.stop={stop}: choose start < stop, in seconds")
        cut = np.clip(whole, low, high)
        cut = cut[cut[:, 1] > cut[:, 0]]
        if not len(cut):
            raise self._bad(
                f"nothing lies between data.start={start} and data.stop={stop}; "
                f"the recording is {whole[-1, 1] - first:.6g} s long and they count from its beginning"
            )
        return replace(self, intervals=cut)

    def _whole(self) -> np.ndarray:
        """From the first to the last covariate."""
        return np.array([[self.times[0] - self.reach, self.times[-1] + self.reach]])

    @property
    def step(self) -> float:
        """The usual time between two covariate samples, in seconds."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0

    # Every message names the file and the key of the documented .npz, and says what to do.

    def _bad(self, what: str) -> BadInput:
        return BadInput(f"{self.source}: {what}")

    def _check_shapes(self) -> None:
        if self.covariates.ndim != 2:
            raise self._bad(f"covariates has shape {self.covariates.shape}: give [T, F], a row per time")
        rows, columns = self.covariates.shape
        if self.times.shape != (rows,):
            raise self._bad(
                f"covariate_times has shape {self.times.shape} but covariates has {rows} rows: one time a row"
            )
        if rows < 2 or columns < 1:
            raise self._bad(f"covariates is {rows} x {columns}: at least 2 times and 1 covariate are needed")
        for key, names, number in (
            ("covariate_names", self.names, columns),
            ("unit_names", self.units, len(self.spikes)),
        ):
            if len(names) != number:
                raise self._bad(f"{key} has {len(names)} names for {number}: give one each")
            if broken := [name for name in names if len(name.splitlines()) != 1]:
                raise self._bad(f"{key} has {broken[0]!r}: a name is one line of text")
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise self._bad(f"{key} has {twice[0]!r} twice: give every one its own name")

    def _check_times(self) -> None:
        if len(rows := np.flatnonzero(~np.isfinite(self.times))):
            raise self._bad(f"covariate_times is {self.times[rows[0]]} in row {rows[0]}: leave that row out")
        if len(rows := np.flatnonzero(np.diff(self.times) <= 0)):
            before, after = self.times[rows[0]], self.times[rows[0] + 1]
            if before == after and self.rounding:
                raise self._bad(
                    f"covariate_times are stored with too few digits: at {clock(before)} s they tell apart steps of "
                    f"{self.rounding:.2g} s only, and row {rows[0] + 1} repeats the one before: save them as float64"
                )
            raise self._bad(
                f"covariate_times does not ascend: row {rows[0] + 1} is {clock(after)} s after {clock(before)} s: "
                f"sort the rows by time and leave out repeated times"
            )

    def _check_spikes(self) -> None:
        for unit, spikes in zip(self.units, self.spikes, strict=True):
            if len(bad := np.flatnonzero(~np.isfinite(spikes))):
                raise self._bad(f"spike_times of unit {unit}: number {bad[0]} is {spikes[bad[0]]}: leave it out")
            if len(bad := np.flatnonzero(np.diff(spikes) < 0)):
                before, after = spikes[bad[0]], spikes[bad[0] + 1]
                raise self._bad(
                    f"spike_times of unit {unit} are not sorted: {clock(after)} s comes after {clock(before)} s: "
                    f"sort them, and check that no clock was reset"
                )
        if self.intervals is None:
            self._check_inside()

    def _check_inside(self) -> None:
        """Without intervals all spikes count, so all need covariates; one sample's width of grace."""
        low, high = self.times[0] - self.step, self.times[-1] + self.step
        outside = [int(((spikes < low) | (spikes > high)).sum()) for spikes in self.spikes]
        if total := sum(outside):
            unit = next(name for name, number in zip(self.units, outside, strict=True) if number)
            raise self._bad(
                f"{total} spike_times (first in unit {unit}) lie outside covariate_times, "
                f"{clock(self.times[0])} to {clock(self.times[-1])} s: are both in seconds on one clock? "
                f"If so, cut with data.start and data.stop or the key intervals"
            )

    def _checked_intervals(self) -> np.ndarray:
        if self.intervals is None:
            return self._whole()
        intervals = np.asarray(self.intervals, dtype=float)
        if intervals.ndim != 2 or intervals.shape[1] != 2 or not len(intervals):
            raise self._bad(f"intervals has shape {intervals.shape}: give [I, 2], start and stop each")
        if not np.isfinite(intervals).all():
            raise self._bad("intervals holds NaN or infinity: give seconds")
        if len(rows := np.flatnonzero(intervals[:, 0] >= intervals[:, 1])):
            raise self._bad(f"intervals, row {rows[0]}: the start is not before the stop: give start < stop")
        slack = 2 * max(self.rounding, float(np.spacing(np.abs(intervals).max())))  # one ends as the next begins
        if len(rows := np.flatnonzero(intervals[1:, 0] < intervals[:-1, 1] - slack)):
            raise self._bad(
                f"intervals, row {rows[0] + 1} starts before the one above ends: sort them and merge overlaps"
            )
        low, high = self.times[0], self.times[-1]
        if intervals[0, 0] < low - self.step or intervals[-1, 1] > high + self.step:
            raise self._bad(
                f"intervals reach from {clock(intervals[0, 0])} to {clock(intervals[-1, 1])} s but covariate_times "
                f"only from {clock(low)} to {clock(high)} s: shorten them, and check that both are in seconds"
            )
        return intervals

    def _check_finite(self, finite: np.ndarray, intervals: np.ndarray) -> None:
        inside = np.zeros(len(self.times), dtype=bool)
        for low, high in intervals:
            inside |= (self.times >= low) & (self.times <= high)
        if len(rows := np.flatnonzero(inside & ~finite)):
            values, time = self.covariates[rows[0]], self.times[rows[0]]
            column = np.flatnonzero(~np.isfinite(values))[0]
            raise self._bad(
                f"covariates: {self.names[column]} is {values[column]} at {clock(time)} s "
                f"({len(rows)} such rows): fill it in, or leave the stretch out with the key intervals"
            )
        if finite.sum() < 2:
            raise self._bad("covariates has fewer than 2 rows of finite numbers: check how it was saved")
