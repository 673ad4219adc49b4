"""The dialect of a text table: what stands between cells and before decimals, and its header."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dlthink.errors import BadInput
from dlthink.files.text_table import BLANK, NUMBER, SEPARATORS, WEB_PAGE, Beginning, beginning

DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")
THOUSANDS = {mark: re.compile(rf"[-+]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+") for mark in ".,"}
MILLIONS = {mark: re.compile(rf"[-+]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}}){{2,}}") for mark in ".,"}
FEWEST = 3  # cells from which a column may look like one of thousands

NO_TABLE = {  # what a file is that begins so
    WEB_PAGE: "a web page (HTML) or XML",
    re.compile(r'\s*(\{\s*["}]|\[\s*[\[{])'): "JSON",
}


@dataclass
class Dialect:
    """header: cells of the line of names; before: lines above it (Excel's sep=;, a title, comments); below: what stands
    between it and the first row (units); coded: columns whose numbers begin with 0, as codes do; dotted: those of which
    every number looks like thousands, 1.234, and may be decimals."""

    separator: str
    decimal: str
    header: list[str]
    before: int = 0
    below: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()
    dotted: tuple[str, ...] = ()

    @classmethod
    def of(cls, head: str, source: str) -> Dialect:
        """From the first characters of a file. Raises BadInput, naming it."""
        for begins, what in NO_TABLE.items():
            if begins.match(head):
                raise BadInput(f"{source}: is {what}, no table of text: save or download it as CSV")
        begun = beginning(head)
        if not begun.header:
            what = "a quote in its first lines is never closed: close it, or leave it out"
            if '"' not in head:
                what = "a cell in its first lines has more than 131,072 characters: shorten it, or leave its column out"
            raise BadInput(f"{source}: {what}")
        _refuse_header(begun, source)
        header = ["", *begun.header] if begun.named_rows else [*begun.header, *[""] * begun.extra]
        columns = {
            name.strip(): [row[i].strip() for row in begun.rows if i < len(row)] for i, name in enumerate(header)
        }
        decimal = _decimal([cell for cells in columns.values() for cell in cells], begun.separator)
        return cls(
            r"\s+" if begun.separator == BLANK else begun.separator,
            decimal,
            header,
            begun.above,
            tuple(", ".join(cell.strip() for cell in row if cell.strip())[:60] for row in begun.below),
            tuple(name for name, cells in columns.items() if _is_code(cells)),
            tuple(name for name, cells in columns.items() if _is_dotted(cells))
            if _may_be_dotted(begun, decimal)
            else (),
        )


def _refuse_header(begun: Beginning, source: str) -> None:
    header, told = begun.header, [cell.strip() for cell in begun.header]
    if begun.extra > 1 and not begun.blank:
        raise BadInput(
            f"{source}: its rows have {len(header) + begun.extra} cells where the header has {len(header)}, "
            f"{', '.join(told)[:60]}: give each column a name"
        )
    if len(header) < 2:
        if any(mark in header[0] and all(mark in row[0] for row in begun.rows) for mark in SEPARATORS):
            raise BadInput(
                f"{source}: each of its lines stands in quotes as a whole, {header[0][:60]!r}: save it anew, or take "
                f"these quotes away"
            )
        raise BadInput(
            f"{source}: has one column, {header[0].strip()[:60]}: a table to learn from has a target and a feature, "
            f"with a comma, semicolon, tab, bar or blank between cells"
        )
    if all(len(cell) > 2 and cell[0] == cell[-1] == "'" for cell in told):
        raise BadInput(f"{source}: its cells stand in single quotes, {told[0]}: save it with double ones, or without")
    numbers = [cell for cell in told if NUMBER.fullmatch(cell)]
    counted = all(map(str.isdigit, told)) and [int(cell) - int(told[0]) for cell in told] == list(range(len(told)))
    if (len(numbers) == len(told) and not counted) or any(map(DECIMAL_POINT.fullmatch, told)):
        raise BadInput(
            f"{source}: its first line holds {'numbers' if len(numbers) == len(told) else 'a row'}, "
            f"{', '.join(told[:3])}...: put a line with the names of the columns above it"
        )


def _is_code(cells: list[str]) -> bool:
    """Whole numbers, some of which begin with 0: a postcode."""
    filled = [cell for cell in cells if cell]
    return all(cell.isdigit() for cell in filled) and any(len(cell) > 1 and cell[0] == "0" for cell in filled)


def _may_be_dotted(begun: Beginning, decimal: str) -> bool:
    """Is no number of the table a decimal for sure? Between commas nobody parts thousands with points."""
    points = [cell.strip() for row in begun.rows for cell in row if DECIMAL_POINT.fullmatch(cell.strip())]
    return decimal == "." and begun.separator != "," and all(map(THOUSANDS["."].fullmatch, points))


def _is_dotted(cells: list[str]) -> bool:
    """Is every number with a point also one with points between thousands, 1.234?"""
    marked = [cell for cell in cells if "." in cell]
    return len(marked) >= FEWEST and all(map(THOUSANDS["."].fullmatch, marked))


def _decimal(cells: list[str], separator: str) -> str:
    """A comma, where cells have one and none has a decimal point; in quotes between commas it may part thousands. Two
    marks in a number part thousands, 1.234.567, so that the other one is that of decimals."""
    points = [cell for cell in cells if DECIMAL_POINT.fullmatch(cell)]
    if any(map(MILLIONS["."].fullmatch, cells)) and all(map(THOUSANDS["."].fullmatch, points)):
        return ","
    commas = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)]
    if not commas or points:
        return "."
    return "." if separator == "," and all(map(THOUSANDS[","].fullmatch, commas)) else ","
