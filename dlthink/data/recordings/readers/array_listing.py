"""What a file of named arrays holds: known by name, kind and shape before it is read, and read to a bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from dlthink.errors import BadInput

MOST = 1 << 27  # numbers read from a file, 1 GB as float64; of text, bytes / 8
DEEP, MANY = 8, 1 << 18  # of arrays within arrays: how deep, how many


@dataclass(frozen=True)
class Field:
    """One array of a file.

    kind   numbers | text | cells: a list of arrays, a unit each, say | other: nothing that is read here
    shape  as it is stored; of cells, how many
    load   reads it: numbers and text as an array, cells as a list of arrays
    size   in numbers (of text, bytes / 8)
    names  of cells, where they have any
    """

    kind: str
    shape: tuple[int, ...]
    load: Callable[[], np.ndarray | list[np.ndarray]] = field(repr=False)
    size: int = 0
    about: str = ""
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "cells":
            return f"{self.shape[0]} arrays"
        shape = " x ".join(map(str, self.shape)) or "one"
        return f"{shape} {self.kind if self.kind != 'other' else ''}{self.about and f' ({self.about})'}".strip()


class Fields(Mapping):
    """The arrays of a file by name. Reading them takes from one budget, so that no file unfolds without end."""

    def __init__(self, path: Path, found: Mapping[str, Field]) -> None:
        self.path, self.found, self.left = path, dict(found), MOST

    def __getitem__(self, name: str) -> Field:
        return self.found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def read(self, name: str) -> np.ndarray | list[np.ndarray]:
        """The array of that name. Raises BadInput where it is too large, damaged, or nothing that is read."""
        wanted = self.found[name]
        self.left -= wanted.size
        if self.left < 0:
            raise BadInput(
                f"{self.path}: its arrays are too large ({name} has {list(wanted.shape)} entries of "
                f"{wanted.about or wanted.kind}; more than {MOST:,} numbers in all are not read): give fewer "
                f"covariates, or a part of it"
            )
        if wanted.kind == "other":
            raise BadInput(f"{self.path}: {name} holds {wanted.about}, which are not read: save it as plain numbers")
        with whole(self.path):
            return wanted.load()

    def listed(self, most: int = 12) -> str:
        """Names and what is behind them, for a message."""
        shown = [f"{name} ({self.found[name]})" for name in sorted(self.found)[:most]]
        more = f" and {len(self.found) - most} more" if len(self.found) > most else ""
        return f"{', '.join(shown) or 'nothing that is read here'}{more}"


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """While a file is read: libraries fail each in their own ways on what is damaged. Raises BadInput."""
    try:
        yield
    except (BadInput, MemoryError):
        raise
    except Exception as error:
        raise BadInput(f"{path}: is damaged or cut short ({type(error).__name__}): save or copy it again") from error


Node = Field | list["Node"] | dict[str, "Node"]


def known(path: Path, trees: Iterable[tuple[str, Node]]) -> Fields:
    """The fields of a file from (name, tree of arrays) each. Raises BadInput where there are more than are read."""
    found = dict(islice((pair for name, tree in trees for pair in flat(name, tree)), MANY + 1))
    if len(found) > MANY:
        raise BadInput(f"{path}: holds more than {MANY:,} arrays: save a part of it")
    return Fields(path, found)


def flat(name: str, node: Node, deep: int = 0) -> Iterator[tuple[str, Field]]:
    """(name, field) of everything in a tree of arrays: what is in a struct is called struct/field.

    A list of arrays is cells; a list of one is what is in it; of structs, struct/field are cells of each one's field.
    """
    if isinstance(node, Field):
        yield name, node
    elif deep > DEEP:
        yield name, Field("other", (), list, about="arrays within arrays within arrays")
    elif isinstance(node, Mapping):
        for key, inner in node.items():
            yield from flat(f"{name}/{key}", inner, deep + 1)
    else:
        leaves = list(islice(_leaves(node), MANY + 1))
        if len(leaves) > MANY:
            yield name, Field("other", (MANY,), list, about="more arrays than are read")
            return
        if any(isinstance(leaf, Mapping) for leaf in leaves):
            leaves = [leaf for leaf in leaves if isinstance(leaf, Mapping) or leaf.size]  # empty cells are nothing
        if len(leaves) == 1 and not (isinstance(leaves[0], Field) and leaves[0].kind == "numbers"):
            yield from flat(name, leaves[0], deep + 1)
        elif leaves and all(isinstance(leaf, Mapping) for leaf in leaves):
            for key in dict.fromkeys(key for leaf in leaves for key in leaf):
                yield from flat(f"{name}/{key}", [leaf[key] for leaf in leaves if key in leaf], deep + 1)
        else:
            yield name, cells(leaves)


def _leaves(nodes: list, deep: int = 0) -> Iterator:
    """Arrays and structs in lists of lists, in order."""
    for node in nodes if deep <= DEEP else ():
        if isinstance(node, list):
            yield from _leaves(node, deep + 1)
        else:
            yield node


def cells(leaves: list) -> Field:
    """A list of arrays as one field; of texts, an array of text."""
    if not leaves or not all(isinstance(leaf, Field) for leaf in leaves):
        return Field("other", (len(leaves),), list, about="arrays and structs side by side")
    size = sum(leaf.size for leaf in leaves)
    if all(leaf.kind == "text" for leaf in leaves):
        return Field("text", (len(leaves),), lambda: np.array(["".join(leaf.load()) for leaf in leaves]), size)
    if all(leaf.kind == "numbers" for leaf in leaves):
        return Field("cells", (len(leaves),), lambda: [leaf.load() for leaf in leaves], size)
    return Field("other", (len(leaves),), list, about="arrays of several kinds")


def number(array: np.ndarray, about: str = "") -> Field:
    """An array that is in memory already."""
    return Field("numbers", array.shape, lambda: array, array.size, about or str(array.dtype))
