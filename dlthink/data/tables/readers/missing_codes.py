"""Codes for missing values, -99 or unknown, that the user names (`data.missing`): their cells are emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.number_parsing import coded, parsed

if TYPE_CHECKING:
    import pandas


def emptied(frame: pandas.DataFrame, codes: list[str], decimal: str) -> tuple[pandas.DataFrame, dict[str, int]]:
    """(the frame without them, the number of cells by column). A code is met by the same word, the same number, however
    it is written (-99,0), or the same day (9999-12-31). decimal: the mark before decimals in text."""
    found, columns = {}, {}
    for name, column in frame.items():
        wrong = _coded(column, codes, decimal)
        if wrong.any():
            found[str(name)] = int(wrong.sum())
            columns[name] = column.where(~wrong)
    return frame.assign(**columns) if columns else frame, found


def _coded(column: pandas.Series, codes: list[str], decimal: str) -> np.ndarray:
    """Cells that hold one: bool [n]."""
    kind = column.dtype.kind
    if kind in "iuf":
        values = column.to_numpy(np.float64).tolist()
        return np.array(coded([""] * len(values), values, codes), bool)
    if kind == "M":
        return column.dt.strftime("%Y-%m-%d").isin(codes).to_numpy()
    if kind in "bm":
        return np.zeros(len(column), bool)
    places, found = column.factorize()
    texts = [str(word) for word in found]
    same = coded(texts, parsed(texts, decimal)[0].tolist(), codes)
    return np.append(np.array(same, bool), False)[places]
