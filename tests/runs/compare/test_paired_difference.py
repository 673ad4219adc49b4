"""Paired differences: against scipy's t tests and slow loops, and how often their intervals hold the truth."""

import math

import numpy as np
import pytest
from scipy import stats

from dlthink.runs.compare.paired_difference import Difference, holm, over_both, over_parts, over_runs

rng = np.random.default_rng


def test_over_runs_is_students_paired_t():
    d = rng(0).normal(0.3, 1, 6)
    mine, theirs = over_runs(d), stats.ttest_1samp(d, 0)
    assert mine.mean == pytest.approx(d.mean()) and mine.p == pytest.approx(theirs.pvalue, rel=1e-7)
    low, high = theirs.confidence_interval(0.95)
    assert mine.half_width() == pytest.approx((high - low) / 2, rel=1e-9)


def test_one_run_alone_knows_no_error_but_over_its_items():
    alone = over_runs([0.5])
    assert not alone.known and math.isnan(alone.p) and math.isnan(alone.half_width()) and alone.runs_to_tell() is None
    d = rng(1).normal(0.2, 1, (1, 40))
    mine, theirs = over_both(d, np.ones(40)), stats.ttest_1samp(d[0], 0)
    assert mine.p == pytest.approx(theirs.pvalue, rel=1e-7) and mine.of_runs is None


def test_mean_squares_equal_those_of_a_loop():
    d = rng(2).normal(0, 1, (3, 5)) + rng(3).normal(0, 2, 5)
    mean, by_run, by_item = d.mean(), d.mean(1), d.mean(0)
    runs = sum(5 * (a - mean) ** 2 for a in by_run) / 2
    items = sum(3 * (b - mean) ** 2 for b in by_item) / 4
    rest = sum((d[s, i] - by_run[s] - by_item[i] + mean) ** 2 for s in range(3) for i in range(5)) / 8
    mine = over_both(d, np.ones(5))
    assert mine.of_runs == (pytest.approx(runs / 15), 2) and mine.of_items == (pytest.approx((items - rest) / 15), 4)
    t = [stats.t.ppf(0.975, freedom) for freedom in (2, 4)]
    assert mine.half_width() == pytest.approx(math.sqrt(t[0] ** 2 * runs / 15 + t[1] ** 2 * (items - rest) / 15))


def test_items_that_differ_less_than_chance_would_have_it_add_no_variance():
    d = np.array([[1.0, -1.0, 1.0, -1.0], [-1.0, 1.0, -1.0, 1.0]])  # all of it is the rest
    assert over_both(d, np.ones(4)).of_items == (0.0, 3) and over_both(d, np.ones(4)).half_width() == 0


def test_an_item_counts_by_its_weight():
    d, weight = rng(4).normal(0, 1, (2, 6)), np.array([1.0, 2, 3, 4, 5, 6])
    assert over_both(d, weight).mean == pytest.approx(np.average(d.mean(0), weights=weight))
    # an item of weight 2 is not two items: their errors are one
    once, twice = over_both(d[:1], np.ones(6)), over_both(d[:1], 2 * np.ones(6))
    assert once.half_width() == pytest.approx(twice.half_width())


@pytest.mark.parametrize("runs, items, of_runs, of_items", [(5, 20, 0.0, 1.0), (5, 20, 0.3, 1.0), (3, 100, 0.3, 0.3)])
def test_intervals_hold_the_truth_as_often_as_they_say(runs, items, of_runs, of_items):
    chance, hits, n = rng(5), 0, 800
    for _ in range(n):
        d = (
            chance.normal(0, of_runs, (runs, 1))
            + chance.normal(0, of_items, items)
            + chance.normal(0, 1, (runs, items))
        )
        made = over_both(d, np.ones(items))
        hits += abs(made.mean) <= made.half_width()
    assert 0.93 <= hits / n <= 0.98


def test_of_ten_equal_costs_one_looks_better_beyond_doubt_seldom():
    chance, wrong, n = rng(6), 0, 300
    for _ in range(n):
        scores = chance.normal(0, 1, 30) + chance.normal(0, 0.5, (10, 5, 1)) + chance.normal(0, 1, (10, 5, 30))
        best = scores.mean((1, 2)).argmax()
        others = [over_both(scores[k] - scores[best], np.ones(30)).p for k in range(10) if k != best]
        wrong += min(p for p, _ in holm(others, 45)) < 0.05
    assert wrong / n <= 0.05


@pytest.mark.parametrize("costs, runs", [(4, 3), pytest.param(8, 5, marks=pytest.mark.slow)])
def test_of_costs_of_which_half_are_equal_these_are_seldom_told_apart(costs, runs):
    """The others differ, in what they are worth and in how much chance moves them."""
    chance, wrong, held, n, items = rng(7), 0, 0, 400, 30
    pairs = [(a, b) for a in range(costs) for b in range(a)]
    worth = np.repeat([0.0, 1.0], costs // 2) * np.arange(costs)
    moved = np.linspace(0.2, 0.8, costs)[:, None, None]
    for _ in range(n):
        scores = worth[:, None, None] + chance.normal(0, 1, items) + chance.normal(0, 0.5, (costs, 1, items))
        scores = scores + moved * chance.normal(0, 1, (costs, runs, 1)) + chance.normal(0, 1, (costs, runs, items))
        made = [over_both(scores[a] - scores[b], np.ones(items)) for a, b in pairs]
        judged = holm([d.p for d in made])
        wrong += any(p < 0.05 and worth[a] == worth[b] for (p, _), (a, b) in zip(judged, pairs, strict=True))
        for d, (p, doubt), (a, b) in zip(made, judged, pairs, strict=True):
            half = d.half_width(doubt)
            assert (half < abs(d.mean)) == (p < 0.05)  # words and intervals say the same
            held += abs(d.mean - worth[a] + worth[b]) <= half
    assert wrong / n <= 0.05
    assert 0.95 <= held / n / len(pairs) < 1


def test_folds_are_parts_whose_variances_add_up():
    parts = [over_both(rng(k).normal(k, 1, (3, 8)), np.ones(8)) for k in range(4)]
    whole = over_parts(parts)
    assert whole.mean == pytest.approx(np.mean([p.mean for p in parts])) and (whole.runs, whole.items) == (12, 32)
    assert whole.of_runs == (pytest.approx(sum(p.of_runs[0] for p in parts) / 16), 8)
    assert whole.of_items == (pytest.approx(sum(p.of_items[0] for p in parts) / 16), 28)
    # each fold trained once: the folds are the repetitions
    once = [over_both(rng(k).normal(k, 1, (1, 8)), np.ones(8)) for k in range(4)]
    assert over_parts(once).p == pytest.approx(over_runs([p.mean for p in once]).p)
    assert over_parts(parts[:1]) is parts[0]


def test_no_difference_at_all_and_one_without_any_noise():
    assert over_runs([0.0, 0.0]).p == 1.0 and over_runs([1.0, 1.0]).p < 1e-11
    assert math.isnan(over_runs([1.0, math.nan]).p)


def test_how_many_runs_would_tell():
    made = Difference(1.0, (0.5, 4), None, 5, 0)  # of one run 2.5
    n = made.runs_to_tell()
    half = [stats.t.ppf(0.975, k - 1) * math.sqrt(2.5 / k) for k in (n - 1, n)]
    assert half[0] >= 1 > half[1]
    assert Difference(0.01, (0.5, 4), None, 5, 0).runs_to_tell() is None
    assert Difference(1.0, (0.15, 4), None, 5, 0).half_width() > 1
    assert Difference(1.0, (0.15, 4), None, 5, 0).runs_to_tell() == 6  # one more


def test_holm_by_hand():
    corrected, doubt = zip(*holm([0.01, 0.04, 0.03]), strict=True)
    assert corrected == pytest.approx([0.03, 0.06, 0.06]) and doubt == pytest.approx([0.05 / 3, 0.025, 0.025])
    corrected, doubt = zip(*holm([0.01, 0.04, 0.03], 10), strict=True)
    assert corrected == pytest.approx([0.1, 0.32, 0.27]) and doubt == pytest.approx([0.005] * 3)
    (first, _), (second, doubt) = holm([0.01, math.nan])
    assert first == pytest.approx(0.02) and math.isnan(second) and doubt == 0.025
