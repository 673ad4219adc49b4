"""What a column holds, numbers, truth values, dates or categories, and its cells as such: one kind for the whole."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.tables.read_table import Source, tables
from dlthink.errors import BadInput

if TYPE_CHECKING:
    import pandas

TRUE, FALSE = {"true", "t", "yes", "y", "1", "1.0"}, {"false", "f", "no", "n", "0", "0.0"}
MOSTLY = 0.9  # of cells that are numbers, or look like dates: then the whole column is meant so
DATE = re.compile(r"\s*(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d\d))(?:[T ].*)?\s*")
DAY = 86_400.0
CYCLES = {"year": 365.2425, "week": 7.0, "day": 1.0}  # days


def kind_of(column: pandas.Series, source: Source) -> str:
    """number, boolean, date or category: what nearly all of its cells are."""
    kind = column.dtype.kind
    if kind in "iuf":
        return "number"
    if kind == "b":
        return "boolean"
    if kind == "M":
        return "date"
    found = column.value_counts()
    words = [str(word) for word in found.index]
    total = max(int(found.sum()), 1)
    if 0 < len(words) <= 2 and {word.strip().lower() for word in words} <= TRUE | FALSE:
        return "boolean"
    if words and found.to_numpy()[np.isfinite(_parsed(words, source.decimal))].sum() >= MOSTLY * total:
        return "number"
    if words and sum(n for word, n in zip(words, found, strict=True) if DATE.fullmatch(word)) >= MOSTLY * total:
        return "date"
    return "category"


def numbers(column: pandas.Series, kind: str, source: Source) -> dict[str, np.ndarray]:
    """Columns of numbers by name, float64 [n], nan where nothing is known: the column itself; of a date its time in
    days, and where it lies in the year, the week and the day as sine and cosine.

    Raises BadInput for what is infinite, and for dates that are none.
    """
    name = str(column.name)
    if kind == "date":
        return _of_dates(column, source)
    if kind == "boolean" and column.dtype.kind not in "biuf":
        codes, words = column.factorize()
        lower = [str(word).strip().lower() for word in words]
        values = np.array([1.0 if w in TRUE else 0.0 if w in FALSE else np.nan for w in lower] + [np.nan])[codes]
    elif column.dtype.kind in "biuf":
        values = column.to_numpy(np.float64)
    else:
        codes, words = column.factorize()
        values = np.append(_parsed([str(word) for word in words], source.decimal), np.nan)[codes]
    if np.isinf(values).any():
        place = source.place(int(np.isinf(values).argmax()))
        raise BadInput(
            f"{source.name}: column {name}, {place}: is infinite; mend it, leave the cell empty, or "
            f"data.ignore=[{name}]"
        )
    return {name: values}


def words(column: pandas.Series) -> tuple[np.ndarray, list[str]]:
    """(code of each row, -1 where nothing is known; the words in order of code). Whole numbers are written as such."""
    codes, found = column.factorize()
    return codes, [_word(one) for one in found]


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


def no_such_column(name: str, columns: list[str], setting: str, source: Source) -> BadInput:
    from difflib import get_close_matches

    alike = {str(one).lower(): one for one in columns}
    near = get_close_matches(name.lower(), alike, n=1, cutoff=0.6)
    hint = f"did you mean {alike[near[0]]}?" if near else f"there is {listed(columns, 12)}"
    return BadInput(f"{setting}: {source.name} has no column {name}; {hint}")


def _word(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _parsed(texts: list[str], decimal: str) -> np.ndarray:
    """Numbers of words, also with marks between thousands; nan for what is none."""
    other = "." if decimal == "," else ","
    thousands = re.compile(rf"\s*[-+]?\d{{1,3}}(?:[{other}' ]\d{{3}})+(?:[{decimal}]\d*)?\s*")
    plain = [re.sub(rf"[{other}' ]", "", text) if thousands.fullmatch(text) else text for text in texts]
    if decimal == ",":
        plain = [text.replace(",", ".") if "." not in text else "" for text in plain]
    return tables().to_numeric(np.array(plain, dtype=object), errors="coerce").astype(np.float64)


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
    texts = [str(word).strip() for word in found]
    found_dates = pandas.to_datetime(
        pandas.Series(texts, dtype=object), errors="coerce", utc=True, format="mixed", dayfirst=_day_first(texts)
    ).dt.tz_convert(None)
    if (lost := found_dates.isna().to_numpy()).any():
        row = int(np.isin(codes, np.flatnonzero(lost)).argmax())
        raise BadInput(
            f"{source.name}: column {column.name}, {source.place(row)}: {texts[codes[row]][:40]!r} is no date as the "
            f"others are; mend it, leave the cell empty, or data.ignore=[{column.name}]"
        )
    return (
        pandas.concat([found_dates, pandas.Series([pandas.NaT])], ignore_index=True).iloc[codes].reset_index(drop=True)
    )


def _day_first(texts: list[str]) -> bool:
    """31.12.2020 and 31/12/2020, not 12/31/2020: where a first number is beyond 12, or points stand between them."""
    cut = [re.split(r"[-/.T ]", text)[:2] for text in texts]
    first = [int(one[0]) for one in cut if one[0].isdigit() and len(one[0]) <= 2]
    second = [int(one[1]) for one in cut if len(one) > 1 and one[1].isdigit()]
    if any(number > 12 for number in first):
        return True
    return not any(number > 12 for number in second) and sum("." in text[:3] for text in texts) > len(texts) / 2
