"""What is in a recording's file, and which of its names can be used: `dlthink show FILE`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlthink.data.recordings.readers import formats, nwb, phy
from dlthink.data.recordings.readers.named_arrays import ROLES
from dlthink.data.recordings.series import Series, clock
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput

CALLED = {
    "npz": "an .npz of NumPy",
    "mat": "a .mat of MATLAB",
    "h5": "an HDF5 file",
    "nwb": "Neurodata Without Borders",
    "phy": "a folder of Kilosort and Phy",
}
MOST = 200  # lines


def lines(path: str | Path) -> list[str]:
    """Everything that the file holds, then what is made of it as it is, or what is missing. Raises BadInput."""
    path = Path(path)
    kind = formats.format_of(path)
    found = list(_held(path, kind))
    wide = max((len(name) for name, _ in found[:MOST]), default=0)
    told = [f"{path}: {CALLED[kind]}", *(f"  {name:<{wide}}  {what}" for name, what in found[:MOST])]
    if len(found) > MOST:
        told.append(f"  and {len(found) - MOST:,} more")
    try:
        return told + list(_made(formats.read(path), path))
    except BadInput as missing:
        said = str(missing).removeprefix(f"{path}: ")
        return [*told, f"not yet a recording: {said}", *(_parts() if kind in ("npz", "mat", "h5") else [])]


def _parts() -> Iterator[str]:
    yield "parts, for data.keys={PART:NAME}, or several, 'data.keys={PART:NAME,PART:NAME}':"
    yield from (f"  {role:<{max(map(len, ROLES))}}  {what}" for role, what in ROLES.items())


def _held(path: Path, kind: str) -> Iterator[tuple[str, str]]:
    if kind == "nwb":
        yield from nwb.contents(path)
    elif kind == "phy":
        yield from phy.contents(path)
    else:
        for name, field in sorted(formats.fields(path, kind).items()):
            yield name, str(field)


def _made(session: Session, path: Path) -> Iterator[str]:
    spikes = sum(map(len, session.spikes))
    counted = "" if session.counted is None else f", counted in bins of {session.counted[1]:g} s"
    yield (
        f"read as: {len(session.units)} units with {spikes:,} spikes{counted}, {session.spike_range()}; units "
        f"{_listed(session.units)}"
    )
    for series in session.series:
        yield _told(series)
    if session.intervals is not None:
        seconds = float(np.diff(session.intervals).sum())
        yield f"  {len(session.intervals)} intervals, {seconds:,.6g} s in all"
    if session.trials is not None:
        yield f"  {len(session.trials.intervals)} trials with {_listed(session.trials.names) or 'no covariates'}"
    yield from (f"  {note}" for note in session.notes)
    yield f"train on it: dlthink train data=recording data.path={path}"
    names = session.names + (session.trials.names if session.trials else [])
    yield f"names of covariates: {_listed(names, 40)}"


def _told(series: Series) -> str:
    units = f" in {_listed(list(dict.fromkeys(filter(None, series.units))))}" if any(series.units) else ""
    lost = int((~np.isfinite(series.values)).any(axis=1).sum()) if series.values.ndim == 2 else 0
    gaps = f", {lost:,} of them with NaN" if lost else ""
    if not len(series.times):
        return f"  {series.key}: {_listed(series.names)}; no rows"
    return (
        f"  {series.key}: {_listed(series.names)}{units}; {len(series.times):,} rows{gaps}, every {series.step:.4g} s, "
        f"from {clock(series.times[0])} to {clock(series.times[-1])} s"
    )


def _listed(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
