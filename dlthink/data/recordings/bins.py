"""From time to bins: where the bins lie, how many spikes fall in each, what the covariates were."""

from __future__ import annotations

import numpy as np

# A spike this close below an edge (in bins) belongs above it: 0.3 s is in the bin that starts at
# 3 * 0.1 = 0.30000000000000004 s.
TOLERANCE = 1e-6
ROWS = 4096  # of counts, added up at a time
ROUNDED = 2  # times the rounding of the clock: a spike and an edge may be off by half of it each, and so their sums


class Bins:
    """Bins of `width` seconds, [start, start + width), laid from the start of every interval.

    An unfinished last bin is left out. rounding: s, how far apart two times must be to be told apart; what lies
    closer to an edge than that lies on it.

    edges    one array a stretch, of its bins + 1
    centres  [T] of all bins in a row
    origin   [T] the first bin of the stretch that each bin lies in
    """

    def __init__(self, intervals: np.ndarray, width: float, rounding: float = 0.0) -> None:
        self.width = width
        self.tolerance = max(TOLERANCE, ROUNDED * rounding / width)  # in bins
        numbers = np.floor((intervals[:, 1] - intervals[:, 0]) / width + self.tolerance).astype(int)
        self.edges = [a + width * np.arange(n + 1) for (a, _), n in zip(intervals, numbers, strict=True) if n]
        numbers = numbers[numbers > 0]
        self.centres = np.concatenate([e[:-1] + width / 2 for e in self.edges]) if self.edges else np.empty(0)
        self.origin = np.repeat(np.cumsum(numbers) - numbers, numbers)

    def __len__(self) -> int:
        return len(self.centres)

    def of(self, times: np.ndarray) -> np.ndarray:
        """The bin of each ascending time, -1 for none. Every time inside a stretch has exactly one."""
        found = np.full(len(times), -1, dtype=np.int64)
        first = 0
        for edges in self.edges:
            shifted = edges - self.tolerance * self.width
            low, high = np.searchsorted(times, shifted[[0, -1]])
            found[low:high] = first + np.searchsorted(shifted, times[low:high], side="right") - 1
            first += len(edges) - 1
        return found

    def counts(self, spikes: list[np.ndarray]) -> np.ndarray:
        """[T, U] the number of spikes of every unit in every bin."""
        counts = np.empty((len(self), len(spikes)), dtype=np.float32)
        for unit, times in enumerate(spikes):
            where = self.of(times)
            counts[:, unit] = np.bincount(where[where >= 0], minlength=len(self))
        return counts

    def means(self, times: np.ndarray, values: np.ndarray) -> np.ndarray:
        """[T, F] the mean of the samples inside each bin; if none, a straight line at its centre.

        Sums are of what lies beyond the first sample, so that a large offset costs no digits.
        """
        where = self.of(times)
        inside = where >= 0
        number = np.bincount(where[inside], minlength=len(self))
        empty = number == 0
        means = np.empty((len(self), values.shape[1]))
        for column in range(values.shape[1]):
            first = values[0, column]
            total = np.bincount(where[inside], weights=values[inside, column] - first, minlength=len(self))
            means[:, column] = first + total / np.maximum(number, 1)
            means[empty, column] = np.interp(self.centres[empty], times, values[:, column])
        return means

    def held(self, times: np.ndarray, values: np.ndarray) -> np.ndarray:
        """[T] the mean over each bin of a value [N] that stays as it is until its next time; the first one before."""
        first = values[0]
        until = np.append(times, max(times[-1], self.edges[-1][-1] if self.edges else 0.0))
        total = np.append(0.0, np.cumsum((values - first) * np.diff(until)))
        return first + np.concatenate([np.diff(np.interp(own, until, total)) for own in self.edges]) / self.width

    def integral(self, edges: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """[T] integral over each bin of a rate [G], constant between `edges` [G + 1]."""
        total = np.concatenate([[0.0], np.cumsum(rate * np.diff(edges), dtype=np.float64)])
        return np.concatenate([np.diff(np.interp(own, edges, total)) for own in self.edges])


def totals(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """[U] how many there are in these bins. counts [T, U], of which no large part is copied."""
    parts = (counts[rows[first : first + ROWS]].sum(axis=0, dtype=np.float64) for first in range(0, len(rows), ROWS))
    return sum(parts, np.zeros(counts.shape[1]))
