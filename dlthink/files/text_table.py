"""Where a table begins in a text: what stands between its cells, above its header, and between that and its rows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

SEPARATORS = ",;\t|"
BLANK = " "  # any number of blanks, where nothing else is between cells
WEB_PAGE = re.compile(r"\s*<(!doctype|html|head|body|table|\?xml)\b", re.IGNORECASE)  # what is no table, or XML
ROWS = 200  # that are looked at
ABOVE = 20  # lines that may stand above a header
UNDER = 3  # lines of units or questions that may stand below it
FEWEST = 3  # rows from which a column shows that it holds numbers
NUMBER = re.compile(r"[-+]?[\d.,]*\d[\d.,]*(?:[eE][-+]?\d+)?")
UNIT = re.compile(r"\[.*\]|\(.*\)|[-:=+]{3,}")  # in brackets, or a line drawn
YEAR = re.compile(r"1[5-9]\d\d|2[01]\d\d")
COMMENT = ("#", "%", "//")
MISSING = (  # how people write that nothing is known
    *("", "NA", "na", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "none", "NONE", "missing", "\\N"),
    *("?", ".", "-", "--", "\u2013", "\u2014", "N.A.", "n.a.", "n. a.", "nd", "ND", "n.d.", "N.D."),
    *("k.A.", "k. A.", "keine Angabe"),
    *("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"),  # Excel's
    *("#NV", "#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!", "#NOMBRE!", "#NOM?", "#\u00a1VALOR!", "#VALORE!"),
)

Row = tuple[int, list[str]]  # lines of the file above it; its cells


@dataclass
class Beginning:
    """separator: one of the marks, or `BLANK`; header: its cells, [] where nothing can be read; above: lines above it;
    below: rows between it and the first of the table, as they stand there; rows: some of those that follow."""

    separator: str
    header: list[str]
    above: int
    below: list[list[str]]
    rows: list[list[str]]
    titles: int = 0  # lines above the header that are not empty

    @property
    def extra(self) -> int:
        """Cells that every row has more than the header."""
        lengths = {len(row) for row in self.rows}
        return max(0, lengths.pop() - len(self.header)) if len(lengths) == 1 else 0

    @property
    def blank(self) -> bool:
        """Are these empty: separators at the end of each row?"""
        return not any(cell.strip() for row in self.rows for cell in row[len(self.header) :])

    @property
    def named_rows(self) -> bool:
        """Do rows have names that the header has not, as R writes them?"""
        return self.extra == 1 and not self.blank

    @property
    def agreement(self) -> tuple[float, int]:
        """The share of rows that have as many cells as the header, if that has several; how many."""
        if len(self.header) < 2:
            return 0.0, 0
        same = sum(len(row) == len(self.header) + self.extra for row in self.rows)
        return (same + 1) / (len(self.rows) + 1 + self.titles), len(self.header)


def beginning(head: str, marks: str = SEPARATORS, fits: Callable[[list[str]], bool] | None = None) -> Beginning:
    """Of the table whose first characters these are.

    marks  what may stand between cells; where none does, `BLANK` may, in all rows. A first line `sep=;`, as Excel
           writes it, says what does
    fits   what a header must hold, where that is known: then it is the first line that does
    """
    first = 0
    if told := re.match(r'\s*"?sep=(.)"?[^\n]*\n', head, re.IGNORECASE):
        first, marks, head = told[0].count("\n"), told[1], head[told.end() :]
    found = [_begun(_rows(head, mark), mark, fits) for mark in marks]
    known = [one for one in found if fits is not None and fits([cell.strip() for cell in one.header])]
    best = max(known, key=lambda one: len(one.header)) if known else max(found, key=lambda one: one.agreement)
    if len(best.header) == 1 and BLANK not in marks and not told:
        blanks = _begun(_rows(head, BLANK), BLANK, fits)
        best = blanks if blanks.agreement[0] == 1 else best
    best.above += first
    return best


def _begun(rows: list[Row], separator: str, fits: Callable[[list[str]], bool] | None) -> Beginning:
    cells = [row for _, row in rows]
    at = (
        next((i for i, row in enumerate(cells[:ABOVE]) if fits([cell.strip() for cell in row])), None) if fits else None
    )
    at = _header(cells) if at is None else at
    if at >= len(cells):
        return Beginning(separator, [], 0, [], [])
    under = _under(cells[at], cells[at + 1 :])
    begun = at + 1 + under
    return Beginning(separator, cells[at], rows[at][0] if at else 0, cells[at + 1 : begun], cells[begun:], at)


def _rows(head: str, separator: str) -> list[Row]:
    """Some rows; the last, which may be cut, only where there are few. [] where none can be read."""
    if separator == BLANK:
        head = re.sub(r"^ +|(?<=\S) +$", "", re.sub(r"[ \t]+", " ", head), flags=re.MULTILINE)
    reader, rows, above = csv.reader(io.StringIO(head), delimiter=separator), [], 0
    try:
        for row in islice(reader, ROWS):
            if any(row):
                rows.append((above, row))
            above = reader.line_num
    except csv.Error:
        return []
    return rows[:-1] if len(rows) > 2 else rows


def _header(rows: list[list[str]]) -> int:
    """Which row is the header: above it may stand titles, comments and merged cells."""
    widths = Counter(map(len, rows[len(rows) // 2 :]))  # at the beginning stands what is no table
    width = max(widths, key=widths.__getitem__, default=0)
    for i, row in enumerate(rows):
        filled = [cell for cell in row if cell.strip()]
        comment = row[0].lstrip().startswith(COMMENT)
        named = comment and len(row) == width and not (rows[i + 1 :] and _named(rows[i + 1], width))
        nameless = len(row) == width == 2 and not row[0].strip()  # a column of row names beside one other: ,co2
        title = len(filled) == 1 and not (nameless and rows[i + 1 :] and not _named(rows[i + 1], width))
        if width < 2 or named or not (comment or title or _above(rows, i, width)):
            return i
    return 0


def _above(rows: list[list[str]], i: int, width: int) -> bool:
    """Is this row, short or with gaps, no header, as one with all names and numbers below stands under it?"""
    if sum(map(bool, map(str.strip, rows[i]))) > width - 2 or i >= ABOVE:
        return False
    for j, row in enumerate(rows[i + 1 : ABOVE], i + 1):
        last = max((at for at, cell in enumerate(row, start=1) if cell.strip()), default=0)
        if len(row) == width and last > 1 and all(map(str.strip, row[:last])):  # a comma may end each line
            below = rows[j + 1 :]
            return _named(row, width) and 2 * sum(map(_any_number, below)) > len(below)
    return False


def _under(header: list[str], rows: list[list[str]]) -> int:
    """How many rows below the header hold units, questions or a drawn line: words where all further rows have numbers.

    Two columns must say so, or one in which a unit stands in brackets.
    """
    for under in range(min(UNDER, len(rows) - FEWEST), 0, -1):
        numbers = [i for i in range(len(header)) if _is_number(rows[under:], i)]
        if numbers and all(_in_words(row, numbers) for row in rows[:under]):
            return under
    return 0


def _is_number(rows: list[list[str]], column: int) -> bool:
    cells = [row[column].strip() for row in rows if column < len(row)]
    filled = [cell for cell in cells if cell not in MISSING]
    return len(filled) >= FEWEST and sum(bool(NUMBER.fullmatch(cell)) for cell in filled) >= 0.9 * len(filled)


def _in_words(row: list[str], columns: list[int]) -> bool:
    cells = [row[i].strip() for i in columns if i < len(row)]
    words = [cell for cell in cells if cell not in MISSING]
    if any(NUMBER.fullmatch(cell) for cell in words):
        return False
    drawn = bool(row) and bool(UNIT.fullmatch(row[0].strip())) and not words
    return len(words) >= 2 or drawn or any(map(UNIT.fullmatch, words))


def _named(row: list[str], width: int) -> bool:
    """As many cells as the table is wide, none of them a number, but for a row of years beside words."""
    numbers = [cell.strip() for cell in row if NUMBER.fullmatch(cell.strip())]
    years = 1 < len(numbers) < len(row) and all(map(YEAR.fullmatch, numbers)) and numbers == sorted({*numbers})
    return len(row) == width and (years or not numbers)


def _any_number(row: list[str]) -> bool:
    return any(NUMBER.fullmatch(cell.strip()) for cell in row)
