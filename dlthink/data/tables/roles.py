"""Roles of rows, train, val or test: as a column says, by chance, by groups, or by blocks of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.fraction import thinned
from dlthink.data.tables.readers.columns import kind_of, listed, no_numbers, no_such_column, numbers, words
from dlthink.data.tables.readers.read_table import Source
from dlthink.data.tables.row_hash import shares, word_ties
from dlthink.errors import BadInput

if TYPE_CHECKING:
    import pandas

ROLES = ("train", "val", "test")
CALLED = {"train": "train", "training": "train", "learn": "train", "fit": "train"}
CALLED |= {"val": "val", "valid": "val", "validation": "val", "dev": "val"}
CALLED |= {"test": "test", "testing": "test", "holdout": "test"}
FOLDS = 5
PIECES = 5  # of a block of time, of which a fraction is trained on
PATTERN = np.array(["train", "train", "test", "train", "val"])  # of blocks of time, as of recordings


@dataclass
class Splitting:
    """How rows are given their roles.

    split       a column that says train, val or test; or random: by a hash of what stands in a row, the same in every
                file
    group       a column whose equal values stay on one side
    time        a column by which rows are cut into `blocks`; of five, train train test train val
    fold        0 .. 4: another fifth is test
    validation  share of the training rows that chooses the checkpoint, where no column says it
    fraction    of the training rows (groups, where there are some; stretches of time) that are trained on
    """

    split: str = "random"
    group: str | None = None
    time: str | None = None
    blocks: int = 20
    fold: int = 0
    validation: float = 0.1
    fraction: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.validation < 1:
            raise BadInput(f"data.validation={self.validation}: a share lies between 0 and 1, e.g. 0.1")
        if not 0 <= self.fold < FOLDS:
            raise BadInput(f"data.fold={self.fold}: must be 0 to {FOLDS - 1}")
        if self.blocks < len(PATTERN):
            raise BadInput(f"data.blocks={self.blocks}: {len(PATTERN)} blocks at least, or a split stays empty")
        others = {"data.group": self.group, f"data.split={self.split}": self.split != "random" or None}
        if self.time is not None and (other := next((name for name, value in others.items() if value), None)):
            raise BadInput(f"data.time and {other}: each says who is test; leave one of them out")

    @property
    def columns(self) -> list[str]:
        """Columns that say where a row belongs, and are no features."""
        return [name for name in (None if self.split == "random" else self.split, self.group, self.time) if name]

    def check(self, frame: pandas.DataFrame, source: Source) -> None:
        """Are those columns there? Raises BadInput."""
        for setting, name in {"split": self.split, "group": self.group, "time": self.time}.items():
            if name not in (None, "random") and name not in frame:
                raise no_such_column(name, list(frame.columns), f"data.{setting}={name}", source)

    def roles(self, frame: pandas.DataFrame, ties: np.ndarray, source: Source) -> tuple[np.ndarray, list[str]]:
        """The role of each row, words [n], "" for none; notes. ties: int64 [n], equal for rows that stay together."""
        together, notes = ties, []
        if self.group is not None:
            together = word_ties(*words(frame[self.group])).view(np.int64)
            together = np.where(frame[self.group].isna(), ties, together)
            if (groups := len(np.unique(together))) < FOLDS:
                few = f"{groups} groups only" if groups > 1 else "the same in all rows"
                notes = [f"{self.group}, which keeps groups together, has {few}"]
        if self.split != "random":
            roles, said = self._said(frame, together, source)
            if not (roles == "val").any():
                roles[(roles == "train") & (shares(together, "validation") < self.validation)] = "val"
            return thinned(roles, together, self.fraction), notes + said
        if self.time is not None:
            piece = self._pieces(frame[self.time], source)
            roles = PATTERN[(piece // PIECES + self.fold) % len(PATTERN)]
            return thinned(roles, piece, self.fraction), []
        test = np.floor(shares(together) * FOLDS) == self.fold
        val = shares(together, "validation") < self.validation
        return thinned(np.where(test, "test", np.where(val, "val", "train")), together, self.fraction), notes

    def _said(self, frame, together: np.ndarray, source: Source) -> tuple[np.ndarray, list[str]]:
        """As the column says, which may name no validation."""
        codes, found = words(frame[self.split])
        strange = [word for word in found if word.strip().lower() not in CALLED]
        if strange:
            raise BadInput(
                f"data.split={self.split}: {source.name} says {listed(strange, 3)} in that column; it must say train, "
                f"val or test"
            )
        roles = np.array([*(CALLED[word.strip().lower()] for word in found), ""], dtype="U5")[codes]
        notes = []
        if lost := int((roles == "").sum()):
            notes.append(f"left out, no word in {self.split}: {lost:,} rows")
        if self.group is not None:
            test = np.unique(together[roles == "test"])
            torn = np.isin(together, test) & np.isin(roles, ("train", "val"))
            if torn.any():
                notes.append(
                    f"{len(np.unique(together[torn])):,} groups of {self.group} stand in test and in training, as "
                    f"{self.split} says"
                )
        return roles, notes

    def _pieces(self, column: pandas.Series, source: Source) -> np.ndarray:
        """Contiguous stretches of time with as many rows each, `PIECES` a block; equal times are in one of them."""
        kind = kind_of(column, source)
        if kind not in ("number", "date"):
            raise BadInput(f"data.time={column.name}: {source.name} has words in that column; it must hold times")
        when = numbers(column, kind, source)[str(column.name)]
        if np.isnan(when).any():
            row = int(np.isnan(when).argmax())
            place = f"data.time={column.name}: {source.name}, {source.place(row)}"
            if no_numbers(column, when)[row]:
                raise BadInput(f"{place}: {str(column.iloc[row])[:40]!r} is no time, though others are: mend it")
            raise BadInput(f"{place}: there is no time: fill it in")
        ordered = np.sort(when)
        if len(ordered) < self.blocks:
            raise BadInput(f"data.blocks={self.blocks}: {source.name} has {len(ordered)} rows only: choose fewer")
        return np.searchsorted(ordered, when) * self.blocks * PIECES // len(when)
