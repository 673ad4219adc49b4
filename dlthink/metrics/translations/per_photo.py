"""Scores of single photos: what each adds to KID and to means over photos, so that networks are compared pair by pair.

KID is no mean over photos. To first order it moves with photo x_i, made, and y_j, real, by

    made  2 (mean_j!=i k(x_i, x_j) - its mean over i) - 2 (mean_j k(x_i, y_j) - its mean over i)
    real  2 (mean_i!=j k(y_i, y_j) - its mean over j) - 2 (mean_i k(x_i, y_j) - its mean over j)

so KID plus that, of all photos, has the mean KID, and the spread of that mean over other photos is KID's own. A domain
of few photos moves a whole by more each: scores of its photos lie N / n of them further from the mean, N of both
domains. A photo stands in both directions: as what is made into another, and as what others are measured by.
Source: Hoeffding 1948, Annals of Mathematical Statistics 19 (the projection of U-statistics).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dlthink.metrics.translations.kid import MOST, kernel, kids


def influences(made: np.ndarray, real: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """(KID, [n] by how much each made photo moves it, [m] each real one), both with the mean 0."""
    own, theirs, across = kernel(made, made), kernel(real, real), kernel(made, real)
    n, m = across.shape
    of_made = 2 * (own.sum(1) - own.diagonal()) / (n - 1) - 2 * across.mean(1)
    of_real = 2 * (theirs.sum(1) - theirs.diagonal()) / (m - 1) - 2 * across.mean(0)
    return float(kids(made, real, 0)[0]), 100 * (of_made - of_made.mean()), 100 * (of_real - of_real.mean())


def per_photo(
    sources: dict[str, str], real: dict[str, np.ndarray], kept: dict[str, Any], kid: str
) -> dict[str, np.ndarray]:
    """What `Metrics.item_scores` gives; the photos of one domain after those of the other.

    sources  {domain: of which its photos are made}
    real     {domain: [n, d]} features of the photos, whose sum tells a photo from others
    kept     {domain: what is kept of photos made into it}, see `condensed`
    kid      how KID is called
    """
    first, total = {}, 0
    for domain in sources:
        first[domain], total = total, total + len(real[domain])
    found = {
        "item": np.arange(total),
        "weight": np.ones(total),
        "target": np.concatenate([real[domain].sum(1) for domain in sources]),
    }

    def spread(value: float, moved: dict[str, np.ndarray]) -> np.ndarray:
        scores = np.full(total, value)
        for domain, by in moved.items():
            scores[first[domain] : first[domain] + len(by)] += by * (total / len(by))
        return scores

    both = []
    for target, source in sources.items():
        made = np.concatenate(kept[target]["features"][""]).astype(np.float64)
        if min(len(made), len(real[target])) > 1 and max(len(made), len(real[target])) <= MOST:
            value, of_made, of_real = influences(made, real[target])
            both.append(spread(value, {source: of_made, target: of_real}))
            found[f"{kid}_to_{target}"] = both[-1]
        for name, parts in kept[target]["numbers"].items():
            values = np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)
            owner = target if name == "identity_l1" else source
            if len(values) and len(values) == len(real[owner]) and not name.startswith(_baselines(kept[target])):
                found[f"{name}_to_{target}"] = spread(float(values.mean()), {owner: values - values.mean()})
    if len(both) == len(sources):
        found[kid] = np.mean(both, axis=0)
    return {name: values for name, values in found.items() if np.isfinite(values).all()}


def _baselines(made: dict[str, Any]) -> tuple[str, ...]:
    """How numbers of other translations begin."""
    stems = ("psnr", "ssim", "edge_ssim")
    return tuple(f"{stem}{ending}" for ending in made["features"] if ending for stem in stems)
