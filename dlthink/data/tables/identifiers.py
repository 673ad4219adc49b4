"""Columns that say which row this is: they count the rows, in any order, or are called so; or whose rows these are."""

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
WHOSE = re.compile(  # several rows are of one
    r"(?i:.*(?<![a-z])(?:animal|mouse|mice|rat|monkey|subject|subj|patient|participant|person|people|proband|donor|"
    r"session|recording|experiment|litter|family|student|user|customer|client|household|plate|batch|lot|site|hospital|"
    r"clinic|center|centre|school|class|shop|store|cell_?line|sample|tier|maus|patientin|person|sitzung)s?"
    r"(?![a-z]).*)"
)
YEAR = re.compile(r"year|yr|jahr|ann[eé]e|anno|a[nñ]o|jaar|ano", re.IGNORECASE)


def repeats(column: pandas.Series) -> int:
    """How many there are of those whose rows these are (animals, patients, sessions), by the column's name; 0 where it
    names nobody, or nobody twice."""
    name = str(column.name)
    if len(column) < FEWEST or not (WHOSE.fullmatch(name) or CALLED.fullmatch(name)):
        return 0
    if column.dtype.kind == "f" and (column.dropna() % 1).any():
        return 0
    different = column.nunique()
    return different if 1 < different <= column.notna().sum() / 2 else 0


def names_rows(column: pandas.Series) -> str:
    """Why these numbers say which row it is, "" where they do not."""
    if column.dtype.kind not in "iuf" or len(column) < FEWEST:
        return ""
    values = column.to_numpy()
    if values.dtype.kind == "f" and (not np.isfinite(values).all() or (values % 1).any()):
        return ""
    ordered = np.sort(values.astype(np.int64))
    steps = np.diff(ordered)
    if (steps == 0).any() or YEAR.search(str(column.name)):
        return ""
    if (steps == 1).all():
        return "counts the rows"
    return "numbers that differ in every row, an identifier by its name" if CALLED.fullmatch(str(column.name)) else ""
