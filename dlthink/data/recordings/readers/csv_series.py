"""Covariates, intervals and trials in CSV: a header, a column of times, numbers."""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlthink.data.recordings.readers.array_listing import MOST
from dlthink.data.recordings.readers.trial_columns import trials_of
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Trials
from dlthink.errors import BadInput
from dlthink.files.text_table import MISSING

TIME = ("time", "times", "t", "timestamp", "timestamps", "time_s", "seconds")
IN_PARTS = re.compile(
    r".+[ _\[(](ms|msec|us|usec|\u00b5s)[\])]?", re.IGNORECASE
)  # of a second: the end of a clock's name
PARTS = {"ms": 1e3, "msec": 1e3, "us": 1e6, "usec": 1e6, "\u00b5s": 1e6}
START, STOP = ("start", "start_time"), ("stop", "stop_time", "end", "end_time")
LONG = 1 << 16  # letters of a line
ROWS = 1 << 14  # read at a time
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")


def series(path: Path) -> Series:
    """A series from a table whose first column, or the one called `time`, holds seconds; milliseconds or microseconds
    where its name says so, time_ms. NaN where a cell is empty or "NA". Raises BadInput."""
    names, values = _numbers(path)
    clock = next((i for i, name in enumerate(names) if name.lower() in TIME), 0)
    others = [i for i in range(len(names)) if i != clock]
    if not others:
        raise BadInput(f"{path}: has one column only: give a column `time` in seconds, and one for each covariate")
    columns, parts = [names[i] for i in others], IN_PARTS.fullmatch(names[clock])
    times = values[:, clock] / (PARTS[parts[1].lower()] if parts else 1.0)
    return Series(values[:, others], times, columns, key=path.stem, times_key=f"{names[clock]} in {path.name}")


def columns(path: Path) -> list[str]:
    """The names in its header. Raises BadInput."""
    return _lines(path)[0]


def intervals(path: Path) -> np.ndarray:
    """[I, 2] seconds, from columns `start` and `stop`. Raises BadInput."""
    names, values = _numbers(path)
    return values[:, [_column(path, names, START), _column(path, names, STOP)]]


def trials(path: Path) -> tuple[Trials, list[str]]:
    """Trials, from columns `start` and `stop` and what else was noted of each; what was left out. Raises BadInput."""
    names, lines = _lines(path)
    rows = list(lines)
    if not rows:
        raise BadInput(f"{path}: has no line below its header: add a trial, or take the file away")
    columns = dict(zip(names, map(_typed, zip(*rows, strict=True)), strict=True))
    start, stop = (columns.pop(names[_column(path, names, ends)]) for ends in (START, STOP))
    if not {start.dtype.kind, stop.dtype.kind} <= set("f"):
        raise BadInput(f"{path}: start and stop hold words, not numbers: give seconds")
    values, kept, left_out = trials_of(columns)
    return Trials(np.stack([start, stop], axis=1), values, kept), left_out


def _column(path: Path, names: list[str], words: tuple[str, ...]) -> int:
    for i, name in enumerate(names):
        if name.lower() in words:
            return i
    raise BadInput(f"{path}: has no column {words[0]} (it has {', '.join(names)}): add it, in seconds")


def _typed(column: tuple[str, ...]) -> np.ndarray:
    """Numbers, if all are; else words."""
    try:
        return np.array([float(cell) if cell else np.nan for cell in column])
    except ValueError:
        return np.array(column)


def _numbers(path: Path) -> tuple[list[str], np.ndarray]:
    names, lines = _lines(path)
    parts, row = [], 1
    while some := list(itertools.islice(lines, ROWS)):
        try:
            parts.append(np.array([[float(cell) if cell else np.nan for cell in line] for line in some]))
        except ValueError:  # one by one, which takes longer
            numbers = enumerate(some, row + 1)
            parts.append(np.array([_with_gaps(path, number, names, line) for number, line in numbers]))
        row += len(some)
        if row * len(names) > MOST:
            raise BadInput(f"{path}: has more than {MOST:,} numbers: give fewer covariates, or a part of it")
    if not parts:
        raise BadInput(f"{path}: has no line below its header: there is nothing in it")
    return names, np.concatenate(parts)


def _with_gaps(path: Path, number: int, names: list[str], cells: list[str]) -> list[float]:
    """The numbers of a line, NaN for "NA" and the like. Raises BadInput."""
    for name, cell in zip(names, cells, strict=True):
        if cell not in MISSING and not _is_number(cell):
            raise BadInput(
                f"{path}, line {number}: {name} is {cell!r}, no number: write one (a state as 0, 1, 2), or leave the "
                f"cell empty where nothing is known"
            )
    return [math.nan if cell in MISSING else float(cell) for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _lines(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    """The header, and the lines below it, each with a cell for every name. Commas, semicolons or tabs part them; where
    no comma does, one may stand for a decimal point."""
    lines = _read(path)
    header = next(lines, "").lstrip("\ufeff")
    between = max(",;\t", key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=between), [])]
    if not names or not all(names) or all(map(_is_number, names)):
        raise BadInput(f"{path}: begins with no header: name its columns in the first line, time,x,y")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadInput(f"{path}: two columns are called {twice[0]}: give each its own name")

    def below() -> Iterator[list[str]]:
        for number, cells in enumerate(csv.reader(lines, delimiter=between), 2):
            if not cells:
                continue
            if len(cells) != len(names):
                raise BadInput(f"{path}, line {number}: has {len(cells)} cells below {len(names)} names: mend it")
            cells = [cell.strip() for cell in cells]
            if between != ",":
                cells = [cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]
            yield cells

    return names, below()


def _read(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise BadInput(f"{path}: no such file: check the path (it counts from the folder you are in: {Path.cwd()})")
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        while line := file.readline(LONG):
            if len(line) == LONG:
                raise BadInput(f"{path}: has a line of more than {LONG:,} letters: it is no CSV")
            if "\0" in line:
                raise BadInput(
                    f"{path}: holds bytes that are no text: it is no CSV, or one in UTF-16: save it as UTF-8"
                )
            yield line
