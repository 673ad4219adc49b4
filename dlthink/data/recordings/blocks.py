"""Which bins are training, validation and test: whole blocks, so that no window of one reaches into another."""

from __future__ import annotations

import numpy as np

from dlthink.data.recordings.bins import Bins
from dlthink.errors import BadInput

FEWEST = 3  # folds: one block is test, one validation, and something must be left to learn from
SAME = 1e-9  # of the range of a covariate: values so near are one
PIECES = 5  # of a block, as items of a comparison


def pattern(folds: int) -> np.ndarray:
    """The splits of so many blocks in a row, one test and one validation: of five, train train test train val."""
    roles = np.array(["train"] * folds, dtype="<U5")
    roles[folds // 2], roles[-1] = "test", "val"
    return roles


def of_time(source: str, bins: Bins, used: np.ndarray, blocks: int, longest: int) -> np.ndarray:
    """[T] the block of each bin: contiguous stretches of time with as many used bins each.

    used [T]; longest: bins that a window reaches over, beyond its own. Raises BadInput.
    """
    total = int(used.sum())
    if total < blocks <= len(used):
        raise BadInput(
            f"{source}: data.where holds in {total:,} of {len(used):,} bins, fewer than data.blocks={blocks}: choose a "
            f"condition that holds more often (dlthink show says what covariates there are)"
        )
    if total < blocks:
        raise BadInput(
            f"{source}: {total} bins of {bins.width:g} s are fewer than data.blocks={blocks}: choose smaller "
            f"bins, and check that all times are in seconds (not minutes, hours or days)"
        )
    if longest >= (shortest := total // blocks):
        raise BadInput(
            f"{source}: a window reaches over {longest} bins beyond its own, no less than a block of {shortest}: "
            f"choose a shorter data.history (data.before, data.future, data.after) or fewer data.blocks than {blocks}"
        )
    return np.minimum((np.cumsum(used) - used) * blocks // total, blocks - 1)


def of_stretches(source: str, bins: Bins, folds: int) -> np.ndarray:
    """[T] the stretch (trial) of each bin, each a block. Raises BadInput."""
    _, block = np.unique(bins.origin, return_inverse=True)
    if (number := block[-1] + 1) < folds:
        raise BadInput(
            f"{source}: data.block_by=trial needs {folds} trials or intervals at least, one for each of data.folds, "
            f"and there are {number}: give the key trials, or leave data.block_by at time"
        )
    return block


def of_values(source: str, name: str, values: np.ndarray, folds: int) -> np.ndarray:
    """[T] the place of each bin's value among all that a covariate has: every value is a block. Raises BadInput."""
    room = SAME * (np.ptp(values) or 1.0)  # a mean over a bin's time is a value but for its last digits
    known, block = np.unique(np.rint((values - values.min()) / room), return_inverse=True)
    if not folds <= len(known) <= len(values) // 2:
        raise BadInput(
            f"{source}: data.block_by={name} puts all bins with the same value into one block, and it has "
            f"{len(known):,} values: at least {folds} are needed (data.folds), and several bins of each"
        )
    return block


def reach(bins: Bins, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """([T], [T]): how many bins before each, and after it, lie in the same block and stretch without a break."""
    position = np.arange(len(block))
    begins = np.append(True, (np.diff(block) != 0) | (np.diff(bins.origin) != 0))
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(block)) - 1
    run = np.cumsum(begins) - 1
    return position - first[run], last[run] - position


def items(block: np.ndarray) -> np.ndarray:
    """[T] the stretch of time of each bin, by which runs are compared: each block in PIECES, numbered through."""
    order = np.argsort(block, kind="stable")
    _, first, size = np.unique(block[order], return_index=True, return_counts=True)
    within = np.arange(len(block)) - np.repeat(first, size)
    made = np.empty(len(block), dtype=np.int64)
    made[order] = block[order] * PIECES + within * PIECES // np.repeat(size, size)
    return made


def check(blocks: int, folds: int, fold: int) -> None:
    """Raises BadInput for numbers that no split can be made of."""
    if folds < FEWEST:
        raise BadInput(f"data.folds={folds}: {FEWEST} folds at least, or a split stays empty: choose for example 5")
    if blocks < folds:
        example = max(20, folds)
        raise BadInput(
            f"data.blocks={blocks}: {folds} blocks at least, or a split stays empty: choose for example {example}"
        )
    if not 0 <= fold < folds:
        raise BadInput(f"data.fold={fold}: there are {folds} folds: choose 0 to {folds - 1}")
