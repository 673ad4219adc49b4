"""Columns that give the target away: its copy, which is left out; its multiple, a sum or a product that makes it, and
what stands in its order, which are asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.tables.readers.columns import listed, numbers, words
from dlthink.data.tables.readers.read_table import Source

if TYPE_CHECKING:
    import pandas

FEWEST = 3  # rows that tell
MANY = 20  # different values of the target from which its order is no chance
ROWS, COLUMNS = 2_000, 100  # that are looked at for sums and products, at most
EXACT = 1e-3  # standard deviations by which a sum may be off, as it was rounded
USED = 1e-3  # share of the largest term from which a column belongs to a sum
LINE = 1e-9  # 1 - |correlation| up to which one column is another times a number, plus a number


def copies(
    frame: pandas.DataFrame, kinds: dict[str, str], y: np.ndarray, train: np.ndarray, source: Source
) -> tuple[list[str], list[str]]:
    """(names of features that equal a target in all training rows, notes). y: [rows, n_targets] or words [rows]."""
    same, multiple, ordered = [], [], []
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
            if _in_order(a, b):
                ordered.append(name)
                break
    notes = [f"left out, equal to the target in all training rows: {listed(same)}"] if same else []
    if multiple:
        notes.append(
            f"the target is {listed(multiple)} times a number, plus a number: if that is not known beforehand, "
            f"data.ignore=[{','.join(multiple)}]"
        )
    if ordered:
        notes.append(
            f"in the order of the target in all training rows: {listed(ordered)}: if that is not known beforehand, "
            f"data.ignore=[{','.join(ordered)}]"
        )
    if y.ndim == 2 and not multiple and not ordered:
        rest = {name: kind for name, kind in kinds.items() if kind == "number" and name not in same}
        notes += _made_of(frame, rest, y[:ROWS], train[:ROWS], source)
    return same, notes


def _in_order(a: np.ndarray, b: np.ndarray) -> bool:
    """Does b rise with a, or fall, without exception?"""
    if len(np.unique(b)) < MANY or len(np.unique(a)) < MANY:
        return False
    steps = np.diff(b[np.lexsort((b, a))])
    return bool((steps >= 0).all()) or bool((np.diff(b[np.lexsort((-b, a))]) <= 0).all())


def _made_of(frame: pandas.DataFrame, kinds: dict[str, str], y: np.ndarray, train: np.ndarray, source: Source) -> list:
    """Is a target a weighted sum of columns, or a product, but for rounding? Found in one half, seen in the other."""
    names = list(kinds)[:COLUMNS]
    if len(names) < 2 or len(train) < 2 * (len(names) + MANY):
        return []
    x = np.stack([numbers(frame[name].iloc[train], kinds[name], source)[name] for name in names], 1)
    complete = ~np.isnan(x).any(0)
    x, names = x[:, complete], [name for name, whole in zip(names, complete, strict=True) if whole]
    for target in y.T:
        known = ~np.isnan(target)
        for what, a, b in (("sum", x[known], target[known]), ("product", *_logs(x[known], target[known]))):
            used = _terms(a, b) if a.shape[1] > 1 else []
            if len(used) > 1:
                told = [name for i, name in enumerate(names) if i in used]
                made = "a sum of" if what == "sum" else "a product of powers of"
                return [
                    f"the target is {made} {listed(told)}: if these are not known beforehand, "
                    f"data.ignore=[{','.join(told)}]"
                ]
    return []


def _logs(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of what is positive in all rows; of other columns zeros."""
    if not len(y) or y.min() <= 0:
        return np.zeros((0, 0)), y
    return np.log(np.where((x > 0).all(0), x, 1.0)), np.log(y)


def _terms(x: np.ndarray, y: np.ndarray) -> list[int]:
    """Columns of which y is a weighted sum, [] where it is none."""
    half = len(y) // 2
    if half < x.shape[1] + MANY or y[:half].std() == 0:
        return []
    mean, std = x[:half].mean(0), x[:half].std(0)
    z = (x - mean) / np.where(std > 0, std, 1.0)
    weights = np.linalg.lstsq(z[:half], y[:half] - y[:half].mean(), rcond=None)[0]
    off = np.abs(z[half:] @ weights + y[:half].mean() - y[half:]).max()
    if not off < EXACT * y[:half].std():
        return []
    return [i for i, weight in enumerate(np.abs(weights)) if weight > USED * np.abs(weights).max()]
