"""The documented .npz of one recording, read without pickle."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput

KEYS = ("spike_times", "spike_units", "covariates", "covariate_times")
SPIKES = 2**19  # handed to their units at a time
TIMES = ("covariate_times", "spike_times", "intervals")
MOST = 1 << 27  # numbers in a file, 1 GB as float64; of text, bytes / 8


def arrays(path: Path, without: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """All arrays of an .npz but those that one can do `without`.

    BadInput if it is missing, empty, something else, cut short, pickled or too large.
    """
    if not path.exists():
        raise BadInput(f"{path}: no such file: check the path (it counts from the folder you are in: {Path.cwd()})")
    if path.is_dir():
        raise BadInput(f"{path}: is a folder: name the .npz inside it")
    if not path.is_file():
        raise BadInput(f"{path}: is no plain file: name an .npz")
    try:
        with path.open("rb") as file:
            kind = file.read(6)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
    if not kind:
        raise BadInput(f"{path}: the file is empty: save or copy it again")
    if kind == b"\x93NUMPY":
        raise BadInput(f"{path}: holds a single array, not an .npz: save it with np.savez(path, key=array, ...)")
    if not kind.startswith(b"PK"):
        raise BadInput(f"{path}: is not an .npz file, whatever its name: save it with np.savez(path, ...)")
    try:
        with np.load(path, allow_pickle=False) as file:
            _check_size(path, file.zip)
            return {key: _array(path, file, key) for key in file.files if key not in without}
    except BadInput:
        raise
    except Exception as error:  # zipfile, zlib, numpy and its parser of headers each fail in their own ways
        raise BadInput(f"{path}: is damaged or cut short ({type(error).__name__}): save or copy it again") from error


def _check_size(path: Path, archive: zipfile.ZipFile) -> None:
    """Before anything is unfolded: do its arrays say that they are small, and do they agree with their place?"""
    total = 0
    for entry in archive.infolist():
        shape, dtype = _header(archive, entry)
        total += max(math.prod(shape), entry.file_size // 8)
        if total > MOST:
            raise BadInput(
                f"{path}: its arrays are too large ({entry.filename.removesuffix('.npy')} has {list(shape)} entries of "
                f"{dtype}; more than {MOST:,} numbers in all are not read): give fewer covariates, or a part of it"
            )


def _header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array in the archive, as it says itself; of other things, their bytes."""
    with archive.open(entry) as file:
        if file.read(6) != b"\x93NUMPY":
            return (entry.file_size,), np.dtype("u1")
        file.seek(0)
        old = np.lib.format.read_magic(file) == (1, 0)
        shape, _, dtype = (np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0)(file)
        if not dtype.hasobject and math.prod(shape) * dtype.itemsize != entry.file_size - file.tell():
            raise ValueError("an array is not as large as it says")
        return shape, dtype


def _array(path: Path, file: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    try:
        return file[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise BadInput(
            f"{path}: {key} holds Python objects, which are not read: save it as plain numbers or text"
        ) from error


def read_recording(path: str | Path, found: dict[str, np.ndarray] | None = None, need_spikes: bool = True) -> Session:
    """The session in an .npz with these keys; units in sorted order, or in that of `unit_names`.

    spike_times [S] seconds, ascending for each unit     spike_units [S] whole numbers or names
    covariates [T, F] (or [T])                            covariate_times [T] seconds
    optional: covariate_names [F], unit_names, intervals [I, 2] seconds.
    With names in `spike_units`, `unit_names` lists them; with numbers, `unit_names[i]` names unit i.
    """
    path = Path(path)
    found = arrays(path, () if need_spikes else KEYS[:2]) if found is None else found
    needed = KEYS if need_spikes else KEYS[2:]
    if missing := [key for key in needed if key not in found]:
        raise BadInput(
            f"{path}: the key {missing[0]} is missing (the file has {', '.join(sorted(found)) or 'none'}): "
            f"add it; keys are {', '.join(KEYS)}"
        )
    covariates = _numbers(path, found, "covariates")
    covariates = covariates[:, None] if covariates.ndim == 1 else covariates
    columns = covariates.shape[1] if covariates.ndim == 2 else 0
    spikes, units = _units(path, found) if need_spikes else ([], [])
    return Session(
        source=str(path),
        spikes=spikes,
        units=units,
        covariates=covariates,
        times=_numbers(path, found, "covariate_times"),
        names=_names(found, "covariate_names") or [str(column) for column in range(columns)],
        intervals=_numbers(path, found, "intervals") if "intervals" in found else None,
        rounding=max(float(_spacing(found[key]).max(initial=0.0)) for key in TIMES if key in found),
        steps=np.atleast_1d(_spacing(found["covariates"])),
    )


def _spacing(stored: np.ndarray) -> np.ndarray:
    """How far apart the largest values of each column can be told, where fewer digits than float64's were stored."""
    if stored.dtype.kind != "f" or stored.dtype.itemsize >= 8 or not stored.size:
        return np.zeros(stored.shape[1:])
    largest = np.abs(np.nan_to_num(stored, nan=0.0, posinf=0.0, neginf=0.0)).max(axis=0)
    return np.spacing(largest).astype(np.float64)


def _numbers(path: Path, found: dict[str, np.ndarray], key: str) -> np.ndarray:
    if found[key].dtype.kind not in "fiub":
        raise BadInput(
            f"{path}: {key} holds {found[key].dtype}, not numbers: save it as floats{', in seconds' * (key in TIMES)}"
        )
    return found[key].astype(np.float64, copy=False)


def _names(found: dict[str, np.ndarray], key: str) -> list[str]:
    return [_name(entry) for entry in np.atleast_1d(found[key])] if key in found else []


def _name(entry: object) -> str:
    return entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry)


def _units(path: Path, found: dict[str, np.ndarray]) -> tuple[list[np.ndarray], list[str]]:
    times, owner = _numbers(path, found, "spike_times"), found["spike_units"]
    if times.ndim != 1 or owner.shape != times.shape:
        raise BadInput(
            f"{path}: spike_times has shape {times.shape} and spike_units {owner.shape}: "
            f"give one unit for every spike, [S] each"
        )
    if not len(times):
        raise BadInput(f"{path}: spike_times is empty: there is nothing to learn from")
    names = _names(found, "unit_names")
    if owner.dtype.kind in "US":
        order = np.array(names) if names else _distinct(_text(owner))
        owner, present = _text(owner), set(order.tolist())
        if strange := sorted(set(_distinct(owner).tolist()) - present):
            raise BadInput(f"{path}: spike_units has {strange[0]!r}, which unit_names lacks: add it there")
        return _split(times, owner, order), [str(name) for name in order]
    if owner.dtype.kind == "f":
        if not (np.abs(owner) < 2**53).all() or not np.equal(np.mod(owner, 1), 0).all():
            raise BadInput(f"{path}: spike_units holds fractions or NaN: give whole numbers or names")
        owner = owner.astype(np.int64)
    if owner.dtype.kind not in "iu":
        raise BadInput(f"{path}: spike_units holds {owner.dtype}: give whole numbers or names")
    if not names:
        order = _distinct(owner)
        return _split(times, owner, order), [str(unit) for unit in order]
    if owner.min() < 0 or owner.max() >= len(names):
        raise BadInput(
            f"{path}: spike_units reaches from {owner.min()} to {owner.max()} "
            f"but unit_names has {len(names)} names: "
            f"count units from 0, unit_names[i] names unit i"
        )
    return _split(times, owner, np.arange(len(names))), names


def _text(owner: np.ndarray) -> np.ndarray:
    return np.char.decode(owner, "utf-8") if owner.dtype.kind == "S" else owner


def _distinct(owner: np.ndarray) -> np.ndarray:
    """np.unique, without a sorted copy of everything."""
    return np.unique(np.concatenate([np.unique(owner[i : i + SPIKES]) for i in range(0, len(owner), SPIKES)]))


def _split(times: np.ndarray, owner: np.ndarray, order: np.ndarray) -> list[np.ndarray]:
    """The times of each unit, in the order given: a unit whose times go backwards must stay visible."""
    parts: list[list[np.ndarray]] = [[] for _ in order]
    for first in range(0, len(times), SPIKES):
        some, whose = times[first : first + SPIKES], owner[first : first + SPIKES]
        by_unit = np.argsort(whose, kind="stable")
        some, whose = some[by_unit], whose[by_unit]
        low, high = (np.searchsorted(whose, order, side=side) for side in ("left", "right"))
        for part, a, b in zip(parts, low, high, strict=True):
            part.append(some[a:b].copy())
    return [np.concatenate(part) for part in parts]
