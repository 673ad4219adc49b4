"""NumPy's .npz: arrays by name, read without pickle."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from dlthink.data.recordings.readers.array_listing import Field, Fields, whole
from dlthink.errors import BadInput, OtherFormat


def arrays(path: Path, without: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """All arrays of an .npz but those that one can do `without`.

    BadInput if it is something else, cut short, pickled or too large.
    """
    found = fields(path)
    return {name: found.read(name) for name in found if name not in without}


def fields(path: Path) -> Fields:
    """The arrays of an .npz by name, as their headers say, of which none is read yet. Raises BadInput."""
    with whole(path), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if entries and not any(e.filename.endswith(".npy") for e in entries):
            raise OtherFormat(
                f"{path}: is a zip without an array of NumPy, so no .npz: unpack it, or name another file"
            )
        return Fields(path, {e.filename.removesuffix(".npy"): _field(path, archive, e) for e in entries})


def _field(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Field:
    shape, dtype = _header(archive, entry)
    if dtype is None:  # no array
        return Field("other", shape, bytes, entry.file_size // 8, "bytes")
    key = entry.filename.removesuffix(".npy")

    def load() -> np.ndarray:
        with np.load(path, allow_pickle=False) as file:
            return file[key]

    if dtype.hasobject:
        return Field("other", shape, load, about="Python objects")
    size = max(math.prod(shape), entry.file_size // 8)
    return Field("text" if dtype.kind in "US" else "numbers", shape, load, size, str(dtype))


def _header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype | None]:
    """Shape and type of an array in the archive, as it says itself; of other things, how many bytes."""
    with archive.open(entry) as file:
        if file.read(6) != b"\x93NUMPY":
            return (entry.file_size,), None
        file.seek(0)
        old = np.lib.format.read_magic(file) == (1, 0)
        shape, _, dtype = (np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0)(file)
        if not dtype.hasobject and math.prod(shape) * dtype.itemsize != entry.file_size - file.tell():
            raise ValueError("an array is not as large as it says")
        return shape, dtype


def check(path: Path) -> None:
    """Raises BadInput where the file is no .npz, and says what it is."""
    with path.open("rb") as file:
        kind = file.read(6)
    if kind == b"\x93NUMPY":
        raise BadInput(f"{path}: holds a single array, not an .npz: save it with np.savez(path, key=array, ...)")
    if not kind.startswith(b"PK"):
        raise BadInput(f"{path}: is not an .npz file, whatever its name: save it with np.savez(path, ...)")
