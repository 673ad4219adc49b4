"""A table in a text file: its header and its rows, whatever stands between the cells."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from dlthink.errors import BadInput

MARKS = ",;\t|"  # between the cells of a table
HEADER = 50  # lines in which a table's header ends
ABOVE = 20  # lines that may stand above it


class Columns(NamedTuple):
    """The header, what stands between cells, and the rows: cells without blanks around them, a short row filled up."""

    head: list[str]
    mark: str
    rows: Iterator[list[str]]


def columns(lines: Iterable[str], name: str, fits: Callable[[list[str]], bool], marks: str = MARKS) -> Columns:
    """The columns of a table; empty rows are passed over.

    Between cells stands that of `marks` for which the header `fits` and has the most cells, or what a first line
    `sep=;` says, as Excel writes it. The header is the first line that fits; titles and comments may stand above it,
    and where none fits, it is the first of all. Raises BadInput, naming the file.
    """
    lines = (line + "\n" for line in lines)
    start = next((line for line in lines if line.strip()), "")
    if (said := start.strip().strip('"').lower()).startswith("sep="):
        marks, start = said[4:5] or "\t", next(lines, "")
    first = [start, *islice(lines, HEADER)]
    heads, above = {}, 0
    for at in range(min(ABOVE, len(first))):
        try:
            found = {mark: next(csv.reader(first[at:], delimiter=mark), []) for mark in marks}
        except csv.Error as error:
            if at:  # a quote that is never closed, far below
                break
            raise _is_none(name, error) from error
        found = {mark: [cell.strip() for cell in cells] for mark, cells in found.items()}
        if fitting := any(map(fits, found.values())):
            above = at
        heads = found if fitting else heads or found
        if fitting:
            break
    mark = max(marks, key=lambda mark: (fits(heads[mark]), len(heads[mark])))
    return Columns(heads[mark], mark, _rows(chain(first[above:], lines), mark, len(heads[mark]), name))


def _rows(lines: Iterable[str], mark: str, width: int, name: str) -> Iterator[list[str]]:
    held: list[str] = []  # the lines of a row

    def kept() -> Iterator[str]:
        for line in lines:
            held.append(line)
            yield line

    try:
        rows = csv.reader(kept(), delimiter=mark)
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
