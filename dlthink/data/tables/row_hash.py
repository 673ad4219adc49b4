"""A number for each row that depends on what stands in it alone: the same in every file, equal for equal rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dlthink.data.stable_hash import tie

GOLDEN, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def row_ties(columns: Iterable[tuple[str, np.ndarray]], rows: int) -> np.ndarray:
    """int64 [n] of columns (name, cells): float64, nan for nothing; or words as uint64 (`word_ties`).

    The mixing is splitmix64 (Steele, Lea & Flood 2014, OOPSLA).
    """
    total = np.zeros(rows, np.uint64)
    for name, cells in columns:
        if cells.dtype.kind == "f":
            cells = np.where(np.isnan(cells), np.nan, cells + 0.0).astype(np.float64).view(np.uint64)  # no -0.0
        total += mixed(cells ^ np.uint64(tie(name)))  # a sum: the order of columns does not matter
    return mixed(total).view(np.int64)


def apart(ties: np.ndarray) -> tuple[np.ndarray, bool]:
    """(ties by which rows are split, whether equal rows stay together).

    They do where they are the exception. Where features are so coarse that half of the rows repeat another one, these
    are samples of their own, and the second of two equal rows has another tie than the first.
    """
    order = np.argsort(ties, kind="stable")
    new = np.append(True, np.diff(ties[order]) != 0)
    if new.sum() * 2 >= len(ties):
        return ties, True
    since = np.arange(len(ties)) - np.maximum.accumulate(np.where(new, np.arange(len(ties)), 0))
    number = np.empty(len(ties), np.uint64)
    number[order] = since
    return mixed(ties.view(np.uint64) + mixed(number)).view(np.int64), False


def word_ties(codes: np.ndarray, words: list[str]) -> np.ndarray:
    """uint64 [n] of words by their code, -1 for none."""
    return np.array([*(tie(word) for word in words), 0], np.uint64)[codes]


def shares(ties: np.ndarray, salt: str = "") -> np.ndarray:
    """[0, 1) of each tie, independent for another salt: which side of a random split a row falls on."""
    return (mixed(ties.view(np.uint64) ^ np.uint64(tie(salt))) >> np.uint64(11)).astype(np.float64) / 2.0**53


def mixed(x: np.ndarray) -> np.ndarray:
    """splitmix64 of each number."""
    with np.errstate(over="ignore"):
        x = x + GOLDEN
        x = (x ^ (x >> np.uint64(30))) * FIRST
        x = (x ^ (x >> np.uint64(27))) * SECOND
        return x ^ (x >> np.uint64(31))
