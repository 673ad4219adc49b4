"""What a column holds, numbers, truth values, dates or categories, and its cells as such: one kind for the whole."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.number_parsing import parsed
from dlthink.data.tables.readers.dates import Order, is_compact, look_like_dates, moments, order_of
from dlthink.data.tables.readers.read_table import Source, tables
from dlthink.errors import BadInput

if TYPE_CHECKING:
    import pandas

TRUE, FALSE = {"true", "t", "yes", "y", "1", "1.0"}, {"false", "f", "no", "n", "0", "0.0"}
NESTED = (dict, list, tuple, set, bytes, np.ndarray)
MOSTLY = 0.9  # of cells that are numbers, or look like dates: then the whole column is meant so
LARGEST = 1e38  # float32 ends there
DAY = 86_400.0
CYCLES = {"year": 365.2425, "week": 7.0, "day": 1.0}  # days


def kind_of(column: pandas.Series, source: Source) -> str:
    """number, boolean, date or category: what nearly all of its cells are; nested where they hold lists or records."""
    kind = column.dtype.kind
    if kind == "O" and column.map(lambda cell: isinstance(cell, NESTED)).any():
        return "nested"
    if kind in "iuf":
        return "date" if is_compact(column.dropna().unique()) else "number"
    if kind == "b":
        return "boolean"
    if kind == "m":
        return "number"
    if kind == "M":
        return "date"
    codes, found = column.factorize()
    words = [str(word) for word in found]
    times = np.bincount(codes[codes >= 0], minlength=len(found))
    total = max(int(times.sum()), 1)
    if 0 < len(words) <= 2 and {word.strip().lower() for word in words} <= TRUE | FALSE:
        return "boolean"
    if words and times[np.isfinite(_parsed(column, source)[0])].sum() >= MOSTLY * total:
        return "number"
    if look_like_dates(words, times.tolist(), MOSTLY):
        return "date"
    return "category"


def numbers(column: pandas.Series, kind: str, source: Source, feature: bool = True) -> dict[str, np.ndarray]:
    """Columns of numbers by name, float64 [n], nan where nothing is known: the column itself; of a date its time in
    days, and where it lies in the year, the week and the day as sine and cosine.

    feature: may it be left out? Raises BadInput for what is infinite or too large, and for dates that are none.
    """
    name = str(column.name)
    if kind == "date":
        return _of_dates(column, source)
    if column.dtype.kind == "m":
        values = column.dt.total_seconds().to_numpy(np.float64) / 3600.0
    elif kind == "boolean" and column.dtype.kind not in "biuf":
        codes, words = column.factorize()
        lower = [str(word).strip().lower() for word in words]
        values = np.array([1.0 if w in TRUE else 0.0 if w in FALSE else np.nan for w in lower] + [np.nan])[codes]
    elif column.dtype.kind in "biuf":
        values = column.to_numpy(np.float64)
    else:
        values = np.append(_parsed(column, source)[0], np.nan)[column.factorize()[0]]
    with np.errstate(invalid="ignore"):
        wrong = np.abs(values) > LARGEST
    if wrong.any():
        row = int(wrong.argmax())
        said = "infinite" if np.isinf(values[row]) else f"{values[row]:g}, too large"
        other = source.without(name) * feature
        raise BadInput(
            f"{source.name}: column {name}, {source.place(row)}: is {said}; mend it or leave the cell empty{other}"
        )
    return {name: values}


def unit_of(column: pandas.Series, source: Source) -> str:
    """The currency or unit that stands beside the numbers of a column, "" for none."""
    if column.dtype.kind == "m":
        return "h"
    return "" if column.dtype.kind in "biufM" else _parsed(column, source)[1]


def numbers_among(column: pandas.Series, source: Source) -> tuple[float, str]:
    """(the share of filled cells that are numbers; a word among the others)."""
    if column.dtype.kind in "biufMm":
        return 0.0, ""
    codes, found = column.factorize()
    times = np.bincount(codes[codes >= 0], minlength=len(found))
    known = np.isfinite(_parsed(column, source)[0])
    share = float(times[known].sum() / max(times.sum(), 1))
    return share, "" if known.all() else str(found[np.where(known, -1, times).argmax()])


def _parsed(column: pandas.Series, source: Source) -> tuple[np.ndarray, str]:
    """(the number of each different cell, in the order of `factorize`; their unit), read once for each column."""
    name = str(column.name)
    if name not in source.parsed:
        source.parsed[name] = parsed([str(word) for word in column.factorize()[1]], source.decimal)
    return source.parsed[name]


def words(column: pandas.Series) -> tuple[np.ndarray, list[str]]:
    """(code of each row, -1 where nothing is known; the words in order of code). Whole numbers are written as such."""
    codes, found = column.factorize()
    return codes, [plain(one) for one in found]


def no_numbers(column: pandas.Series, values: np.ndarray) -> np.ndarray:
    """Rows whose cell is filled, and yet no number was found in it: bool [n]."""
    return np.isnan(values) & column.notna().to_numpy()


def listed(names: list[str], most: int = 5) -> str:
    """Names for a line: a, b, c and 7 more."""
    text = ", ".join(map(str, names[:most]))
    return f"{text} and {len(names) - most} more" if len(names) > most else text


def chosen(frame: pandas.DataFrame, patterns: list[str], setting: str, source: Source) -> list[str]:
    """Columns that are called so, or as a glob (split_*) says. Raises BadInput where there is none."""
    found = []
    for pattern in patterns:
        here = [name for name in frame.columns if name == pattern or fnmatchcase(str(name), pattern)]
        if not here:
            raise no_such_column(pattern, list(frame.columns), setting, source)
        found += [name for name in here if name not in found]
    return found


def no_such_column(name: str, columns: list[str], setting: str | None, source: Source) -> BadInput:
    """setting: that which asks for it, if another than that which names the file."""
    from difflib import get_close_matches

    alike = {str(one).lower(): one for one in columns}
    near = get_close_matches(name.lower(), alike, n=1, cutoff=0.6)
    hint = f"did you mean {alike[near[0]]}?" if near else f"there is {listed(columns, 12)}"
    asks = "" if setting is None else f"{setting}: "
    return BadInput(f"{asks}{source.name} has no column {name}; {hint}")


def plain(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _of_dates(column: pandas.Series, source: Source) -> dict[str, np.ndarray]:
    name = str(column.name)
    when = _dates(column, source)
    days = when.to_numpy("datetime64[us]").astype(np.int64).astype(np.float64)
    days = np.where(when.isna().to_numpy(), np.nan, days / 1e6 / DAY)
    parts = {name: days}
    for cycle, length in CYCLES.items():
        if cycle == "day" and not np.nanmax(days % 1.0, initial=0.0) > 0:
            continue  # days without a time
        angle = 2 * np.pi * (days % length) / length
        parts |= {f"{name} ({cycle}, sine)": np.sin(angle), f"{name} ({cycle}, cosine)": np.cos(angle)}
    return parts


def _dates(column: pandas.Series, source: Source) -> pandas.Series:
    """Moments in universal time, NaT where nothing is known. Raises BadInput for dates that are none."""
    pandas = tables()
    if column.dtype.kind == "M" or hasattr(column.dtype, "tz"):
        return column.dt.tz_convert(None) if getattr(column.dtype, "tz", None) else column
    codes, found = column.factorize()
    texts = [plain(word).strip() for word in found]
    day_first = source.day_first.get(str(column.name), order_of(texts, source.decimal).day_first)
    found_dates = moments(texts, day_first)
    if (lost := found_dates.isna().to_numpy()).any():
        row = int(np.isin(codes, np.flatnonzero(lost)).argmax())
        raise BadInput(
            f"{source.name}: column {column.name}, {source.place(row)}: {texts[codes[row]][:40]!r} is no date, "
            f"{'day' if day_first else 'month'} first, as the others are; mend it or leave the cell empty"
            f"{source.without(str(column.name))}"
        )
    return (
        pandas.concat([found_dates, pandas.Series([pandas.NaT])], ignore_index=True).iloc[codes].reset_index(drop=True)
    )


def order_of_days(column: pandas.Series, source: Source) -> Order | None:
    """How the days of a column of dates are written; None where they are no text."""
    if column.dtype.kind in "iufM":
        return None
    return order_of([plain(word).strip() for word in column.dropna().unique()], source.decimal)
