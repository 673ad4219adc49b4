"""The probe never judges what it has seen: no signal is chance, a signal is found, its ridge is the best of its own."""

import math

import numpy as np
import pytest

from dlthink.metrics.translations import probe
from dlthink.metrics.translations.probe import Probe, fitted


def seasons(n=60, m=40, d=200, shift=0.0, seed=0):
    chance = np.random.default_rng(seed)
    summer, winter = chance.normal(size=(n, d)), chance.normal(size=(m, d))
    winter[:, :5] += shift
    return summer, winter


def named(summer, winter):
    return {"summer": summer, "winter": winter}


def test_without_a_signal_it_is_chance_although_it_could_fit_everything():
    shares = []
    for seed in range(20):
        found = Probe(named(*seasons(seed=seed)))
        shares.append((found.ceiling("summer") + found.ceiling("winter")) / 2)
    assert abs(np.mean(shares) - 0.5) < 0.04


def test_a_signal_is_found_and_untouched_photos_are_the_other_season():
    summer, winter = seasons(shift=3.0)
    found = Probe(named(summer, winter))
    assert found.ceiling("summer") > 0.9 and found.ceiling("winter") > 0.9
    assert found.share(summer, "summer", "winter") == pytest.approx(1 - found.ceiling("summer"))
    assert found.share(winter[:1].repeat(60, 0), "summer", "winter") in (0, 1) or found.share(
        summer + 9, "summer", "winter"
    )


def test_a_translated_photo_is_judged_by_the_probe_that_has_not_seen_its_source():
    summer, winter = seasons(d=300)
    found = Probe(named(summer, winter))
    for k, (weight, middle) in enumerate(found.fits):
        weight2, middle2 = fitted(summer[found.fold["summer"] != k], winter[found.fold["winter"] != k])
        assert np.array_equal(weight, weight2) and middle == middle2
    judged = [
        float(summer[i] @ found.fits[found.fold["summer"][i]][0] > found.fits[found.fold["summer"][i]][1])
        for i in range(60)
    ]
    assert found.share(summer, "summer", "winter") == pytest.approx(np.mean(judged))
    assert sorted(np.bincount(found.fold["summer"])) == [12] * 5


def test_the_fit_is_weighted_ridge_regression_with_a_free_threshold(monkeypatch):
    summer, winter = seasons(30, 20, 6, shift=1.0)
    monkeypatch.setattr(probe, "RIDGES", np.array([0.1]))
    weight, middle = fitted(summer, winter)
    x, y = np.concatenate([summer, winter]), np.repeat([-1.0, 1.0], [30, 20])
    w = np.repeat([1 / 30, 1 / 20], [30, 20])
    centred = x - (summer.mean(0) + winter.mean(0)) / 2
    scale = 0.1 * np.trace(centred * w[:, None] @ centred.T) / 50
    design = np.concatenate([x, np.ones((50, 1))], 1)
    penalty = scale * np.diag([1.0] * 6 + [0.0])
    expected = np.linalg.solve(design.T @ (design * w[:, None]) + penalty, design.T @ (w * y))
    assert weight == pytest.approx(expected[:6], rel=1e-8)
    assert middle == pytest.approx(-expected[6], rel=1e-8)


def test_the_ridge_has_the_smallest_leave_one_out_error(monkeypatch):
    summer, winter = seasons(14, 10, 30, shift=0.7)
    chosen = fitted(summer, winter)[0]
    errors = {}
    every = probe.RIDGES
    x = np.concatenate([summer, winter])
    y, w = np.repeat([-1.0, 1.0], [14, 10]), np.repeat([1 / 14, 1 / 10], [14, 10])
    centred = x - (summer.mean(0) + winter.mean(0)) / 2
    mean = np.trace(centred * w[:, None] @ centred.T) / 24
    for ridge in every:
        error = 0.0
        for i in range(24):
            keep = np.arange(24) != i
            design = np.concatenate([x, np.ones((24, 1))], 1)
            penalty = ridge * mean * np.diag([1.0] * 30 + [0.0])
            a = design[keep].T @ (design[keep] * w[keep, None]) + penalty
            made = np.linalg.solve(a, design[keep].T @ (w * y)[keep])
            error += w[i] * (y[i] - design[i] @ made) ** 2
        errors[ridge] = error
    best = min(errors, key=errors.get)
    monkeypatch.setattr(probe, "RIDGES", np.array([best]))
    assert fitted(summer, winter)[0] == pytest.approx(chosen, rel=1e-9)
    assert best not in (every[0], every[-1])


def test_too_little_and_not_finite_is_nan():
    summer, winter = seasons(5, 5, 4)
    for few in ((summer[:1], winter), (summer, winter[:0]), (summer * np.nan, winter)):
        found = Probe(named(*few))
        assert not found.defined and math.isnan(found.ceiling("winter"))
    found = Probe(named(summer[:2], winter))
    assert found.defined and math.isnan(found.share(summer[:2] * np.nan, "summer", "winter"))
    flat = Probe(named(np.ones((5, 3)), np.ones((5, 3))))
    assert flat.ceiling("winter") == flat.ceiling("summer") == 0


def test_of_many_photos_the_fit_is_that_by_their_features():
    """Columns of zeros change nothing but the way in which it is worked out."""
    for shift, seed in ((0.0, 1), (1.0, 2), (3.0, 3)):
        few = seasons(60, 40, 12, shift=shift, seed=seed)
        few = [np.concatenate([x, x[:, :2] @ np.ones((2, 3))], 1) for x in few]  # some directions have no length
        many = [np.concatenate([x, np.zeros((len(x), 100))], 1) for x in few]
        (weight, middle), (weight2, middle2) = fitted(*few), fitted(*many)
        np.testing.assert_allclose(weight, weight2[: len(weight)], rtol=1e-8, atol=1e-10)
        assert middle == pytest.approx(middle2, rel=1e-8, abs=1e-10)
