"""Codes for missing values, -99 or unknown, that the user names (`data.missing`): their cells are emptied."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.number_parsing import parsed

if TYPE_CHECKING:
    import pandas


def emptied(frame: pandas.DataFrame, codes: list[str], decimal: str) -> tuple[pandas.DataFrame, dict[str, int]]:
    """(the frame without them, the number of cells by column). A code is met by the same word, the same number, however
    it is written (-99,0), or the same day (9999-12-31). decimal: the mark before decimals in text."""
    numbers = {number for code in codes if not math.isnan(number := _number(code))}
    found, columns = {}, {}
    for name, column in frame.items():
        wrong = _coded(column, {*codes}, numbers, decimal)
        if wrong.any():
            found[str(name)] = int(wrong.sum())
            columns[name] = column.where(~wrong)
    return frame.assign(**columns) if columns else frame, found


def _coded(column: pandas.Series, words: set[str], numbers: set[float], decimal: str) -> np.ndarray:
    """Cells that hold one: bool [n]."""
    kind = column.dtype.kind
    if kind in "iuf":
        return column.isin(numbers).to_numpy()
    if kind == "M":
        return column.dt.strftime("%Y-%m-%d").isin(words).to_numpy()
    if kind in "bm":
        return np.zeros(len(column), bool)
    codes, found = column.factorize()
    texts = [str(word).strip() for word in found]
    values = parsed(texts, decimal)[0]
    same = np.array([text in words or value in numbers for text, value in zip(texts, values.tolist(), strict=True)])
    return np.append(same, False)[codes].astype(bool)


def _number(code: str) -> float:
    try:
        return float(code)
    except ValueError:
        return math.nan
