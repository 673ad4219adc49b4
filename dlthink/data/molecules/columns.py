"""A table in a text file: its header and its rows, whatever stands between the cells."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from dlthink.errors import BadInput

MARKS = ",;\t|"  # between the cells of a table
HEADER = 50  # lines in which a table's header ends


def table(
    lines: Iterable[str], name: str, fits: Callable[[list[str]], bool], marks: str = MARKS
) -> tuple[list[str], Iterator[list[str]]]:
    """The header of a table and its rows, cells without blanks around them; a short row is filled up with empty cells.

    What stands between cells is that of `marks` for which the header `fits` and has the most cells, or what a first
    line `sep=;` says, as Excel writes it. Empty rows are passed over. Raises BadInput, naming the file.
    """
    lines = (line + "\n" for line in lines)
    start = next((line for line in lines if line.strip()), "")
    if (said := start.strip().strip('"').lower()).startswith("sep="):
        marks, start = said[4:5] or "\t", next(lines, "")
    first = [start, *islice(lines, HEADER)]
    try:
        heads = {mark: next(csv.reader(first, delimiter=mark), []) for mark in marks}
        heads = {mark: [cell.strip() for cell in cells] for mark, cells in heads.items()}
        mark = max(marks, key=lambda mark: (fits(heads[mark]), len(heads[mark])))
    except csv.Error as error:
        raise _is_none(name, error) from error
    return heads[mark], _rows(chain(first, lines), mark, len(heads[mark]), name)


def _rows(lines: Iterable[str], mark: str, width: int, name: str) -> Iterator[list[str]]:
    try:
        rows = csv.reader(lines, delimiter=mark)
        next(rows, None)
        for row in rows:
            cells = [*map(str.strip, row), *[""] * (width - len(row))]
            if any(cells):
                yield cells
    except csv.Error as error:
        raise _is_none(name, error) from error


def _is_none(name: str, error: csv.Error) -> BadInput:
    return BadInput(f"{name}: is not a CSV ({error}): is a quotation mark left open?")
