"""MATLAB's .mat up to version 7, read by scipy: numbers, text, cell arrays and structs. Version 7.3 is HDF5."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlthink.data.recordings.readers.array_listing import MANY, MOST, Field, Fields, known, number, whole
from dlthink.errors import BadInput

MATRIX, COMPRESSED = 14, 15  # types of elements
CELL, STRUCT, OBJECT = 1, 2, 3  # classes of matrices
STEP = 1 << 20  # bytes unfolded at a time, while they are counted


def fields(path: Path) -> Fields:
    """Everything in a .mat by name; what is in a struct is called struct/field. Raises BadInput."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    with path.open("rb") as file:
        head = file.read(128)
    if not head.startswith(b"MATLAB 5.0") and not _is_version_4(head):
        raise BadInput(
            f"{path}: is no .mat file that is known here (versions 4, 5, 6, 7 and 7.3 are; it begins with "
            f"{head[:20]!r}): save it by MATLAB's save(FILE, '-v7')"
        )
    if head.startswith(b"MATLAB 5.0"):
        _check_sizes(path)
    elif path.stat().st_size > 8 * MOST:
        raise BadInput(f"{path}: is larger than {8 * MOST >> 30} GB: save a part of it")
    with whole(path):
        try:
            stored = loadmat(path, struct_as_record=True)
        except (NotImplementedError, MatReadError) as error:
            reason = str(error).splitlines()[0]
            raise BadInput(f"{path}: scipy cannot read it ({reason}): save it by MATLAB's save(FILE, '-v7')") from error
        return known(path, ((name, _tree(value)) for name, value in stored.items() if not name.startswith("__")))


def _tree(value) -> Field | list | dict:
    """What scipy makes of a variable, as arrays within lists (cells) and dicts (structs)."""
    if hasattr(value, "toarray"):
        dense = math.prod(value.shape)
        return Field("numbers", value.shape, lambda: value.toarray(), dense, f"sparse {value.dtype}")
    if not isinstance(value, np.ndarray):
        return number(np.asarray(value))
    if value.dtype.names:
        structs = [{name: _tree(one[name]) for name in value.dtype.names} for one in value.ravel(order="F")]
        return structs[0] if len(structs) == 1 else structs
    if value.dtype.hasobject:
        return [_tree(one) for one in value.ravel(order="F")]
    if value.dtype.kind in "US":
        return Field("text", value.shape, lambda: value, value.nbytes // 8)
    return number(value) if value.dtype.kind in "fiub" else Field("other", value.shape, list, about=str(value.dtype))


def _is_version_4(head: bytes) -> bool:
    """Five small numbers: type, rows, columns, imaginary or not, length of the name."""
    if len(head) < 20:
        return False
    for order in "<>":
        kind, rows, columns, imaginary, letters = struct.unpack(f"{order}5i", head[:20])
        if 0 <= kind < 5000 and rows >= 0 and columns >= 0 and imaginary in (0, 1) and 0 < letters < 1000:
            return True
    return False


# ------------------------------------------------------------------- what a stranger's file says, before it is believed


def _check_sizes(path: Path) -> None:
    """Raises BadInput where variables unfold to more than is read, or claim more entries than they have bytes for."""
    size, left, arrays = path.stat().st_size, 8 * MOST, [0]
    with path.open("rb") as file:
        order = "<" if file.read(128)[126:128] == b"IM" else ">"
        while file.tell() + 8 <= size:
            kind, length = struct.unpack(f"{order}II", file.read(8))
            if length > size - file.tell():
                raise BadInput(
                    f"{path}: is cut short (a variable has {length:,} bytes, there are fewer left): copy it again"
                )
            content = file.read(length) if length <= left else b""
            if length <= left and kind == COMPRESSED:
                with whole(path):
                    content, length = _unfolded(content, left, order)
                kind, content = MATRIX, memoryview(content)[8:]
            left -= length
            if left < 0:
                raise BadInput(f"{path}: its arrays take more than {8 * MOST >> 30} GB: save a part of it")
            if kind == MATRIX:
                with whole(path):
                    _check_matrix(path, memoryview(content), order, arrays)


def _unfolded(packed: bytes, most: int, order: str) -> tuple[bytes, int]:
    """A compressed matrix and its size, counted first; of what is no cell array or struct only the beginning."""
    unfolding = zlib.decompressobj()
    first = part = unfolding.decompress(packed, STEP)
    size = len(first)
    while part and size <= most:
        part = unfolding.decompress(unfolding.unconsumed_tail, STEP)
        size += len(part)
    nested = _class(memoryview(first)[8:], order) in (CELL, STRUCT, OBJECT)
    return (zlib.decompress(packed, bufsize=size) if nested and size <= most else first), size


def _class(content: memoryview, order: str) -> int | None:
    """What kind of matrix it is: the first byte of its flags."""
    flags = next(_elements(content, order, 1), None)
    return flags and flags[1][0 if order == "<" else 3]


def _check_matrix(path: Path, content: memoryview, order: str, arrays: list[int]) -> None:
    """A cell array or struct has a matrix of at least 8 bytes for each entry; all other arrays hold their bytes."""
    arrays[0] += 1
    elements = list(_elements(content, order, 3))
    if len(elements) < 2:
        return
    kind = _class(content, order)
    shape = struct.unpack(f"{order}{len(elements[1][1]) // 4}i", elements[1][1])
    claimed = math.prod(max(side, 0) for side in shape)
    if kind in (CELL, STRUCT, OBJECT) and (claimed > len(content) // 8 or claimed > MANY or arrays[0] > MANY):
        raise BadInput(f"{path}: a cell array or struct of {claimed:,} entries is more than is read: save a part of it")
    if kind in (CELL, STRUCT, OBJECT):
        for inner, value in _elements(content, order):
            if inner == MATRIX:
                _check_matrix(path, value, order, arrays)


def _elements(content: memoryview, order: str, most: int = MANY) -> Iterator[tuple[int, memoryview]]:
    """(type, bytes) of the elements that follow each other, each padded to 8 bytes; small ones lie within their tag."""
    place = 0
    while place + 8 <= len(content) and most:
        kind, length = struct.unpack(f"{order}II", content[place : place + 8])
        if kind >> 16:
            yield kind & 0xFFFF, content[place + 4 : place + 4 + (kind >> 16)]
            place += 8
        else:
            yield kind, content[place + 8 : place + 8 + length]
            place += 8 + length + (-length % 8 if kind != COMPRESSED else 0)
        most -= 1
