"""A table in a text file: its header and its rows, whatever stands between the cells."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from dlthink.errors import BadInput
from dlthink.files.text_table import BLANK, SEPARATORS, beginning

MARKS = SEPARATORS
HEADER = 70  # lines in which a table shows what it is


class Columns(NamedTuple):
    """The header, what stands between cells, and the rows: cells without blanks around them, a short row filled up."""

    head: list[str]
    mark: str
    rows: Iterator[list[str]]


def columns(lines: Iterable[str], name: str, fits: Callable[[list[str]], bool], marks: str = MARKS) -> Columns:
    """The columns of a table; empty rows are passed over.

    The header is the first line that `fits`, whatever stands above it; where none does, it is found as that of any
    table. Raises BadInput, naming the file.
    """
    lines = (line + "\n" for line in lines)
    first = [next((line for line in lines if line.strip()), ""), *islice(lines, HEADER)]
    begun = beginning("".join(first), marks, fits)
    if not begun.header:
        raise _is_none(name, csv.Error("its first lines cannot be read"))
    head = [""] * begun.named_rows + [cell.strip() for cell in begun.header]
    rows = _rows(chain(first[begun.above :], lines), begun.separator, len(head), name)
    return Columns(head, begun.separator, islice(rows, len(begun.below), None))


def _rows(lines: Iterable[str], mark: str, width: int, name: str) -> Iterator[list[str]]:
    held: list[str] = []  # the lines of a row

    def kept() -> Iterator[str]:
        for line in lines:
            held.append(line)
            yield line

    try:
        rows = csv.reader(kept(), delimiter=mark, skipinitialspace=mark == BLANK)
        next(rows, None)
        held.clear()
        for row in rows:
            if len(held) > 1 and sum(line.count('"') for line in held) % 2:
                raise csv.Error(f"a row of {len(held)} lines, which begins {held[0].strip()[:40]!r}")
            held.clear()
            cells = [*map(str.strip, row), *[""] * (width - len(row))]
            if any(cells):
                yield cells
    except csv.Error as error:
        raise _is_none(name, error) from error


def _is_none(name: str, error: csv.Error) -> BadInput:
    return BadInput(f"{name}: is not a CSV ({error}): is a quotation mark left open?")
