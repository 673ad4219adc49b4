"""The dialect of a text table: what stands between cells and before decimals, and its header."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from itertools import islice

from dlthink.errors import BadInput

SEPARATORS = ",;\t|"
ROWS = 200  # that are looked at
DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+")


@dataclass
class Dialect:
    """header: cells of the first line; before: lines above it (Excel's sep=;)."""

    separator: str
    decimal: str
    header: list[str]
    before: int = 0

    @classmethod
    def of(cls, head: str, source: str) -> Dialect:
        """From the first characters of a file. Raises BadInput, naming it."""
        before, told = 0, re.match(r"\s*sep=(.)[^\n]*\n", head)
        if told:
            before, head = 1, head[told.end() :]
        candidates = told[1] if told else SEPARATORS
        found = {separator: _rows(head, separator) for separator in candidates}
        separator = max(found, key=lambda one: _agreement(found[one]))
        rows = found[separator]
        if not rows:
            raise BadInput(f"{source}: a quote in its first lines is never closed: close it, or leave it out")
        header, cells = rows[0], [cell.strip() for row in rows[1:] for cell in row]
        if len(header) < 2 and not told:
            raise BadInput(
                f"{source}: has one column, {header[0][:60]}: a table to learn from has a target and a feature, with a "
                f"comma, semicolon, tab or bar between cells"
            )
        if all(re.fullmatch(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?", cell.strip()) for cell in header):
            raise BadInput(
                f"{source}: its first line holds numbers, {', '.join(header[:3])}...: put a line with the names of the "
                f"columns above it"
            )
        return cls(separator, _decimal(cells, separator), header, before)


def _rows(head: str, separator: str) -> list[list[str]]:
    """Some rows of the text; the last, which may be cut, only where it is the only one. [] where it cannot be read."""
    try:
        rows = [row for row in islice(csv.reader(io.StringIO(head), delimiter=separator), ROWS) if any(row)]
    except csv.Error:
        return []
    return rows[:-1] if len(rows) > 2 else rows


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    """The share of rows that have as many cells as the header, if that has several; how many."""
    if not rows or len(rows[0]) < 2:
        return 0.0, 0
    return sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])


def _decimal(cells: list[str], separator: str) -> str:
    """A comma, where cells have one and none has a decimal point; in quotes between commas it may part thousands."""
    commas = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)]
    if not commas or any(map(DECIMAL_POINT.fullmatch, cells)):
        return "."
    return "." if separator == "," and all(map(THOUSANDS.fullmatch, commas)) else ","
