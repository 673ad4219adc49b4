"""What looks strange in a file, a line each: a row of totals, codes that look like numbers, a unit of the target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.number_parsing import code_for_nothing
from dlthink.data.tables.readers.columns import kind_of, listed, numbers, unit_of
from dlthink.data.tables.readers.read_table import Source

if TYPE_CHECKING:
    import pandas

TOTAL = re.compile(
    r"\s*(?:grand |sub)?(?:totals?|sums?|mean|average|summe|gesamt|insgesamt|mittelwert|durchschnitt|total général|"
    r"somme|moyenne|totale|suma)\s*:?\s*"
)
ROUNDED = 1e-3  # of a sum, by which it may be off
MERGED = 3  # rows at least that a merged cell stands for


def _merged(column: pandas.Series) -> bool:
    """Filled in the first row, then with gaps of several rows, each word once."""
    filled = column.notna()
    words = column[filled]
    return bool(filled.iloc[0]) and 1 < len(words) <= len(column) / MERGED and words.is_unique


def total_of(frame: pandas.DataFrame) -> str | None:
    """The word by which the last row says that it sums up the others."""
    last = [str(value) for value in frame.iloc[-1] if isinstance(value, str)]
    return next((word for word in last if TOTAL.fullmatch(word.lower())), None)


def sums_up(y: np.ndarray) -> bool:
    """Is the last row of y [n, n_targets] the sum or the mean of those above it, but for rounding?"""
    above, last = y[:-1], y[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = np.abs(last - np.nansum(above, 0)) <= ROUNDED * np.abs(last)
        means = np.abs(last - np.nansum(above, 0) / (~np.isnan(above)).sum(0)) <= ROUNDED * np.abs(last)
    return bool((sums | means).any())


def oddities(frame: pandas.DataFrame, kinds: dict[str, str], targets: list[str], source: Source) -> list[str]:
    """kinds: of each feature."""
    found = []
    for name, kind in kinds.items():
        if kind == "category" and _merged(frame[name]):
            found.append(f"{name} is filled in some rows and empty below them, as merged cells are: fill them down")
    coded = [name for name in source.coded if kinds.get(name) == "number"]
    if coded:
        others = f"; also {listed(coded[1:])}" if coded[1:] else ""
        said = f"numbers that begin with 0, taken as numbers: are they codes? Then data.categories=[{coded[0]}]{others}"
        found.append(said)
    numbered = [name for name, kind in kinds.items() if kind == "number"]
    numbered += [name for name in targets if kind_of(frame[name], source) == "number"]
    codes = {name: code_for_nothing(numbers(frame[name], "number", source)[name]) for name in numbered}
    if said := [f"{name} ({code})" for name, code in codes.items() if code is not None]:
        known = ",".join(sorted({str(code) for code in codes.values() if code is not None}))
        way = f"data.missing=[{known}]"
        found.append(f"unlike all others, as codes for missing values are: {listed(said)}: if so, {way}")
    if dotted := [name for name in source.dotted if kinds.get(name) == "number" or name in targets]:
        said = f"numbers like 1.234, read as decimals: if points part thousands in {listed(dotted)}, take them out"
        found.append(said)
    units = [f"{name} ({unit})" for name in targets if (unit := unit_of(frame[name], source))]
    if units:
        found.append(f"the target has a unit, and is read and predicted in it: {listed(units)}")
    return found
