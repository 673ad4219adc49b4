"""The dialect of a text table: what stands between cells and before decimals, and its header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from dlthink.errors import BadInput

SEPARATORS = ",;\t|"
ROWS = 200  # that are looked at
DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")
NUMBER = re.compile(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+")

NO_TABLE = {  # what a file is that begins so
    re.compile(r"\s*<(!doctype|html|head|body|table|\?xml)\b", re.IGNORECASE): "a web page (HTML) or XML",
    re.compile(r'\s*(\{\s*["}]|\[\s*[\[{])'): "JSON",
}


@dataclass
class Dialect:
    """header: cells of the line of names; before: lines above it (Excel's sep=;, a title, comments); coded: columns
    whose numbers begin with 0, as codes do."""

    separator: str
    decimal: str
    header: list[str]
    before: int = 0
    coded: tuple[str, ...] = ()

    @classmethod
    def of(cls, head: str, source: str) -> Dialect:
        """From the first characters of a file. Raises BadInput, naming it."""
        for begins, what in NO_TABLE.items():
            if begins.match(head):
                raise BadInput(f"{source}: is {what}, no table of text: save or download it as CSV")
        before, told = 0, re.match(r"\s*sep=(.)[^\n]*\n", head)
        if told:
            before, head = 1, head[told.end() :]
        candidates = told[1] if told else SEPARATORS
        found = {separator: _below_titles(_rows(head, separator)) for separator in candidates}
        separator = max(found, key=lambda one: _agreement(*found[one]))
        above, rows = found[separator]
        if not rows:
            raise BadInput(f"{source}: a quote in its first lines is never closed: close it, or leave it out")
        header, cells = rows[0], [cell.strip() for row in rows[1:] for cell in row]
        if all(len(row) == len(header) + 1 for row in rows[1:]) and rows[1:] and len(header) > 1:
            header = ["", *header]  # the names of rows, as R writes them
        if len(header) < 2 and not told:
            raise BadInput(
                f"{source}: has one column, {header[0][:60]}: a table to learn from has a target and a feature, with a "
                f"comma, semicolon, tab or bar between cells"
            )
        if all(NUMBER.fullmatch(cell.strip()) for cell in header):
            raise BadInput(
                f"{source}: its first line holds numbers, {', '.join(header[:3])}...: put a line with the names of the "
                f"columns above it"
            )
        columns = list(zip(*(row for row in rows[1:] if len(row) == len(header)), strict=True))
        coded = tuple(name.strip() for name, column in zip(header, columns, strict=False) if _is_code(column))
        return cls(separator, _decimal(cells, separator), header, before + above, coded)


def _rows(head: str, separator: str) -> list[tuple[int, list[str]]]:
    """(lines above, cells) of some rows; the last, which may be cut, only where it is the only one. [] where it cannot
    be read."""
    reader, rows, above = csv.reader(io.StringIO(head), delimiter=separator), [], 0
    try:
        for row in islice(reader, ROWS):
            if any(row):
                rows.append((above, row))
            above = reader.line_num
    except csv.Error:
        return []
    return rows[:-1] if len(rows) > 2 else rows


def _below_titles(rows: list[tuple[int, list[str]]]) -> tuple[int, list[list[str]]]:
    """(lines above the header, the rows from there): above it may stand titles, of one cell each, and comments."""
    cells = [row for _, row in rows]
    widths = Counter(map(len, cells[len(cells) // 2 :]))  # at the beginning stands what is no table
    width = max(widths, key=widths.__getitem__, default=0)
    for i, row in enumerate(cells):
        comment = row[0].lstrip().startswith(("#", "%", "//"))
        named = comment and len(row) == width and not (cells[i + 1 :] and _names_only(cells[i + 1], width))
        title = sum(map(bool, map(str.strip, row))) == 1
        if width < 2 or named or not (comment or title):
            return rows[i][0] if i else 0, cells[i:]
    return 0, cells


def _names_only(row: list[str], width: int) -> bool:
    return len(row) == width and not any(NUMBER.fullmatch(cell.strip()) for cell in row)


def _is_code(column: tuple[str, ...]) -> bool:
    """Whole numbers, some of which begin with 0: a postcode."""
    filled = [cell.strip() for cell in column if cell.strip()]
    return all(cell.isdigit() for cell in filled) and any(len(cell) > 1 and cell[0] == "0" for cell in filled)


def _agreement(above: int, rows: list[list[str]]) -> tuple[float, int]:
    """The share of rows that have as many cells as the header, if that has several; how many."""
    if not rows or len(rows[0]) < 2:
        return 0.0, 0
    width = len(rows[0]) + all(len(row) == len(rows[0]) + 1 for row in rows[1:])  # with names of rows, as R writes them
    return sum(len(row) == width for row in rows) / (len(rows) + above), len(rows[0])


def _decimal(cells: list[str], separator: str) -> str:
    """A comma, where cells have one and none has a decimal point; in quotes between commas it may part thousands."""
    commas = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)]
    if not commas or any(map(DECIMAL_POINT.fullmatch, cells)):
        return "."
    return "." if separator == "," and all(map(THOUSANDS.fullmatch, commas)) else ","
