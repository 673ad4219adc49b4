"""Who is it? The nearest photos of a probe, and the nearest of one photo per person; equal distances count against."""

import numpy as np

from dlthink.metrics.embeddings.pair_distances import Pairs


def nearest(pairs: Pairs) -> dict[str, np.ndarray]:
    """For each photo that has a partner, in the order of `pairs`; everybody else's photos are in the gallery.

    person       [probes] whose photo it is
    recall_at_1  1 where the nearest other photo is of that person; recall_at_5: one of the nearest five
    map_at_r     (1/R) sum over r = 1 .. R of [r-th nearest is of that person] * precision(r), R: its partners
                 Source: Musgrave, Belongie & Lim 2020, ECCV (A Metric Learning Reality Check), section 3.2.
    """
    person, first, average = [], [], []
    for k in (pairs.size > 1).nonzero()[0]:
        start, stop = pairs.start[k], pairs.stop[k]
        partners = stop - start - 1
        block = pairs.d[start:stop]
        own = block[:, start:stop][~np.eye(stop - start, dtype=bool)].reshape(-1, partners)
        strangers = np.sort(np.concatenate([block[:, :start], block[:, stop:]], axis=1), axis=1)
        own.sort(axis=1)
        before = np.stack([np.searchsorted(s, o, side="right") for s, o in zip(strangers, own, strict=True)])
        found = np.arange(1, partners + 1)
        rank = found + before
        person += [k] * len(own)
        first.append(before[:, 0])
        average.append(np.where(rank <= partners, found / rank, 0.0).sum(1) / partners)
    strangers_before = np.concatenate([*first, np.zeros(0, np.int64)])
    return {
        "person": np.array(person, np.int64),
        "recall_at_1": (strangers_before < 1).astype(np.float64),
        "recall_at_5": (strangers_before < 5).astype(np.float64),
        "map_at_r": np.concatenate([*average, np.zeros(0)]),
    }


def one_shot(pairs: Pairs, draws: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Right answers and probes of each person: [people] twice, together over all draws.

    A draw takes one photo of each person at random as the gallery; every other photo is a probe, and its answer is the
    person of the nearest gallery photo. People with one photo are in the gallery only.
    """
    chance = np.random.default_rng(seed)
    right = np.zeros(pairs.people)
    at = np.arange(len(pairs))
    for _ in range(draws):
        gallery = pairs.start + (chance.random(pairs.people) * pairs.size).astype(np.int64)
        d = pairs.d[gallery]
        own = d[pairs.person, at]
        d[pairs.person, at] = np.inf
        hit = own < d.min(0, initial=np.inf)
        hit[gallery] = False
        right += np.bincount(pairs.person, hit, minlength=pairs.people)
    return right, draws * (pairs.size - 1.0)
