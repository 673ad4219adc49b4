"""Squared distances of all pairs of photos, those of one person and those of two people, by row."""

import numpy as np
from torch import Tensor

GRID = 2.0**22  # distances are rounded to its inverse, finer than float32 tells apart: equal photos tie exactly
WIDE = 512  # beyond so many numbers a photo, products are in float32


class Pairs:
    """d = |a - b|^2 for all pairs of n photos; rows are sorted by person, so that each person is one block.

    embedding  [n, width], finite
    y          [n] identities; `person` numbers them 0 .. people - 1
    probe      [n, width]: other pictures of the same n photos (masked ones). Then a pair is a probe and a photo that is
               not its own, in both directions; else any two photos, once.
    most       with more photos, those of a random half or third of the people, seeded, that come to so many

    rows             [n] row of the given tensors; photos not taken are absent
    person           [n]; start, stop: [people], the block of each; size: its photos
    d                [n, n] float32
    same             distances of pairs of one person; same_at: their two places (row, column) in d
    different        distances of pairs of two people; `places(index)` gives their two places
    """

    def __init__(self, embedding: Tensor, y: Tensor, probe: Tensor | None = None, most: int | None = None):
        identity = y.detach().cpu().numpy()
        taken = np.arange(len(identity)) if most is None else some_people(identity, most)
        self.rows = taken[np.argsort(identity[taken], kind="stable")]
        _, self.person, self.size = np.unique(identity[self.rows], return_inverse=True, return_counts=True)
        self.stop = self.size.cumsum()
        self.start = self.stop - self.size
        self.once = probe is None
        columns = _points(embedding)[self.rows]
        self.d = distances(columns if probe is None else _points(probe)[self.rows], columns)
        self.same_at = self._same_places()
        self.same = self.d[self.same_at]
        start, stop = self.start[self.person], self.stop[self.person]
        self._left = np.zeros_like(start) if self.once else start  # columns before the own block, none when once
        self._stop = stop
        width = self._left + len(self) - stop
        self._first = np.concatenate([[0], width.cumsum()])
        self.different = np.empty(self._first[-1], np.float32)
        for i, (row, left, right) in enumerate(zip(self.d, self._left, stop, strict=True)):
            part = self.different[self._first[i] : self._first[i + 1]]
            part[:left], part[left:] = row[:left], row[right:]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def people(self) -> int:
        return len(self.size)

    def places(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column in d of entries of `different`."""
        i = np.searchsorted(self._first, index, side="right") - 1
        j = index - self._first[i]
        return i, j + np.where(j < self._left[i], 0, self._stop[i] - self._left[i])

    def number_different(self, weight: np.ndarray, on: np.ndarray | None = None) -> np.ndarray:
        """Pairs of two people when person k counts weight[..., k] times, among the photos `on` [n]; no copy of a
        person is paired with another copy of the same."""
        size = self.size if on is None else np.bincount(self.person[on], minlength=self.people)
        photos = weight * size
        both = photos.sum(-1) ** 2 - (photos**2).sum(-1)
        return both / 2 if self.once else both

    def _same_places(self) -> tuple[np.ndarray, np.ndarray]:
        i, j = [], []
        for start, size in zip(self.start, self.size, strict=True):
            row, column = np.triu_indices(size, 1) if self.once else np.nonzero(~np.eye(size, dtype=bool))
            i.append(start + row)
            j.append(start + column)
        whole = [np.zeros(0, np.int64)]
        return np.concatenate(whole + i), np.concatenate(whole + j)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a_i - b_j|^2: [len(a), len(b)] float32, rounded to 2^-22, a thousand rows at a time."""
    made = np.empty((len(a), len(b)), np.float32)
    norm = np.einsum("ij,ij->i", b, b)
    for k in range(0, len(a), 1000):
        part = a[k : k + 1000]
        d = np.einsum("ij,ij->i", part, part)[:, None] + norm - 2 * part @ b.T
        made[k : k + 1000] = np.rint(np.maximum(d, 0) * GRID) / GRID
    return made


def some_people(y: np.ndarray, most: int) -> np.ndarray:
    """Rows of people in a seeded order, each who still fits among `most` photos; all if they fit together.

    Where those who fit give no two people and no pair, the many photos are of few: then some photos of each.
    """
    if len(y) <= most:
        return np.arange(len(y))
    _, person, size = np.unique(y, return_inverse=True, return_counts=True)
    chance = np.random.default_rng(0)
    order = chance.permutation(len(size))
    taken = _fitting(size, order, most)
    if len(taken) > 1 and size[taken].max() > 1:
        return np.isin(person, taken).nonzero()[0]
    each = np.minimum(size, max(2, most // min(10, len(size))))
    taken = _fitting(each, order[np.argsort(size[order] < 2, kind="stable")], most)
    rows = chance.permutation(len(y))
    rows = rows[np.argsort(person[rows], kind="stable")]
    place = np.arange(len(y)) - np.repeat(size.cumsum() - size, size)
    return np.sort(rows[np.isin(person[rows], taken) & (place < each[person[rows]])])


def _fitting(size: np.ndarray, order: np.ndarray, most: int) -> np.ndarray:
    """In this order, everybody whose photos still fit."""
    taken = []
    for k in order.tolist():
        if size[k] <= most:
            taken.append(k)
            most -= size[k]
    return np.array(taken, np.int64)


def _points(embedding: Tensor) -> np.ndarray:
    points = embedding.detach().cpu().float().flatten(1).numpy()
    return points.astype(np.float64) if points.shape[1] <= WIDE else points
