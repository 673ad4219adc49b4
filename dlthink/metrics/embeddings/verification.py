"""Same person or not? Rates of true and false accepts over pairs, when a pair is accepted up to a squared distance."""

import math

import numpy as np

from dlthink.false_accept_rate import allowed
from dlthink.metrics.embeddings.pair_distances import GRID


class Rates:
    """Of sorted squared distances of pairs of one person (`same`) and of two people (`different`).

    FAR(d) = share of `different` <= d, VAL(d) = share of `same` <= d.
    Source: Schroff, Kalenichenko & Philbin 2015, CVPR (FaceNet), section 4.
    """

    def __init__(self, same: np.ndarray, different: np.ndarray):
        self.same, self.different = np.sort(same), np.sort(different)
        self.defined = bool(len(same) and len(different))

    def limit(self, far: float) -> float:
        """The smallest distance to refuse, so that FAR <= far: accepted is what is nearer. nan where one false accept
        is more than `far`, inf where nothing need be refused."""
        accepted = allowed(far, len(self.different)) if self.defined else 0
        return float(np.append(self.different, np.inf)[accepted]) if accepted else math.nan

    def val_at(self, far: float) -> float:
        """Share of the pairs of one person that are nearer than `limit(far)`."""
        limit = self.limit(far)
        return math.nan if math.isnan(limit) else float(np.searchsorted(self.same, limit)) / len(self.same)

    def threshold(self, far: float) -> float:
        """The largest distance to accept so that FAR <= far, one step of 2^-22 below the first pair to refuse, so that
        nobody's rounding accepts that one; 4, the largest on the sphere, where none need be refused."""
        accepted = allowed(far, len(self.different))
        return float(self.different[accepted]) - 1 / GRID if accepted < len(self.different) else 4.0

    def most_accurate(self) -> float:
        """The distance at which VAL + 1 - FAR is largest, so that both kinds of pairs weigh the same: the middle of the
        gap up to the next pair, of several optima the first; below every pair where nothing is to be accepted."""
        d = np.unique(np.concatenate([self.same, self.different]))
        val, far = (np.searchsorted(x, d, side="right") for x in (self.same, self.different))
        gain = val * len(self.different) - far * len(self.same)  # in whole numbers
        k = int(gain.argmax())
        if gain[k] <= 0:
            return float(d[0]) - 1 / GRID
        return float(d[k] if k + 1 == len(d) else (float(d[k]) + float(d[k + 1])) / 2)

    def at(self, threshold: float) -> tuple[float, float]:
        """(FAR, VAL) when pairs up to `threshold`, that distance included, are accepted."""
        if not self.defined or math.isnan(threshold):
            return math.nan, math.nan
        return self._share(self.different, threshold), self._share(self.same, threshold)

    @staticmethod
    def _share(d: np.ndarray, threshold: float) -> float:
        return float(np.searchsorted(d, np.float32(threshold), side="right")) / len(d)

    @property
    def auc(self) -> float:
        """P(d of one person < d of two people) + 1/2 P(equal)."""
        if not self.defined:
            return math.nan
        nearer = np.searchsorted(self.different, self.same) + np.searchsorted(self.different, self.same, side="right")
        return 1 - float(nearer.sum(dtype=np.float64)) / (2 * len(self.same) * len(self.different))

    @property
    def eer(self) -> float:
        """FAR where it equals 1 - VAL, on the ROC with straight lines between its points."""
        if not self.defined:
            return math.nan
        d = np.unique(self.same)
        wrong = np.concatenate([[1.0], 1 - np.searchsorted(self.same, d, side="right") / len(self.same)])
        below, far = (np.searchsorted(self.different, d, side=s) / len(self.different) for s in ("left", "right"))
        k = int(np.argmax(wrong[1:] <= far))  # the first distance of one person from which more is accepted than lost
        if wrong[k] <= below[k]:
            return float(wrong[k])  # crossed before it, where only pairs of two people are added
        share = (wrong[k] - below[k]) / (wrong[k] - below[k] + far[k] - wrong[k + 1])
        return float(wrong[k] + share * (wrong[k + 1] - wrong[k]))

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """(FAR, VAL) after each false accept up to the last pair: the corners of the ROC, thinned for a log axis."""
        n = len(self.different)
        k = np.unique(np.geomspace(1, n, 600).astype(np.int64)) if n else np.zeros(0, np.int64)
        return k / max(1, n), np.searchsorted(self.same, self.different[k - 1]) / max(1, len(self.same))


def best_threshold(d: np.ndarray, same: np.ndarray) -> float:
    """The threshold of most right answers; of several, the middle of the first gap; -inf if nothing is to be accepted.

    d: [pairs], same: [pairs] bool; accepted is d <= threshold.
    """
    order = np.argsort(d, kind="stable")
    d, gain = d[order], np.where(same[order], 1, -1).cumsum()
    last = np.append(d[1:] > d[:-1], True)  # equal distances are accepted together
    k = int(np.argmax(np.where(last, gain, -len(d) - 1)))
    if gain[k] <= 0:
        return -math.inf
    return float(d[k] if k + 1 == len(d) else (float(d[k]) + float(d[k + 1])) / 2)


def right_answers(d: np.ndarray, same: np.ndarray, threshold: float | None) -> np.ndarray:
    """Whether each pair is answered rightly: [pairs] bool, by d <= threshold; without one, by the best threshold
    of the other nine tenths of these pairs."""
    if threshold is not None:
        return (d <= np.float32(threshold)) == same
    right = np.zeros(len(d), bool)
    tenth = np.random.default_rng(0).permutation(len(d)) % 10
    for k in range(10):
        other, own = tenth != k, tenth == k
        right[own] = (d[own] <= best_threshold(d[other], same[other]) if other.any() else False) == same[own]
    return right
