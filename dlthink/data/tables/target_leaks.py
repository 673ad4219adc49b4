"""Columns that give the target away: its copy, which is left out, and its multiple, which is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.tables.columns import listed, numbers, words
from dlthink.data.tables.read_table import Source

if TYPE_CHECKING:
    import pandas

FEWEST = 3  # rows that tell
LINE = 1e-9  # 1 - |correlation| up to which one column is another times a number, plus a number


def copies(
    frame: pandas.DataFrame, kinds: dict[str, str], y: np.ndarray, train: np.ndarray, source: Source
) -> tuple[list[str], list[str]]:
    """(names of features that equal a target in all training rows, notes). y: [rows, n_targets] or words [rows]."""
    same, multiple = [], []
    for name, kind in kinds.items():
        if y.ndim == 1:
            codes, found = words(frame[name])
            cells = np.array([*found, ""], dtype=object)[codes][train]
            if len(train) >= FEWEST and bool((cells == y).all()):
                same.append(name)
            continue
        if kind == "category":
            continue
        cells = numbers(frame[name], kind, source)[name][train]
        for target in y.T:
            both = ~np.isnan(cells) & ~np.isnan(target)
            a, b = cells[both], target[both]
            if len(a) < FEWEST or a.std() == 0 or b.std() == 0:
                continue
            if np.array_equal(a, b):
                same.append(name)
                break
            if 1 - abs(float(np.corrcoef(a, b)[0, 1])) < LINE:
                multiple.append(name)
                break
    notes = [f"left out, equal to the target in all training rows: {listed(same)}"] if same else []
    if multiple:
        notes.append(
            f"the target is {listed(multiple)} times a number, plus a number: if that is not known beforehand, "
            f"data.ignore=[{','.join(multiple)}]"
        )
    return same, notes
