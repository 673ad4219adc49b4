"""Columns of numbers that only say which row this is: they count the rows, in any order, or are called so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas

FEWEST = 20  # rows from which that shows
CALLED = re.compile(
    r"(?i:unnamed: \d+|index|id|uid|key|nr\.?|no\.?|#|lfd\.? ?nr\.?|.*[_\s.-]id|id[_\s.-].*)|.*[a-z]I[dD]|ID[a-z].*"
)
YEAR = re.compile(r"year|yr|jahr|ann[eé]e|anno|a[nñ]o|jaar|ano", re.IGNORECASE)


def names_rows(column: pandas.Series) -> str:
    """Why these numbers say which row it is, "" where they do not."""
    if column.dtype.kind not in "iuf" or len(column) < FEWEST:
        return ""
    values = column.to_numpy()
    if values.dtype.kind == "f" and (np.isnan(values).any() or (values % 1).any()):
        return ""
    ordered = np.sort(values.astype(np.int64))
    steps = np.diff(ordered)
    if (steps == 0).any() or YEAR.search(str(column.name)):
        return ""
    if (steps == 1).all():
        return "counts the rows"
    return "numbers that differ in every row, an identifier by its name" if CALLED.fullmatch(str(column.name)) else ""
