"""Targets of a table as its kind has them: reals, counts, identities. What is none is named with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dlthink.data.number_parsing import UNREADABLE, why_lost
from dlthink.data.tables.readers.columns import kind_of, no_numbers, numbers, unit_of
from dlthink.data.tables.readers.read_table import Source
from dlthink.errors import BadInput

if TYPE_CHECKING:
    import pandas

LARGEST = 2**24  # a count: the next whole number is no float32


def reals(frame: pandas.DataFrame, names: list[str], source: Source) -> np.ndarray:
    """float64 [n, n_targets], nan where missing. Raises BadInput for words, dates and what is infinite."""
    return np.stack([_numbers(frame[name], source, "reals") for name in names], 1)


def counts(frame: pandas.DataFrame, names: list[str], source: Source) -> np.ndarray:
    """The same, whole numbers from 0. Raises BadInput for a count of 2.5, -1 or more than `LARGEST`, too."""
    found = np.stack([_numbers(frame[name], source, "counts") for name in names], 1)
    with np.errstate(invalid="ignore"):
        wrong = (found < 0) | (found != np.floor(found)) & ~np.isnan(found)
    if wrong.any():
        row, column = (int(place[0]) for place in np.nonzero(wrong))
        raise BadInput(
            f"data.target={names[column]}: {source.name}, {source.place(row)}: {found[row, column]:g} is no count, "
            f"which is a whole number from 0; mend it, or data.kind=reals"
        )
    if (large := found > LARGEST).any():
        row, column = (int(place[0]) for place in np.nonzero(large))
        raise BadInput(
            f"data.target={names[column]}: {source.name}, {source.place(row)}: {found[row, column]:.15g} is more than "
            f"can be counted one by one, {LARGEST:,} at most: count in thousands or millions, or data.kind=reals"
        )
    return found


def check_varies(y: np.ndarray, names: list[str], source: Source) -> None:
    """BadInput where a target is the same in all training rows y [n, n_targets], or missing in all."""
    for name, column in zip(names, y.T, strict=True):
        known = column[~np.isnan(column)]
        if not len(known) or known.min() == known.max():
            said = f"is {known[0]:g}" if len(known) else "is missing"
            raise BadInput(
                f"data.target={name}: {source.name}: {said} in all {len(column):,} training rows, so there is nothing "
                f"to learn: take another column"
            )


def exposure(frame: pandas.DataFrame, name: str, source: Source) -> np.ndarray:
    """float64 [n], above 0 everywhere. Raises BadInput."""
    found = _numbers(frame[name], source, "exposure")
    with np.errstate(invalid="ignore"):
        wrong = ~(found > 0)
    if wrong.any():
        row = int(wrong.argmax())
        said = "missing" if np.isnan(found[row]) else f"{found[row]:g}"
        raise BadInput(
            f"data.exposure={name}: {source.name}, {source.place(row)}: is {said}; an exposure (time, area, people at "
            f"risk) is above 0: mend it, or leave that row out"
        )
    return found


def log_exposure(exposure: np.ndarray, mean: float) -> Tensor:
    """The offset of each row, [n, 1]: 0 for an exposure of `mean`, that of training."""
    return tensor(np.log(exposure / mean)[:, None])


def identities(frame: pandas.DataFrame, name: str, source: Source) -> np.ndarray:
    """Words [n], "" where missing: who or what each row is."""
    column = frame[name]
    if kind_of(column, source) == "nested":
        raise BadInput(f"data.target={name}: {source.name} holds lists or records in that column: take another column")
    return np.where(column.isna(), "", column.astype(str).str.strip())


def _numbers(column: pandas.Series, source: Source, what: str) -> np.ndarray:
    setting = f"data.exposure={column.name}" if what == "exposure" else f"data.target={column.name}"
    kind = kind_of(column, source)
    if kind == "nested":
        raise BadInput(f"{setting}: {source.name} holds lists or records in that column; {what} are numbers")
    if kind == "date":
        raise BadInput(f"{setting}: {source.name} holds dates in that column; {what} are numbers")
    found = numbers(column, "number" if kind != "boolean" else kind, source, feature=False)[str(column.name)]
    if (lost := no_numbers(column, found)).any():
        row = int(lost.argmax())
        number, cell = int((~np.isnan(found)).sum()), str(column.iloc[row])
        why = why_lost(cell, unit_of(column, source))
        if why == UNREADABLE:
            why = f"no number, though {number:,} others are" if number else "no number, and no other is"
        raise BadInput(
            f"{setting}: {source.name}, {source.place(row)}: {cell[:40]!r} is {why}; mend it, leave the cell empty, or "
            f"take another column; words are for data.kind=identities"
        )
    return found


def tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))
