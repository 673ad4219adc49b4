"""Neurodata Without Borders, read by pynwb: the units table, behaviour by name, intervals, trials."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dlthink.data.recordings.readers.array_listing import MOST, whole
from dlthink.data.recordings.readers.external_links import check_links
from dlthink.data.recordings.readers.trial_columns import trials_of
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session, Trials
from dlthink.data.recordings.stretches import without
from dlthink.data.recordings.units import name_of
from dlthink.errors import BadInput

AXES = "xyz"
WIDE = 64  # columns of a series: more are channels or pixels, no behaviour


def session(
    path: Path,
    keys: Mapping[str, str] | None = None,
    wanted: list[str] | None = None,
    need_spikes: bool = True,
    need_covariates: bool = True,
) -> Session:
    """The session in an NWB file: its units, what lies in its module `behavior`, its trials.

    wanted: series by name, wherever they lie; None: all of `behavior`. keys={intervals: NAME}: a table of intervals to
    use; without one, what all units were observed for, and never what is marked as invalid. Raises BadInput.
    """
    with opened(path) as file:
        reader = _File(path, file)
        spikes, units = reader.units() if need_spikes else ([], [])
        series = reader.series(wanted) if need_covariates else []
        read = Session(
            source=str(path),
            spikes=spikes,
            units=units,
            series=series,
            intervals=reader.intervals((keys or {}).get("intervals")),
            trials=reader.trials(),
            notes=tuple(reader.notes),
        )
        invalid = file.invalid_times
        return read if invalid is None or not len(invalid) else without(read, reader.table(invalid))


@contextmanager
def opened(path: Path) -> Iterator:
    """The file as pynwb gives it. Raises BadInput."""
    try:
        from pynwb import NWBHDF5IO
    except ImportError as error:
        raise BadInput(f'{path}: an NWB file needs pynwb: pip install "dlthink[nwb]"') from error
    check_links(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of namespaces that are newer or older than pynwb
        with whole(path):
            io = NWBHDF5IO(str(path), mode="r", load_namespaces=True)
        try:
            with whole(path):
                file = io.read()
            yield file
        finally:
            io.close()


def contents(path: Path) -> Iterator[tuple[str, str]]:
    """(name, what it is) of all that can be named: units, series, tables of intervals, columns of trials."""
    with opened(path) as file:
        units = file.units
        yield "units", "none" if units is None else f"{len(units)} units"
        for name, (place, found) in _places(file).items():
            shape = " x ".join(map(str, np.shape(found.data)))
            yield name, f"{shape} in {place}{f', {found.unit}' if found.unit else ''}"
        for name, table in file.intervals.items():
            columns = ", ".join(c for c in table.colnames if c not in ("start_time", "stop_time"))
            yield name, f"{len(table)} intervals{f' with {columns}' if columns else ''}"


class _File:
    def __init__(self, path: Path, file) -> None:
        self.path, self.file, self.notes, self.left = path, file, [], MOST

    def bad(self, what: str, way: str = "") -> BadInput:
        return BadInput(f"{self.path}: {what}", way)

    def read(self, stored, what: str) -> np.ndarray:
        """All of an array, if it is no more than is read of a file."""
        self.left -= math.prod(np.shape(stored))
        if self.left < 0:
            raise self.bad(f"{what} has {list(np.shape(stored))} entries; more than {MOST:,} numbers are not read")
        with whole(self.path):
            return np.asarray(stored[()] if hasattr(stored, "shape") else stored[:])

    def units(self) -> tuple[list[np.ndarray], list[str]]:
        table = self.file.units
        if table is None or not len(table):
            raise self.bad("holds no units: its table `units` is missing or empty, so there are no spikes to use")
        if "spike_times" not in table.colnames:
            raise self.bad("its table `units` has no column spike_times: sort the spikes first")
        ends = self.read(table["spike_times"].data, "spike_times_index").astype(np.int64)
        times = self.read(table["spike_times"].target.data, "spike_times").astype(np.float64, copy=False)
        if len(ends) and (np.diff(ends, prepend=0).min() < 0 or ends[-1] > len(times)):
            raise self.bad("spike_times_index does not fit spike_times: save it again")
        column = "unit_name" if "unit_name" in table.colnames else None
        names = self.read(table[column].data if column else table.id.data, "unit_name")
        return [part.copy() for part in np.split(times, ends[:-1])], [name_of(name) for name in names]

    def series(self, wanted: list[str] | None) -> list[Series]:
        places = _places(self.file)
        names = [n for n, (place, _) in places.items() if place == "behavior"] if wanted is None else []
        for want in wanted or []:
            if not (found := [name for name in places if want == name or want in _columns(name, places[name][1])]):
                raise self.bad(f"has no series {want}; it has {_listed(places)}", "choose of these, data.series=[NAME]")
            names += found
        if wanted is None and len(names) > 1:
            names = self._usable(names, places)
        if not names:
            raise self.bad(
                f"has no series in its module `behavior`; it has {_listed(places)}", "name one, data.series=[NAME]"
            )
        return [self._series(name, places[name][1]) for name in dict.fromkeys(names)]

    def _usable(self, names: list[str], places: Mapping) -> list[str]:
        """Those series that hold rows of numbers; words and single events are noted, not everybody's behaviour."""
        usable = [
            n for n in names if np.asarray(places[n][1].data[:0]).dtype.kind in "fiub" and len(places[n][1].data) > 1
        ]
        if usable and (others := [name for name in names if name not in usable]):
            self.notes.append(f"left out of behavior, no two rows of numbers: {', '.join(others)}")
        return usable or names

    def _series(self, name: str, stored) -> Series:
        values = self.read(stored.data, name)
        if values.dtype.kind not in "fiub":
            raise self.bad(f"series {name} holds {values.dtype}, not numbers", "name others, data.series=[NAME]")
        values = values[:, None] if values.ndim == 1 else values
        values = values * float(stored.conversion) + float(getattr(stored, "offset", 0.0) or 0.0)
        if stored.timestamps is not None:
            times = self.read(stored.timestamps, f"timestamps of {name}").astype(np.float64, copy=False)
        else:
            times = float(stored.starting_time) + np.arange(len(values)) / float(stored.rate)
        units = [str(stored.unit or "")] * (values.shape[1] if values.ndim == 2 else 1)
        return Series(values, times, _columns(name, stored), key=name, times_key=f"timestamps of {name}", units=units)

    def intervals(self, name: str | None) -> np.ndarray | None:
        tables = dict(self.file.intervals.items())
        if name is not None and name not in tables:
            raise self.bad(f"has no intervals {name}, which data.keys names; it has {', '.join(tables) or 'none'}")
        if name is not None:
            return self.table(tables[name])
        return self._observed()

    def _observed(self) -> np.ndarray | None:
        """What all units were observed for, where the table says so, and the same for each."""
        table = self.file.units
        if table is None or "obs_intervals" not in table.colnames:
            return None
        stored, ends = table["obs_intervals"].target.data, self.read(table["obs_intervals"].data, "obs_intervals_index")
        pieces = np.split(self.read(stored, "obs_intervals"), ends[:-1].astype(np.int64))
        if any(piece.shape != pieces[0].shape or (piece != pieces[0]).any() for piece in pieces):
            self.notes.append("units were observed for different times (obs_intervals): all of the time is used")
            return None
        return pieces[0].astype(np.float64)

    def table(self, table) -> np.ndarray:
        return np.stack([self.read(table[c].data, c).astype(np.float64) for c in ("start_time", "stop_time")], axis=1)

    def trials(self) -> Trials | None:
        table = self.file.trials
        if table is None or not len(table):
            return None
        plain = [c for c in table.colnames if c not in ("start_time", "stop_time") and np.ndim(table[c].data) == 1]
        plain = [c for c in plain if not hasattr(table[c], "target")]  # columns with a list in each row
        columns = {name: self.read(table[name].data, name) for name in plain}
        values, names, left_out = trials_of(columns)
        self.notes += left_out
        return Trials(self.table(table), values, names)


def _places(file) -> dict[str, tuple[str, object]]:
    """{name: (where it lies, the series)} of all that may be behaviour or stimulus."""
    lying = [(name, module.data_interfaces.values()) for name, module in file.processing.items()]
    lying += [("acquisition", file.acquisition.values()), ("stimulus", file.stimulus.values())]
    found: dict[str, tuple[str, object]] = {}
    for place, containers in lying:
        for container in containers:
            inside = [
                *getattr(container, "time_series", {}).values(),
                *getattr(container, "spatial_series", {}).values(),
            ]
            for series in inside or [container]:
                if _is_series(series):
                    name = series.name if series.name not in found else f"{container.name}/{series.name}"
                    found.setdefault(name, (place, series))
    return found


def _is_series(found) -> bool:
    shape = np.shape(getattr(found, "data", None))
    timed = getattr(found, "timestamps", None) is not None or getattr(found, "rate", None)
    return (
        bool(timed)
        and len(shape) in (1, 2)
        and math.prod(shape[1:]) <= WIDE
        and type(found).__name__
        not in (
            "ElectricalSeries",
            "SpikeEventSeries",
            "ImageSeries",
            "IndexSeries",
        )
    )


def _columns(name: str, stored) -> list[str]:
    """position_x, position_y of a series in space; else name_0, name_1, ..."""
    shape = np.shape(stored.data)
    if len(shape) == 1 or shape[1] == 1:
        return [name]
    axes = AXES if type(stored).__name__ == "SpatialSeries" and shape[1] <= len(AXES) else range(shape[1])
    return [f"{name}_{axis}" for axis in list(axes)[: shape[1]]]


def _listed(places: Mapping) -> str:
    return ", ".join(f"{name} (in {place})" for name, (place, _) in places.items()) or "none at all"
