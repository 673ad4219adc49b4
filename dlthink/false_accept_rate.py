"""False accepts: how many a rate allows. Costs fit a threshold by it, and the examination counts by it: one rule."""

from torch import Tensor


def allowed(rate: float, pairs: float) -> int:
    """The largest whole k with k / pairs <= rate: 3 of 300 at 0.01, 0 of 10 at a hair below 0.1."""
    k = min(int(rate * pairs) + 1, int(pairs))  # rounding puts it one beside at most
    while k and k / pairs > rate:
        k -= 1
    return k


def different_pairs(y: Tensor) -> int:
    """Pairs of samples of two people. y: [n] identities."""
    count = y.unique(return_counts=True)[1]
    return (len(y) ** 2 - int((count**2).sum())) // 2
