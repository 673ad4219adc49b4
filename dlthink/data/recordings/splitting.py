"""Training, validation and test bins of a recording: whole blocks, of which only bins with a whole window count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlthink.data.fraction import thinned
from dlthink.data.recordings import blocks as cut
from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.covariates import Covariates
from dlthink.data.recordings.session import Session

SPLITS = ("train", "val", "test")
FEW = 0.1  # of validation may be left out; if more of it is strange, it is no glitch


@dataclass(frozen=True)
class Splitting:
    """How blocks are made, and which of them is what: the settings of `Binned`. Raises BadInput."""

    blocks: int
    folds: int
    fold: int
    by: str
    fraction: float

    def __post_init__(self) -> None:
        cut.check(self.blocks, self.folds, self.fold)

    @property
    def otherwise(self) -> str:
        """What to choose where these leave a split empty."""
        return f"fewer data.blocks than {self.blocks}" if self.by == "time" else f"another data.block_by than {self.by}"

    def roles(
        self, session: Session, bins: Bins, covariates: Covariates, used: np.ndarray, longest: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """([T] block, [T] role: train, val, test or spare). used [T]; longest: bins that a window reaches over."""
        block = self._blocks(session, bins, covariates, used, longest)
        role = cut.pattern(self.folds)[(block + self.fold) % self.folds]
        return block, thinned(role, cut.items(block) if self.by == "time" else block, self.fraction)

    def _blocks(
        self, session: Session, bins: Bins, covariates: Covariates, used: np.ndarray, longest: int
    ) -> np.ndarray:
        if self.by == "time":
            return cut.of_time(session.source, bins, used, self.blocks, longest)
        if self.by in ("trial", "interval"):
            return cut.of_stretches(session.source, bins, self.folds)
        place = covariates.chosen([self.by], "data.block_by")[0]
        return cut.of_values(session.source, self.by, covariates.values[:, place], self.folds)


def rows_of(
    bins: Bins, block: np.ndarray, role: np.ndarray, used: np.ndarray, before: int, after: int
) -> dict[str, np.ndarray]:
    """The bins of each split whose windows, so many bins before and after, stay in their blocks."""
    earlier, later = cut.reach(bins, block)
    whole = used & (earlier >= before) & (later >= after)
    return {name: np.flatnonzero((role == name) & whole) for name in SPLITS}


def believable(rows: np.ndarray, far: np.ndarray, before: int, after: int) -> tuple[np.ndarray, int]:
    """Rows whose windows hold nothing that is `far` (bool [T]), and how many fewer these are; a tenth at most.

    What a network says where it has learned nothing must not choose the checkpoint.
    """
    total = np.append(0, np.cumsum(far))
    last = np.minimum(rows + after + 1, len(far))
    believed = rows[total[last] == total[np.maximum(rows - before, 0)]]
    fewer = len(rows) - len(believed)
    return (believed, fewer) if fewer <= FEW * len(rows) else (rows, 0)
