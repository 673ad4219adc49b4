"""HDF5 files: named datasets, and MATLAB's .mat of version 7.3, which is one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from dlthink.data.recordings.readers.array_listing import DEEP, MANY, MOST, Field, Fields, known, whole
from dlthink.errors import BadInput

INTERNAL = ("#refs#", "#subsystem#")  # where MATLAB keeps what cell arrays point to


def fields(path: Path) -> Fields:
    """Every dataset of the file by its path. Raises BadInput.

    A group that holds nothing but vectors is a list of arrays, too, named after them. Links to other files are not
    followed.
    """
    h5py = _h5py(path)
    with whole(path), h5py.File(path, "r") as file:
        found = known(path, _Tree(path, file).children(file))
        for name, members in list(_lists(found)):
            found.found.setdefault(name, members)
        return found


def is_nwb(path: Path) -> bool:
    """Does the file say that it is Neurodata Without Borders?"""
    with whole(path), _h5py(path).File(path, "r") as file:
        return "nwb_version" in file.attrs


def _h5py(path: Path):
    try:
        import h5py
    except ImportError as error:
        raise BadInput(f'{path}: an HDF5 file needs h5py: pip install "dlthink[spikes]"') from error
    return h5py


class _Tree:
    """An open file as arrays within lists (cells) and dicts (groups, structs); arrays are read from it later."""

    def __init__(self, path: Path, file) -> None:
        self.path, self.file, self.h5py = path, file, _h5py(path)
        self.seen: dict = {}  # nodes by where they lie: a file may refer to one again and again, or in a circle

    def children(self, group, deep: int = 0) -> Iterator[tuple[str, object]]:
        if deep > DEEP:
            return
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, self.h5py.HardLink) and name not in INTERNAL:
                yield name, self.node(group[name], deep)

    def node(self, stored, deep: int):
        place = self.h5py.h5o.get_info(stored.id).addr
        if place not in self.seen:
            self.seen[place] = Field("other", (), list, about="references in a circle")  # until it is known
            self.seen[place] = self._node(stored, deep)
        return self.seen[place]

    def _node(self, stored, deep: int):
        if not isinstance(stored, self.h5py.Dataset):
            return dict(self.children(stored, deep + 1))
        if stored.external or stored.is_virtual:
            return Field("other", stored.shape, list, about="numbers that lie in other files")
        if stored.shape is None or stored.attrs.get("MATLAB_empty"):
            return Field("numbers", (0,), lambda: np.empty(0))
        if self.h5py.check_ref_dtype(stored.dtype):
            return self._cells(stored, deep)
        matlab = stored.attrs.get("MATLAB_class", b"")
        return _field(self.path, self.h5py, stored, matlab.decode() if isinstance(matlab, bytes) else str(matlab))

    def _cells(self, stored, deep: int):
        """What references point to; MATLAB's cell arrays are made so."""
        if math.prod(stored.shape) > MANY or deep > DEEP:
            return Field("other", stored.shape, list, about="references to more arrays than are read")
        return [self.node(self.file[reference], deep + 1) for reference in stored[()].ravel() if reference]


def _field(path: Path, h5py, stored, matlab: str) -> Field:
    """One dataset. MATLAB stores columns first."""
    name, shape = stored.name, stored.shape[::-1] if matlab else stored.shape
    size, inner, text = math.prod(shape), h5py.check_vlen_dtype(stored.dtype), h5py.check_string_dtype(stored.dtype)

    def load():
        with h5py.File(path, "r") as file:
            array = file[name][()]
            return np.asarray(array).T if matlab else np.asarray(array)

    if matlab == "char":
        return Field("text", (1,), lambda: np.array(["".join(map(chr, load().ravel(order="C")))]), size)
    if len(shape) <= 1 and size <= MANY and (text or inner):
        one_by_one = partial(_one_by_one, path, h5py, name)
        if text:
            return Field("text", shape, lambda: np.array(list(map(_text, one_by_one()))), size)
        if inner.kind in "fiu":
            return Field("cells", shape, lambda: list(one_by_one()), size, f"of {inner}")
    if stored.dtype.kind in "fiub":
        return Field("numbers", shape, load, size, str(stored.dtype))
    return Field("other", shape, list, size, f"{stored.dtype}"[:40])


def _one_by_one(path: Path, h5py, name: str) -> Iterator:
    """Entries of any length, of which a file may store one and repeat it without end."""
    read = 0
    with h5py.File(path, "r") as file:
        stored = file[name]
        for entry in range(len(stored)) if stored.shape else [()]:
            value = stored[entry]
            read += np.size(value) if isinstance(value, np.ndarray) else len(value) // 8
            if read > MOST:
                raise BadInput(f"{path}: the arrays of {name} are too large; save a part of it")
            yield value


def _lists(found: Fields) -> Iterator[tuple[str, Field]]:
    """Groups whose members are all vectors of numbers: (name, an array for each member)."""
    groups: dict[str, dict[str, Field]] = {}
    for name, member in found.items():
        group, _, last = name.rpartition("/")
        groups.setdefault(group, {})[last] = member
    for group, members in groups.items():
        vectors = all(m.kind == "numbers" and (len(m.shape) == 1 or 1 in m.shape) for m in members.values())
        if group and vectors:
            names = sorted(members, key=lambda name: (0, int(name), name) if name.isdecimal() else (1, 0, name))
            loads = [members[name].load for name in names]
            size = sum(m.size for m in members.values())
            yield group, Field("cells", (len(names),), partial(_all, loads), size, "", tuple(names))


def _all(loads: list) -> list[np.ndarray]:
    return [load() for load in loads]


def _text(entry) -> str:
    return entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry)
