"""Roles of rows that say whose they are: what is to tell strangers apart is chosen on strangers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.fraction import thinned
from dlthink.data.tables.readers.read_table import Source
from dlthink.data.tables.roles import FOLDS, Splitting
from dlthink.data.tables.row_hash import shares, word_ties

if TYPE_CHECKING:
    import pandas

PAIR = 2  # identities, below which there is nothing to tell apart
FEW = 50  # identities, of which a hash might leave a fold fewer than a pair: a fold is then a fifth of their order


@dataclass
class IdentitySplitting(Splitting):
    """Open set: nobody who is test was trained on, and nobody who is validation either. Two identities at least are in
    each split, so six are needed.

    Closed set: the same identities everywhere, and rows are split. It is what fewer than six are taken for, and a
    column (`split`) that puts the identities of training into most of test. A column may also leave fewer than four to
    train on: of them validation is some rows. Each choice is told.

    identity  the column whose values are told apart
    names     of it, the word of each row, "" where there is none

    Where `group` or `time` says who is test, they alone do. Source: Scheirer et al. 2013, IEEE TPAMI 35 (open set).
    """

    identity: str = ""
    names: np.ndarray = field(default_factory=lambda: np.array([], dtype=str))

    def roles(self, frame: pandas.DataFrame, ties: np.ndarray, source: Source) -> tuple[np.ndarray, list[str]]:
        """As `Splitting.roles`."""
        if self.group is not None or self.time is not None:
            return super().roles(frame, ties, source)
        named = self.names != ""
        called, code = np.unique(self.names, return_inverse=True)
        who = np.where(named, word_ties(code, called.tolist()).view(np.int64), ties)
        if self.split == "random":
            people = several(who[named])
            if len(people) < 3 * PAIR:
                found, notes = super().roles(frame, ties, source)
                few = f"{len(people)} value{'s' * (len(people) != 1)} with two rows or more"
                notes.append(
                    f"{self.identity} has {few}, too few to keep some for test and some for validation: rows of each "
                    f"are in all splits, so nothing is said of what was never trained"
                )
                return found, notes
            test = named & np.isin(who, self._fold(people)) if len(people) < FEW else self._in_fold(who)
            found, notes = np.where(test, "test", "train").astype("<U5"), []
        else:
            found, notes = self._said(frame, who, source)
        if not (found == "val").any():
            spared, said = self._spared(found, who, ties)
            found[spared] = "val"
            notes += said
        units = who if len(np.unique(who[named & (found == "train")])) >= FEW else ties
        return thinned(found, units, self.fraction), notes

    def _in_fold(self, who: np.ndarray) -> np.ndarray:
        return np.floor(shares(who) * FOLDS) == self.fold

    def _fold(self, people: np.ndarray) -> np.ndarray:
        """A fifth of few, by the order of their hashes; of fewer than ten a pair."""
        begin = self.fold * len(people) // FOLDS
        end = max((self.fold + 1) * len(people) // FOLDS, begin + PAIR)
        return people[shares(people).argsort()[np.arange(begin, end) % len(people)]]

    def _spared(self, found: np.ndarray, who: np.ndarray, ties: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Which rows of training are validation, bool [n]; a note where these are not of identities of their own, or of
        two."""
        train, test = ((self.names != "") & (found == role) for role in ("train", "test"))
        people = several(who[train])
        known = np.isin(who[test], who[train])
        rows = train & (shares(ties, "validation") < self.validation)
        if 2 * known.sum() > len(known):
            return rows, [f"test is of the values of {self.identity} that are trained on, and so is validation"]
        if len(people) < 2 * PAIR:
            return rows, [
                f"{self.identity} has {len(people)} values to train on, too few to keep some for validation: it is rows"
                f" of these, though those of test are strangers"
            ]
        place = shares(people, "validation")
        pair = people[place.argsort()[:PAIR]]
        spared = train & ((shares(who, "validation") < self.validation) | np.isin(who, pair))
        if (place < self.validation).sum() > PAIR:
            return spared, []
        names = " and ".join(np.unique(self.names[np.isin(who, pair)]).tolist())
        whole = f"the {len(people)} values of {self.identity} that are not test"
        return spared, [f"validation is {names}, two of {whole}: not trained on, as those of test are not"]


def several(who: np.ndarray) -> np.ndarray:
    """Whoever has two rows or more."""
    people, rows = np.unique(who, return_counts=True)
    return people[rows > 1]
