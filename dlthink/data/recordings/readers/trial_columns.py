"""What was so during each trial, as a lab wrote it down: columns of numbers and of words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlthink.data.recordings.units import name_of

WORDS = 20  # different words of a column that may be conditions; more are remarks
CLOCKS = ("_time", "_times", "_timestamp")  # ends of the names of columns that hold times, not what was so


def trials_of(columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, list[str], list[str]]:
    """Values [K, G], their names, and a note on each column that is left out.

    A column of words becomes a column of 0 and 1 for each word, NAME=WORD. Left out: times, columns with gaps, columns
    of one value, words that are all different.
    """
    values, names, left_out = [], [], []
    for name, column in columns.items():
        if name.endswith(CLOCKS):
            left_out.append(f"{name} (a time)")
        elif column.dtype.kind in "fiub":
            column = column.astype(np.float64)
            if not np.isfinite(column).all():
                left_out.append(f"{name} (empty in {int((~np.isfinite(column)).sum())} trials)")
            elif np.ptp(column):
                values.append(column)
                names.append(name)
        else:
            column = np.array([name_of(entry) for entry in column])
            words = np.unique(column)
            if len(words) > WORDS:
                left_out.append(f"{name} ({len(words)} different words)")
            for word in words if 1 < len(words) <= WORDS else ():
                values.append((column == word).astype(np.float64))
                names.append(f"{name}={word}")
    rows = len(next(iter(columns.values()), ()))
    table = np.stack(values, axis=1) if values else np.empty((rows, 0))
    return table, names, [f"left out of the covariates of trials: {', '.join(left_out)}"] if left_out else []
