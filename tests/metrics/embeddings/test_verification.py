"""Rates of accepts against sklearn, a loop over thresholds, and closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_auc_score, roc_curve

from dlthink.losses.embeddings._threshold import most_accurate, threshold
from dlthink.metrics.embeddings.bootstrap import Resampled
from dlthink.metrics.embeddings.metrics import Embeddings
from dlthink.metrics.embeddings.pair_distances import Pairs, some_people
from dlthink.metrics.embeddings.verification import Rates, best_threshold, right_answers
from tests.metrics.embeddings.made_people import collapsed, loop, people, perfect, tied

MADE = {"people": people(), "noisy": people(noise=1.5), "tied": tied(), "perfect": perfect(), "collapsed": collapsed()}


def rates(embedding, y):
    pairs = Pairs(embedding, y)
    return Rates(pairs.same, pairs.different)


@pytest.mark.parametrize("name", MADE)
def test_pairs_are_those_of_a_loop(name):
    embedding, y = MADE[name]
    pairs = Pairs(embedding, y)
    _, table = loop(embedding, y)
    for mine, same in ((pairs.same, True), (pairs.different, False)):
        np.testing.assert_allclose(np.sort(mine), sorted(d for d, s in table if s == same), atol=3e-7)
    who = y.numpy()[pairs.rows]
    i, j = pairs.places(np.arange(len(pairs.different)))
    assert (who[i] != who[j]).all()
    assert (pairs.d[i, j] == pairs.different).all()
    assert len(
        set(zip(i.tolist(), j.tolist(), strict=True)) | set(zip(j.tolist(), i.tolist(), strict=True))
    ) == 2 * len(i)
    i, j = pairs.same_at
    assert (who[i] == who[j]).all() and (i != j).all() and (pairs.d[i, j] == pairs.same).all()


def test_probes_meet_every_photo_but_their_own():
    embedding, y = people()
    probe, _ = people(noise=0.9)
    pairs = Pairs(embedding, y, probe=probe)
    d = ((probe.double()[:, None] - embedding.double()[None]) ** 2).sum(-1)
    same = (y[:, None] == y[None]) & ~torch.eye(len(y), dtype=torch.bool)
    np.testing.assert_allclose(np.sort(pairs.same), d[same].sort().values, atol=3e-7)
    np.testing.assert_allclose(np.sort(pairs.different), d[y[:, None] != y[None]].sort().values, atol=3e-7)
    i, j = pairs.places(np.arange(len(pairs.different)))
    assert (pairs.d[i, j] == pairs.different).all() and (pairs.person[i] != pairs.person[j]).all()
    assert pairs.number_different(np.ones(pairs.people)) == len(pairs.different)


def test_weighted_number_of_pairs_equals_a_loop():
    pairs = Pairs(*people(60, 9))
    weight = np.array([0, 1, 2, 3, 0, 1, 1, 0, 4])
    i, j = pairs.places(np.arange(len(pairs.different)))
    each = weight[pairs.person[i]] * weight[pairs.person[j]]
    assert pairs.number_different(weight) == each.sum()
    on = np.arange(60) % 3 > 0
    assert pairs.number_different(weight, on) == each[on[i] & on[j]].sum()


@pytest.mark.parametrize("name", MADE)
def test_auc_and_eer_are_sklearns(name):
    _, table = loop(*MADE[name])
    made = rates(*MADE[name])
    d, same = np.array([d for d, _ in table], np.float32), np.array([s for _, s in table])
    assert made.auc == pytest.approx(roc_auc_score(same, -d), abs=1e-6)
    far, val, _ = roc_curve(same, -d, drop_intermediate=False)
    eer = brentq(lambda x: 1 - x - interp1d(far, val)(x), 0, 1)
    assert made.eer == pytest.approx(eer, abs=1e-5)


@pytest.mark.parametrize("far", [0.3, 1e-1, 1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize("name", MADE)
def test_val_at_far_is_the_best_of_all_thresholds(name, far):
    _, table = loop(*MADE[name])
    different, same = (np.sort([d for d, s in table if s == w]) for w in (False, True))
    vals = [-0.0]
    for t in np.unique(np.concatenate([different, same])):
        if (different <= t).mean() <= far:
            vals.append((same <= t).mean())
    value = rates(*MADE[name]).val_at(far)
    if far * len(different) < 1:
        assert math.isnan(value)
    else:
        assert value == pytest.approx(max(vals), abs=1e-6)


def test_a_far_of_whole_pairs_is_not_lost_to_rounding():
    for n in range(100, 6000, 100):
        d = np.arange(n, dtype=np.float32)
        assert Rates(np.ones(1), d).limit(0.01) == n // 100
    assert Rates(np.ones(1), np.arange(2900)).limit(0.29) == 841
    assert Rates(np.ones(1), np.arange(20)).limit(0.1 - 1e-12) == 1, "two of 20 would be more"
    assert Rates(np.ones(1), np.arange(20)).limit(1) == math.inf


def test_a_drawn_far_is_kept_to_the_pair():
    """The same in every draw of people, where pairs have weights."""
    pairs = Pairs(*people(60, 9))
    rates, n = Rates(pairs.same, pairs.different), len(pairs.different)
    nearer = np.searchsorted(rates.same, rates.different)
    k = int(np.argmax(nearer[1:40] > nearer[:39])) + 1  # one accept more is seen in the share
    for far in (k / n, k / n * (1 - 1e-12)):
        assert Resampled(pairs).val_at(far, np.ones(pairs.people)) == rates.val_at(far)
    assert rates.val_at(k / n) > rates.val_at(k / n * (1 - 1e-12))


def test_rates_at_a_threshold_include_it():
    one = Rates(np.array([0.5, 1.0, 2.0]), np.array([1.0, 1.5, 3.0, 4.0]))
    assert one.at(1.0) == (0.25, 2 / 3)
    assert one.at(0.0) == (0, 0)
    assert all(math.isnan(v) for v in one.at(math.nan))


def test_closed_forms():
    assert (rates(*perfect()).auc, rates(*perfect()).eer, rates(*perfect()).val_at(1e-2)) == (1, 0, 1)
    assert (rates(*collapsed()).auc, rates(*collapsed()).eer, rates(*collapsed()).val_at(1e-2)) == (0.5, 0.5, 0)
    embedding, y = people(1000, 50)
    blind = rates(embedding[torch.randperm(1000, generator=torch.Generator().manual_seed(0))], y)
    assert blind.auc == pytest.approx(0.5, abs=0.02)
    assert blind.eer == pytest.approx(0.5, abs=0.02)
    assert blind.val_at(1e-2) == pytest.approx(0.01, abs=0.006)


def test_curve_is_on_the_roc():
    made = rates(*people())
    far, val = made.curve()
    for f, v in zip(far[:-1], val[:-1], strict=True):
        k = round(f * len(made.different))
        assert v == (made.same < made.different[k - 1]).mean()
    assert far[-1] == 1


@pytest.mark.parametrize("y", [[], [1], [1, 1, 1], [1, 2, 3]])
def test_without_both_kinds_of_pairs_nothing_is_defined(y):
    made = rates(torch.eye(8)[: len(y)], torch.tensor(y, dtype=torch.long))
    assert all(math.isnan(v) for v in (made.auc, made.eer, made.val_at(0.5), *made.at(1.0)))


def test_best_threshold_equals_a_loop():
    chance = np.random.default_rng(0)
    for _ in range(40):
        d = chance.integers(0, 6, 15) / 4
        same = chance.random(15) < 0.6 - 0.3 * (d > 0.7)
        best = max(((d <= t) == same).sum() for t in [-1.0, *d])
        assert ((d <= best_threshold(d, same)) == same).sum() == best


def test_without_a_threshold_no_pair_decides_about_itself():
    chance = np.random.default_rng(0)
    d, same = chance.random(400), chance.random(400) < 0.5
    assert right_answers(d, same, None).mean() == pytest.approx(0.5, abs=0.07)  # nothing to learn, nothing learnt
    d = np.where(same, 0.2, 0.9) + 0.1 * d
    assert right_answers(d, same, None).all()
    assert right_answers(d, same, 0.0).mean() == (~same).mean()


def test_many_photos_are_cut_by_person_and_not_by_photo():
    y = people(400, 60)[1].numpy()
    rows = some_people(y, 100)
    assert 60 < len(rows) <= 100
    for who in np.unique(y[rows]):
        assert (y[rows] == who).sum() == (y == who).sum()
    assert (some_people(y, 400) == np.arange(400)).all()


@pytest.mark.parametrize("giant", [0, 5, 299])
def test_somebody_with_too_many_photos_does_not_end_the_choice(giant):
    """One of 300 people has 5,000 photos, the others ten each: all of these are examined."""
    sizes = np.full(300, 10)
    sizes[giant] = 5000
    rows = some_people(np.repeat(np.arange(300), sizes), 4000)
    assert len(rows) == 2990


def test_of_few_people_with_many_photos_some_photos_of_each():
    for sizes in ([5000, 4500], [5000, 1, 1], [9000, *[1] * 5000]):
        y = np.repeat(np.arange(len(sizes)), sizes)
        rows = some_people(y, 4000)
        assert len(np.unique(rows)) == len(rows) <= 4000 and (some_people(y, 4000) == rows).all()
        people_, photos = np.unique(y[rows], return_counts=True)
        assert len(people_) > 1 and photos.max() > 1


@pytest.mark.parametrize("name", MADE)
def test_thresholds_of_the_examination_are_those_that_a_cost_would_fit(name):
    """A cost that reads none gets the same from the examination, digit for digit."""
    embedding, y = MADE[name]
    embedding = torch.nn.functional.normalize(embedding, dim=1)
    fitted = Embeddings().fit_on_validation({"embedding": embedding}, y)
    assert fitted["threshold"] == float(threshold(embedding, y, 1e-3))
    assert fitted["accuracy_threshold"] == float(most_accurate(embedding, y))
    assert Embeddings().fit_on_validation({"embedding": embedding, "threshold": torch.tensor(1.0)}, y) == {}
    assert Embeddings().fit_on_validation({"embedding": embedding * math.nan}, y) == {}
    assert Embeddings().fit_on_validation({"embedding": embedding}, torch.zeros_like(y)) == {}
