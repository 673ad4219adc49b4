"""Of which domain? A linear classifier that never judges a photo it has seen."""

from __future__ import annotations

import math

import numpy as np

FOLDS = 5
RIDGES = 10.0 ** np.arange(-4, 3)  # of the mean eigenvalue
NOTHING = 1e-12  # of the largest eigenvalue, far below every ridge


class Probe:
    """Ridge regression to -1 (the first domain) and +1 (the second) on features, both weighing the same, cross-fitted.

    Real photos are dealt into 5 folds by chance (seeded); that of each fold is fitted to the others. The ridge has the
    smallest leave-one-out error among these (seven values, by the closed formula). What was made of photo i is judged
    by the classifier of i's fold, which has not seen i. `defined`: two photos of each domain.

    Source: Hoerl & Kennard 1970, Technometrics 12; Allen 1974, Technometrics 16 (leave-one-out).
    """

    def __init__(self, real: dict[str, np.ndarray], seed: int = 0):
        self.real, self.sign = real, dict(zip(real, (-1, 1), strict=True))
        folds = min(FOLDS, *map(len, real.values()))
        self.defined = folds > 1 and all(bool(np.isfinite(x).all()) for x in real.values())
        if not self.defined:
            return
        chance = np.random.default_rng(seed)
        self.fold = {domain: chance.permutation(len(x)) % folds for domain, x in self.real.items()}
        self.fits = [fitted(*(x[self.fold[domain] != k] for domain, x in self.real.items())) for k in range(folds)]

    def share(self, photos: np.ndarray, source: str, target: str) -> float:
        """Share of `photos`, made of the photos of `source` in their order, that look like `target`."""
        if not self.defined or not np.isfinite(photos).all():
            return math.nan
        right = 0
        for k, (weight, middle) in enumerate(self.fits):
            right += int((self.sign[target] * (photos[self.fold[source] == k] @ weight - middle) > 0).sum())
        return right / len(photos)

    def ceiling(self, domain: str) -> float:
        """Share of the real photos of a domain that look like it."""
        return self.share(self.real[domain], domain, domain)


def fitted(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and threshold: the second domain where features @ weights > threshold."""
    centre = (first.mean(0) + second.mean(0)) / 2
    root = np.concatenate([np.full(len(x), 1 / math.sqrt(len(x))) for x in (first, second)])
    x = (np.concatenate([first, second]) - centre) * root[:, None]
    y = np.repeat([-1.0, 1.0], [len(first), len(second)]) * root
    values, vectors = _spectrum(x)
    scale = max(values.sum() / len(x), 1e-12)
    turned = vectors.T @ y
    rest, outside = y - vectors @ turned, (1 - (vectors**2).sum(1)).clip(0)  # where photos have no length
    best = (math.inf, None)
    for ridge in RIDGES * scale:
        inverse = 1 / (values.clip(0) + ridge)
        dual = vectors @ (inverse * turned) + rest / ridge
        # the threshold is fitted, too: without its direction in G^-1, along which the centred photos have no length
        left_out = dual / (vectors**2 @ inverse + outside / ridge - root**2 / (2 * ridge))
        error = float((left_out**2).sum())
        if error < best[0]:
            best = (error, dual)
    weight = x.T @ best[1]
    return weight, float(centre @ weight)


def _spectrum(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors [n, r] of x x', of which all others are 0; by the smaller of x x' and x' x, since of
    thousands of photos the one takes half a gigabyte. x [n, d]"""
    n, d = x.shape
    if n <= d:
        return np.linalg.eigh(x @ x.T)
    values, across = np.linalg.eigh(x.T @ x)
    some = values > NOTHING * max(values[-1], 1e-300)
    return values[some], x @ across[:, some] / np.sqrt(values[some])
