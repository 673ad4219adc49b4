"""Recordings as labs store them: which format a file has, by its content, and the one that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dlthink.data.recordings.readers import csv_series, hdf5, matlab, named_arrays, npz, nwb, phy, pickles
from dlthink.data.recordings.readers.array_listing import Fields
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput, OtherFormat

KNOWN = "an .npz, a .mat, an .h5, an .nwb, or a folder of Kilosort and Phy"
HDF5 = b"\x89HDF\r\n\x1a\n"


def read(
    path: str | Path,
    keys: Mapping[str, str] | None = None,
    wanted: list[str] | None = None,
    behaviour: str | None = None,
    need_spikes: bool = True,
    need_covariates: bool = True,
) -> Session:
    """The session in a file of any format.

    keys       {role: its name in the file}, where that is another one
    wanted     names of series or covariates to use; None: all
    behaviour  a CSV of covariates beside the file
    Raises BadInput.
    """
    path = Path(path)
    needs = {"need_spikes": need_spikes, "need_covariates": need_covariates and behaviour is None}
    kind = format_of(path)
    if kind == "phy":
        session = phy.session(path, **needs)
    elif kind == "nwb":
        session = nwb.session(path, keys, wanted, **needs)
    else:
        session = named_arrays.session(fields(path, kind), keys, wanted, **needs)
    if behaviour is not None and need_covariates:
        session = replace(session, series=[csv_series.series(Path(behaviour))])
    return session if wanted is None else _only(session, wanted)


def fields(path: Path, kind: str) -> Fields:
    """The named arrays of a file of that kind."""
    if kind == "npz":
        npz.check(path)
    return {"npz": npz, "mat": matlab, "h5": hdf5}[kind].fields(path)


def format_of(path: Path) -> str:
    """npz, mat, h5, nwb or phy. Raises BadInput for everything else, and says what it is."""
    if not path.exists():
        raise BadInput(f"{path}: no such file: check the path (it counts from the folder you are in: {Path.cwd()})")
    if path.is_dir():
        if phy.is_one(path):
            return "phy"
        raise BadInput(f"{path}: is a folder without spike_times.npy, so it is none of Phy: name the file inside it")
    if not path.is_file():
        raise BadInput(f"{path}: is no plain file: name {KNOWN}")
    try:
        with path.open("rb") as file:
            head = file.read(520)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
    if not head:
        raise BadInput(f"{path}: the file is empty: save or copy it again")
    pickles.refuse(path, head)
    ending = path.suffix.lower()
    if HDF5 in (head[:8], head[512:520]):
        return "nwb" if hdf5.is_nwb(path) else "h5"
    if ending in (".h5", ".hdf5", ".nwb"):
        raise BadInput(f"{path}: is no HDF5 file, or its beginning is missing: save or copy it again")
    if ending == ".mat" or head.startswith(b"MATLAB"):
        return "mat"
    if ending == ".csv":
        raise OtherFormat(
            f"{path}: is a CSV, of covariates alone", f"name it data.behaviour={path}, and the spikes data.path"
        )
    if ending == ".npz" or head.startswith((b"PK", b"\x93NUMPY")):
        return "npz"
    raise OtherFormat(f"{path}: is not known here (it begins with {head[:12]!r})", f"give {KNOWN}")


def _only(session: Session, wanted: list[str]) -> Session:
    """Itself with the covariates that are wanted, by their own names or that of their series; of trials, too."""
    series, known = [], set()
    for each in session.series:
        kept = [i for i, name in enumerate(each.names) if name in wanted or each.key in wanted]
        known |= {each.key, *each.names}
        if kept:
            series.append(_columns(each, kept))
    trials = session.trials
    if trials is not None:
        kept = [i for i, name in enumerate(trials.names) if name in wanted]
        known |= {*trials.names}
        trials = replace(trials, values=trials.values[:, kept], names=[trials.names[i] for i in kept])
    if missing := [name for name in wanted if name not in known]:
        raise session.bad(
            f"has no covariate {missing[0]!r}, which data.series names: it has {', '.join(sorted(known)) or 'none'}"
        )
    return replace(session, series=series, trials=trials)


def _columns(series: Series, kept: list[int]) -> Series:
    return replace(
        series,
        values=series.values[:, kept],
        names=[series.names[i] for i in kept],
        units=[series.units[i] for i in kept] if series.units else [],
        steps=None if series.steps is None else series.steps[kept],
    )
