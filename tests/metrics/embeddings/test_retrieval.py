"""Neighbours and one-shot answers against slow loops, ties counted against, and closed forms."""

import numpy as np
import pytest
import torch

from dlthink.metrics.embeddings.pair_distances import Pairs
from dlthink.metrics.embeddings.retrieval import nearest, one_shot
from tests.metrics.embeddings.made_people import collapsed, loop, people, perfect, tied

MADE = {"people": people(), "noisy": people(noise=1.5), "tied": tied(), "perfect": perfect(), "collapsed": collapsed()}


def slow_nearest(embedding, y):
    """(recall@1, recall@5, MAP@R) of each photo with a partner, by (person, values)."""
    d, _ = loop(embedding, y)
    who, made = y.tolist(), []
    for i in range(len(who)):
        partners = who.count(who[i]) - 1
        if not partners:
            continue
        # of equal distances, strangers first
        order = sorted((j for j in range(len(who)) if j != i), key=lambda j: (d[i][j], who[j] == who[i]))
        hits = [who[j] == who[i] for j in order]
        precision = [sum(hits[: r + 1]) / (r + 1) * hits[r] for r in range(partners)]
        made.append((who[i], float(hits[0]), float(any(hits[:5])), sum(precision) / partners))
    return sorted(made)


@pytest.mark.parametrize("name", MADE)
def test_neighbours_equal_a_loop(name):
    embedding, y = MADE[name]
    pairs = Pairs(embedding, y)
    made = nearest(pairs)
    who = y.unique().numpy()[made["person"]]
    mine = sorted(zip(who, made["recall_at_1"], made["recall_at_5"], made["map_at_r"], strict=True))
    np.testing.assert_allclose(mine, slow_nearest(embedding, y), atol=1e-12)


@pytest.mark.parametrize("name", ["people", "noisy", "tied"])
def test_one_shot_equals_a_loop(name):
    embedding, y = MADE[name]
    pairs = Pairs(embedding, y)
    right, asked = one_shot(pairs, 7, seed=3)
    e = embedding.double()[torch.from_numpy(pairs.rows)]
    d = (((e[:, None] - e[None]) ** 2).sum(-1) * 2**22).round()
    chance = np.random.default_rng(3)
    expected = np.zeros(pairs.people)
    for _ in range(7):
        gallery = [s + int(u * k) for s, u, k in zip(pairs.start, chance.random(pairs.people), pairs.size, strict=True)]
        assert [pairs.person[g] for g in gallery] == list(range(pairs.people))
        for i in set(range(len(pairs))) - set(gallery):
            own = d[i, gallery[pairs.person[i]]]
            expected[pairs.person[i]] += all(own < d[i, g] for k, g in enumerate(gallery) if k != pairs.person[i])
    assert right.tolist() == expected.tolist()
    assert asked.tolist() == (7 * (pairs.size - 1)).tolist()


def test_closed_forms():
    right, asked = one_shot(Pairs(*perfect()), 5)
    assert (right == asked).all()
    right, _ = one_shot(Pairs(*collapsed()), 5)
    assert not right.any()
    embedding, y = people(600, 10)
    blind = Pairs(embedding[torch.randperm(600, generator=torch.Generator().manual_seed(0))], y)
    right, asked = one_shot(blind, 50)
    assert right.sum() / asked.sum() == pytest.approx(0.1, abs=0.02)  # one of ten people by chance


@pytest.mark.parametrize("y", [[], [1], [1, 2, 3]])
def test_nobody_with_two_photos(y):
    pairs = Pairs(torch.eye(8)[: len(y)], torch.tensor(y, dtype=torch.long))
    assert not len(nearest(pairs)["person"])
    assert one_shot(pairs, 3)[1].sum() == 0
