"""KID against its definition, unbiased also under draws, with an interval that holds what it promises."""

import math

import numpy as np
import pytest

from dlthink.metrics.translations.kid import drawn, interval, kernel, kids
from tests.metrics.translations.made_seasons import kid


def sets(n, m, seed=0, shift=0.0, d=8):
    chance = np.random.default_rng(seed)
    return chance.normal(size=(n, d)), chance.normal(size=(m, d)) + shift


def loop(x, y):
    k = lambda a, b: (a @ b / len(a) + 1) ** 3  # noqa: E731
    within = [np.mean([k(a, b) for i, a in enumerate(s) for j, b in enumerate(s) if i != j]) for s in (x, y)]
    return 100 * (sum(within) - 2 * np.mean([k(a, b) for a in x for b in y]))


def test_kid_is_its_definition():
    x, y = sets(9, 6, shift=0.3)
    assert kid(x, y)[0] == pytest.approx(loop(x, y), rel=1e-10)
    assert kid(y, x)[0] == pytest.approx(kid(x, y)[0], rel=1e-10)


def test_a_kernel_in_pieces_is_the_whole(monkeypatch):
    x, y = sets(9, 6, shift=0.3)
    whole = kids(x, y, 5)
    monkeypatch.setattr("dlthink.metrics.translations.kid.ROWS", 4)
    np.testing.assert_allclose(kids(x, y, 5), whole, rtol=1e-10)


def test_sets_of_one_kind_are_at_zero_on_average_and_others_are_not():
    same = [kid(*sets(20, 15, seed), draws=0)[0] for seed in range(300)]
    error = np.std(same) / math.sqrt(len(same))
    assert abs(np.mean(same)) < 3 * error
    assert min(same) < 0 < max(same)
    apart = [kid(*sets(20, 15, seed, shift=0.5), draws=0)[0] for seed in range(50)]
    assert np.mean(apart) > 10 * error


def test_a_draw_weighs_photos_and_never_pairs_one_with_its_own_copy():
    x, y = sets(7, 5, shift=0.2)
    chance = np.random.default_rng(3)
    u, v = drawn(7, 1, chance)[0], drawn(5, 1, chance)[0]
    kxx, kyy, kxy = kernel(x, x), kernel(y, y), kernel(x, y)

    def within(k, w):
        pairs = [(i, j) for i in range(len(w)) for j in range(len(w)) if i != j]
        return sum(w[i] * w[j] * k[i, j] for i, j in pairs) / sum(w[i] * w[j] for i, j in pairs)

    by_hand = 100 * (within(kxx, u) + within(kyy, v) - 2 * (u @ kxy @ v) / (u.sum() * v.sum()))
    _, low, high = kid(x, y, draws=1, seed=3)
    assert low == high == pytest.approx(by_hand, rel=1e-10)
    assert u.sum() == 7 and set(u) != {1.0}


def test_of_two_sets_as_large_the_same_photos_are_drawn():
    x, y = sets(40, 30, shift=0.5)
    both = [kids(some, y, 200) for some in (x, 0.9 * x)]
    assert np.corrcoef(*(values[1:] for values in both))[0, 1] > 0.95
    assert (both[0] - both[1]).std() < 0.5 * min(values.std() for values in both)
    assert interval(both[0][1:]) == kid(x, y, 200)[1:]


def test_draws_lie_around_the_number_itself():
    x, y = sets(60, 60, shift=0.3)
    point, low, high = kid(x, y, draws=400)
    assert low < point < high
    assert kid(x, y, draws=400) == (point, low, high)
    assert abs((low + high) / 2 - point) < 0.25 * (high - low)


def test_the_interval_covers():
    truth = np.mean([kid(*sets(60, 60, seed, shift=0.6), draws=0)[0] for seed in range(1000, 1300)])
    ends = [kid(*sets(60, 60, seed, shift=0.6), draws=100)[1:] for seed in range(100)]
    assert 0.88 <= np.mean([low <= truth <= high for low, high in ends]) <= 1


def test_too_little_and_not_finite_is_nan():
    x, y = sets(5, 5)
    for a, b in ((x[:1], y), (x, y[:1]), (x[:0], y), (np.full_like(x, np.nan), y), (x, np.full_like(y, np.inf))):
        assert all(math.isnan(number) for number in kid(a, b))
    assert math.isfinite(kid(x[:2], y[:2])[0])
