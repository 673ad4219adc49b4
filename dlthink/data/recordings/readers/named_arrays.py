"""A session from a file of named arrays: which name plays which part, and the shapes that labs store them in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlthink.data.recordings.readers.array_listing import Fields
from dlthink.data.recordings.readers.binned_counts import spikes_of
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session, Trials
from dlthink.data.recordings.units import by_owner, name_of
from dlthink.errors import BadInput

ROLES = {  # what a name in the file may stand for; data.keys={ROLE: NAME} says that it is called otherwise
    "spike_times": "[S] seconds, ascending for each unit; or an array for each unit (a cell array)",
    "spike_units": "[S] the unit of each spike: whole numbers or names",
    "unit_names": "a name for each unit",
    "counts": "[T, units] spikes in bins, in place of spike_times",
    "bin": "s, the width of these bins, which begin at 0",
    "bin_edges": "[T + 1] s, or their edges",
    "covariates": "[T, F] behaviour or stimulus",
    "covariate_times": "[T] seconds, ascending, on the spikes' clock",
    "covariate_names": "[F]",
    "covariate_units": "[F] what they are measured in: cm",
    "intervals": "[I, 2] s, the stretches to use",
    "trials": "[K, 2] s, start and stop of each trial",
    "trial_covariates": "[K, G] what was so during each",
    "trial_covariate_names": "[G]",
}
TIMES = ("_times", "_time", "_t", "_timestamps")


def session(
    fields: Fields,
    keys: Mapping[str, str] | None = None,
    wanted: list[str] | None = None,
    need_spikes: bool = True,
    need_covariates: bool = True,
) -> Session:
    """The session in a file's arrays.

    Beside `covariates`, any array NAME whose times stand in NAME_times (of NAMEs, also in NAME_times) is a series.
    keys: {role: name in the file}. wanted: names of series or covariates, where not all are. Raises BadInput.
    """
    file = _File(fields, keys or {})
    spikes, units, counted, whole = [], [], None, None
    if need_spikes:
        spikes, units, counted, whole = file.spikes()
    series = file.series(wanted, counted) if need_covariates else []
    intervals = file.stretches("intervals") if file.has("intervals") else whole
    return Session(
        source=str(fields.path),
        spikes=spikes,
        units=units,
        series=series,
        intervals=intervals,
        trials=file.trials() if file.has("trials") else None,
        counted=counted,
        rounding=file.rounding,
    )


class _File:
    """Arrays by the part that they play. rounding: of the coarsest of their clocks; bins: of counts, how many."""

    def __init__(self, fields: Fields, keys: Mapping[str, str]) -> None:
        self.fields, self.keys, self.rounding, self.bins = fields, keys, 0.0, 0
        for role, name in keys.items():
            if role not in ROLES:
                raise BadInput(f"data.keys={{{role}: {name}}}: there is no {role}; choose of {', '.join(ROLES)}")
            if name not in fields:
                raise self.bad(f"has no {name}, which data.keys names for {role}: it has {fields.listed()}")

    def bad(self, what: str, way: str = "") -> BadInput:
        return BadInput(f"{self.fields.path}: {what}", way)

    def name(self, role: str) -> str:
        return self.keys.get(role, role)

    def has(self, role: str) -> bool:
        return self.name(role) in self.fields

    def stored(self, name: str) -> np.ndarray:
        """The numbers of that name as they are stored."""
        found = self.fields.read(name)
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiub":
            kind = found.dtype if isinstance(found, np.ndarray) else "several arrays"
            raise self.bad(f"{name} holds {kind}, not numbers: save it as floats")
        return found

    def vector(self, name: str) -> np.ndarray:
        """[n] times in float64, however they lie."""
        found = np.atleast_1d(self.stored(name))
        self.rounding = max(self.rounding, float(spacing(found).max(initial=0.0)))
        found = found.ravel() if found.ndim == 2 and 1 in found.shape else found  # MATLAB knows no vectors
        return found.astype(np.float64, copy=False)

    def stretches(self, role: str) -> np.ndarray:
        """[n, 2] start and stop in float64."""
        found = np.atleast_1d(self.stored(self.name(role)))
        self.rounding = max(self.rounding, float(spacing(found).max(initial=0.0)))
        found = found.T if found.ndim == 2 and found.shape[0] == 2 != found.shape[1] else found
        return found.astype(np.float64, copy=False)

    def table(self, name: str) -> np.ndarray:
        """[n, columns]; of a vector, one column. As it is stored."""
        found = self.stored(name)
        return found[:, None] if found.ndim == 1 else found

    def need(self, role: str) -> None:
        """Raises BadInput where nothing plays that part."""
        if not self.has(role):
            raise self.bad(
                f"the key {role} is missing (the file has {self.fields.listed()})",
                f"add it, {ROLES[role]}, or say what it is called, data.keys={{{role}:NAME}}",
            )

    def texts(self, role: str) -> list[str]:
        if not self.has(role):
            return []
        found = self.fields.read(self.name(role))
        entries = found if isinstance(found, np.ndarray) else [np.squeeze(part) for part in found]
        return [name_of(entry) for entry in np.ravel(entries)]

    # ------------------------------------------------------------------------------------------------------- spikes

    def spikes(self) -> tuple[list[np.ndarray], list[str], tuple[float, float] | None, np.ndarray | None]:
        """Spike times of each unit, their names; of counts also where bins begin, how wide they are, the whole."""
        if self.has("counts") and not self.has("spike_times"):
            return self._counts()
        self.need("spike_times")
        name, names = self.name("spike_times"), self.texts("unit_names")
        if self.fields[name].kind == "cells":
            stored = self.fields.read(name)
            if strange := [part for part in stored if part.size and 1 not in (*part.shape, part.ndim)]:
                raise self.bad(
                    f"{name} has an array of shape {strange[0].shape} for a unit: give a vector of times each"
                )
            self.rounding = max(self.rounding, *(float(spacing(part.ravel()).max(initial=0.0)) for part in stored))
            units = names or list(self.fields[name].names) or [str(unit) for unit in range(len(stored))]
            return [part.ravel().astype(np.float64, copy=False) for part in stored], units, None, None
        self.need("spike_units")
        times = self.vector(name)
        owner = self.fields.read(self.name("spike_units"))
        owner = owner.ravel() if owner.ndim == 2 and 1 in owner.shape else owner
        return *by_owner(self.fields.path, times, owner, names), None, None

    def _counts(self) -> tuple[list[np.ndarray], list[str], tuple[float, float], np.ndarray]:
        counts = self.table(self.name("counts"))
        edges = self.vector(self.name("bin_edges")) if self.has("bin_edges") else None
        if edges is None and not self.has("bin"):
            raise self.bad(
                "holds counts but neither bin, their width in seconds, nor bin_edges",
                "add one, or say what it is called, data.keys={bin:NAME}",
            )
        width = None if edges is not None else self.width()
        spikes, grid, whole = spikes_of(str(self.fields.path), counts, edges, width)
        self.bins = round(float(np.diff(whole)[0, 0]) / grid[1])
        return spikes, self.texts("unit_names") or [str(unit) for unit in range(len(spikes))], grid, whole

    def width(self) -> float:
        """Of all bins, s."""
        name = self.name("bin")
        given = np.unique(self.stored(name))
        if len(given) != 1:
            raise self.bad(f"{name} holds {len(given)} different numbers: give one, the width of every bin in seconds")
        return float(given[0])

    # --------------------------------------------------------------------------------------------------- covariates

    def series(self, wanted: list[str] | None, counted: tuple[float, float] | None) -> list[Series]:
        """Every array that has times; of counts in bins, also the one that has a row for each bin."""
        pairs = self._pairs(counted)
        if not pairs:
            self.need("covariates")
            self.need("covariate_times")
        return [self._series(name, times, counted) for name, times in pairs.items() if _asked(name, wanted)]

    def _pairs(self, counted: tuple[float, float] | None) -> dict[str, str | None]:
        """{name of values: name of their times}."""
        values = self.name("covariates")
        if self.has("covariates") and (self.has("covariate_times") or counted is not None):
            pairs = {values: self.name("covariate_times") if self.has("covariate_times") else None}
        elif self.has("covariates") or self.has("covariate_times") or "covariates" in self.keys:
            return {}  # half of a pair
        else:
            pairs = {}
        taken = {*map(self.name, ROLES)}
        for name in self.fields:
            times = [name.removesuffix(end) + ending for end in ("", "s") for ending in TIMES]
            times = next((other for other in times if other in self.fields and other != name), None)
            if times and name not in taken and times not in taken and self.fields[name].kind == "numbers":
                pairs.setdefault(name, times)
        return pairs

    def _series(self, name: str, times_name: str | None, counted: tuple[float, float] | None) -> Series:
        stored, own = self.table(name), name == self.name("covariates")
        if times_name is None:
            times, bins = counted[0] + counted[1] * (np.arange(len(stored)) + 0.5), self.bins
            if len(stored) != bins:
                raise self.bad(f"{name} has {len(stored)} rows for {bins} bins: give one each, or covariate_times")
        else:
            times = self.vector(times_name)
        if stored.ndim == 2 and len(stored) != len(times) == stored.shape[1]:
            stored = stored.T
        names = self.texts("covariate_names") if own else []
        columns = stored.shape[1] if stored.ndim == 2 else 0
        return Series(
            values=stored.astype(np.float64, copy=False),
            times=times,
            names=names or _columns("" if own else name.rpartition("/")[2], columns),
            key=name,
            times_key=times_name or "bin_edges",
            units=self.texts("covariate_units") if own else [],
            steps=np.atleast_1d(spacing(stored)),
        )

    # ------------------------------------------------------------------------------------------------------- trials

    def trials(self) -> Trials:
        intervals = self.stretches("trials")
        values, names = np.empty((len(intervals), 0)), []
        if self.has("trial_covariates"):
            values = self.table(self.name("trial_covariates")).astype(np.float64, copy=False)
            if values.ndim != 2 or len(values) != len(intervals):
                raise self.bad(f"trial_covariates has shape {values.shape} for {len(intervals)} trials: a row for each")
            names = self.texts("trial_covariate_names") or _columns("trial", values.shape[1])
        return Trials(intervals, values, names)


def spacing(stored: np.ndarray) -> np.ndarray:
    """How far apart the largest values of each column can be told, where fewer digits than float64's were stored."""
    if stored.dtype.kind != "f" or stored.dtype.itemsize >= 8 or not stored.size:
        return np.zeros(stored.shape[1:])
    largest = np.abs(np.nan_to_num(stored, nan=0.0, posinf=0.0, neginf=0.0)).max(axis=0)
    return np.spacing(largest).astype(np.float64)


def _columns(name: str, number: int) -> list[str]:
    """x; or x_0, x_1, ..."""
    return [name] if name and number == 1 else [f"{name}_{i}" if name else str(i) for i in range(number)]


def _asked(name: str, wanted: list[str] | None) -> bool:
    """Is anything of a series wanted? Its columns begin with its name; those of `covariates` are called anything."""
    short = name.rpartition("/")[2]
    return wanted is None or short == "covariates" or any(w == name or w.startswith(short) for w in wanted)
