"""Covariates that were measured together, as they were measured: one clock, no bins yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from dlthink.errors import BadInput

ALIKE = 0.01  # of a bin: times so near to a grid lie on it
LARGEST = 1e100  # of a covariate; the square of a larger one may be infinite


def clock(time: float) -> str:
    """A time in seconds as text, to the microsecond as far as float64 knows it: 1700000000.02, not 1.7e+09."""
    return f"{round(float(time), 6):.15g}"


@dataclass(frozen=True)
class Series:
    """Values [T, F] of F covariates at T times.

    values     [T, F] the animal's behaviour or the stimulus
    times      [T] float64 seconds when each row was measured, ascending
    names      F names of the covariates
    held       a row stands until the next one: what a trial is, a state coded by its changes. Else a line joins two
    key        what the file calls the values, and
    times_key  the times, for messages
    units      what they are measured in, where the file says so: "cm"
    steps      [F] how far apart two values must be to be told apart, where fewer digits than float64's were stored
    rows       [T] the row of the file that each row was, once some were dropped (`checked`)
    """

    values: np.ndarray
    times: np.ndarray
    names: list[str]
    held: bool = False
    key: str = "covariates"
    times_key: str = "covariate_times"
    units: list[str] = field(default_factory=list)
    steps: np.ndarray | None = field(default=None, repr=False)
    rows: np.ndarray | None = field(default=None, repr=False)

    @property
    def step(self) -> float:
        """The usual time between two rows, in seconds."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0

    def since(self, zero: float) -> Series:
        """The same on a clock that begins at `zero`."""
        return replace(self, times=self.times - zero)

    def only(self, keep: np.ndarray) -> Series:
        """Those rows for which `keep` [T] is true."""
        if keep.all():
            return self
        rows = np.arange(len(keep)) if self.rows is None else self.rows
        return replace(self, values=self.values[keep], times=self.times[keep], rows=rows[keep])

    def finite(self) -> np.ndarray:
        """[T] which rows hold numbers only."""
        return np.isfinite(self.values).all(axis=1)

    def lie_apart(self, width: float, rounding: float) -> bool:
        """Do rows lie a multiple of `width` apart, and mostly one? rounding: s, of times."""
        place = (self.times - self.times[0]) / width
        loose = ALIKE + 2 * max(rounding, float(np.spacing(np.abs(self.times).max()))) / width
        apart = abs(float(np.median(np.diff(place))) - 1) <= loose
        return apart and bool((np.abs(place - np.rint(place)) <= loose).all())

    # Every message names the keys of the file, and says what to do. bad: makes the error, with the file's name before.

    def check(self, bad: Callable[[str], BadInput], rounding: float) -> None:
        """Raises BadInput where shapes do not fit each other, or times do not ascend."""
        self._check_shapes(bad)
        self._check_times(bad, rounding)

    def _check_shapes(self, bad: Callable[[str], BadInput]) -> None:
        if self.values.ndim != 2:
            raise bad(f"{self.key} has shape {self.values.shape}: give [T, F], a row per time")
        rows, columns = self.values.shape
        if self.times.shape != (rows,):
            raise bad(f"{self.times_key} has shape {self.times.shape} but {self.key} has {rows} rows: one time a row")
        if rows < (1 if self.held else 2) or columns < 1:
            raise bad(f"{self.key} is {rows} x {columns}: at least 2 times and 1 covariate are needed")
        if len(self.names) != columns:
            raise bad(f"{self.key.removesuffix('s')}_names has {len(self.names)} names for {columns}: give one each")

    def _check_times(self, bad: Callable[[str], BadInput], rounding: float) -> None:
        if len(rows := np.flatnonzero(~np.isfinite(self.times))):
            raise bad(f"{self.times_key} is {self.times[rows[0]]} in row {rows[0]}: leave that row out")
        if len(rows := np.flatnonzero(np.diff(self.times) <= 0)):
            before, after = self.times[rows[0]], self.times[rows[0] + 1]
            if before == after and rounding:
                raise bad(
                    f"{self.times_key} are stored with too few digits: at {clock(before)} s they tell apart steps of "
                    f"{rounding:.2g} s only, and row {rows[0] + 1} repeats the one before: save them as float64"
                )
            raise bad(
                f"{self.times_key} does not ascend: row {rows[0] + 1} is {clock(after)} s after {clock(before)} s: "
                f"sort the rows by time and leave out repeated times"
            )

    def check_finite(self, bad: Callable[[str], BadInput], intervals: np.ndarray) -> None:
        """Raises BadInput where a value inside the intervals [I, 2] is no number."""
        finite, inside = self.finite(), np.zeros(len(self.times), dtype=bool)
        for low, high in intervals:
            inside |= (self.times >= low) & (self.times <= high)
        if len(rows := np.flatnonzero(inside & ~finite)):
            values, time = self.values[rows[0]], self.times[rows[0]]
            column = np.flatnonzero(~np.isfinite(values))[0]
            if not (filled := np.isfinite(self.values).any(axis=0))[column]:
                others = ",".join(name for name, some in zip(self.names, filled, strict=True) if some)
                way = f"use others, data.series=[{others}]" if others else "check how it was saved"
                raise bad(f"{self.key}: {self.names[column]} has no finite number in any row: {way}")
            raise bad(
                f"{self.key}: {self.names[column]} is {values[column]} at {clock(time)} s ({len(rows)} such rows): "
                f"fill it in, leave the stretch out with the key intervals, or such stretches with data.gap=1"
            )
        if len(rows := np.flatnonzero(inside & (np.abs(self.values) > LARGEST).any(axis=1))):
            values, time = self.values[rows[0]], self.times[rows[0]]
            column = np.abs(values).argmax()
            raise bad(
                f"{self.key}: {self.names[column]} is {values[column]:.4g} at {clock(time)} s ({len(rows)} such rows), "
                f"more than can be squared and added up: give it in a larger unit, or nan where it stands for nothing"
            )
        if finite.sum() < (1 if self.held else 2):
            raise bad(f"{self.key} has fewer than 2 rows of finite numbers: check how it was saved")
