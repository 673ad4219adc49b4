"""Critical difference: the example that Demsar worked out in print, scipy's Friedman test, cliques by hand."""

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, norm, rankdata

from dlthink.errors import BadInput
from dlthink.runs.compare.comparison import Comparison, Finished, find
from dlthink.runs.compare.critical_difference import Ranks, _ranked, across, enough
from dlthink.runs.compare.critical_difference_figure import figure

# Demsar 2006, table 6: area under the ROC curve of C4.5, with m, with cf, with both, on 14 data sets (voting: 2 and 3)
AUC = np.array(
    [
        *([0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967]),
        *([0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931]),
        *([0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875]),
        *([1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669]),
        *([0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970]),
    ]
)


def ranks(scores, names=None):
    names = names or [f"loss={i}" for i in range(scores.shape[1])]
    return Ranks(names, [f"data={i}" for i in range(len(scores))], ["auc"] * len(scores), _all(scores), [])


def _all(scores):
    return np.stack([_ranked(-row) for row in scores])


def test_the_published_example():
    found = ranks(AUC)
    assert found.mean == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.chi2 == pytest.approx(9.28, abs=0.005) and found.f == pytest.approx(3.69, abs=0.005)
    assert found.critical_difference() == pytest.approx(1.25, abs=0.005)
    assert found.critical_difference(0.1) == pytest.approx(1.12, abs=0.005)
    # against C4.5 alone, section 3.2.2: p of 0.016, 0.019, 0.607; Holm multiplies by 3, 2, 1
    p = found.pairs(0, several=False)
    assert [p[3], p[1], p[2]] == pytest.approx([0.047, 0.047, 0.608], abs=1e-3)  # the second is never below the first
    assert found.error == pytest.approx(0.488, abs=5e-4)


def test_words_say_what_the_bars_of_the_picture_do():
    found = ranks(np.random.default_rng(0).normal(size=(7, 6)) + 0.7 * np.arange(6))
    best, apart = int(found.order[0]), found.critical_difference()
    told = {place: p < 0.05 for place, p in found.pairs(best).items()}
    assert {*told.values()} == {True, False}
    assert told == {place: found.mean[place] - found.mean[best] > apart for place in told}


def test_p_is_what_the_range_of_normal_draws_leaves():
    chance = np.random.default_rng(3)
    for k in (2, 5):
        found = ranks(chance.normal(size=(6, k)) + 0.4 * np.arange(k))
        best, drawn = int(found.order[0]), np.ptp(chance.normal(size=(400_000, k)), axis=1)
        for place, p in found.pairs(best).items():
            z = abs(found.mean[place] - found.mean[best]) / found.error
            assert p == pytest.approx((drawn > np.sqrt(2) * z).mean(), abs=0.005)
            assert k > 2 or p == pytest.approx(2 * norm.sf(z), abs=1e-9)  # of two, the range is a difference


def test_friedman_of_scipy_where_nothing_is_equal():
    scores = np.random.default_rng(0).normal(size=(9, 5))
    assert ranks(scores).chi2 == pytest.approx(friedmanchisquare(*scores.T).statistic)


@pytest.mark.parametrize("k, q", [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_quantiles_as_in_table_5(k, q):
    found = ranks(np.random.default_rng(0).normal(size=(6, k)))
    assert found.critical_difference() / found.error == pytest.approx(q, abs=1e-3)


def test_ranks_share_ties_and_what_is_no_number_is_last():
    costs = np.array([3.0, 1.0, 3.0, np.nan, 2.0])
    assert list(_ranked(costs)) == list(rankdata(np.nan_to_num(costs, nan=9)))


def test_bars_join_what_lies_near():
    found = ranks(np.zeros((3, 5)))
    found.ranks = np.array([[1.0, 1.5, 2.5, 4.0, 6.0]])
    assert found.cliques(1.0) == [(1.0, 1.5), (1.5, 2.5)] and found.cliques(1.5) == [(1.0, 2.5), (2.5, 4.0)]
    assert found.cliques(0.1) == []


@pytest.fixture
def compared(runs, tmp_path):
    for data in range(5):
        for loss, gain in ("a", 0.0), ("b", 1.0), ("c", 2.0):
            for seed in range(2):
                place = runs(f"{loss}on{data}-", seed, np.full(3, gain + 100 * data + seed))
                for file in place / "config.yaml", place / "provenance.json":
                    text = (
                        file.read_text().replace(f"{loss}on{data}-", loss).replace('"data": "d"', f'"data": "d{data}"')
                    )
                    file.write_text(
                        text.replace('"loss=', '"data=x", "loss=').replace("fold: 0", f"fold: 0\n  path: f{data}")
                    )
    return Comparison(find([tmp_path], "test")[0], ["seed"])


def test_runs_on_several_data_sets(compared):
    found = across(compared, ["data"])
    assert found.groups == ["loss=a", "loss=b", "loss=c"] and found.by == ["log_score"] * 5
    assert (found.ranks == [3, 2, 1]).all() and found.f == np.inf and found.p == 0
    said = found.lines()
    assert said[1].split()[:2] == ["loss=c", "1.000"] and "worse beyond doubt, p = 0.0045" in said[3]
    assert "Friedman: chi2 = 10.00" in said[4] and "beyond doubt" in said[4]
    with pytest.raises(BadInput, match="2 groups and 3 data sets"):
        across(compared, [])
    with pytest.raises(BadInput, match="do not say which way rps is better"):
        across(compared, ["data"], ["rps"])


@pytest.fixture
def targets(tmp_path):
    """`targets(a={"d0": {"y": 1.0}}, b=...)`: a run of each cost for each target of each table, with this score."""

    def make(**costs):
        found = []
        for loss, tables in costs.items():
            for table, scores in tables.items():
                for target, score in scores.items():
                    settings = {"data": "table", "loss": loss, "data.path": table, "data.target": target, "seed": "0"}
                    numbers, best = {"log_score": score}, ("log_score", "max")
                    found.append(Finished(tmp_path, settings, {*settings}, numbers, best, 0.0))
        return Comparison(found, ["seed"])

    return make


DATA = ["data", "data.path"]


def test_targets_of_one_table_are_one_data_set(targets):
    compared = targets(
        a={"d0": {"x": 3.0, "y": 3.0, "z": 1.0}, "d1": {"x": 1.0}},
        b={"d0": {"x": 2.0, "y": 2.0, "z": 2.0}, "d1": {"x": 2.0}},
        c={"d0": {"x": 1.0, "y": 1.0, "z": 3.0}, "d1": {"x": 2.0}},
    )
    assert not enough(compared, DATA) and enough(compared, [*DATA, "data.target"])
    with pytest.raises(BadInput, match="all of 2 data sets: 3"):
        across(compared, DATA)
    # every target its own data set, which somebody must ask for: four of them
    assert across(compared, [*DATA, "data.target"]).ranks.tolist() == [[1, 2, 3], [1, 2, 3], [3, 2, 1], [3, 1.5, 1.5]]


def test_on_several_targets_a_cost_has_its_mean_rank_and_is_ranked_by_that(targets):
    shared = {"d1": {"x": 2.0}, "d2": {"x": 2.0}}
    # ranks on d0: a 1, 1, 3; b 2, 2, 2; c 3, 3, 1: means 5/3, 2, 7/3
    found = across(
        targets(
            a={"d0": {"x": 3.0, "y": 3.0, "z": 1.0}} | shared,
            b={"d0": {"x": 2.0, "y": 2.0, "z": 2.0}} | shared,
            c={"d0": {"x": 1.0, "y": 1.0, "z": 3.0}} | shared,
            only_x={"d0": {"x": 9.0}} | shared,
        ),
        DATA,
    )
    assert found.groups == ["loss=a", "loss=b", "loss=c"] and found.left_out == ["loss=only_x"]
    assert found.data_sets == ["data.path=d0", "data.path=d1", "data.path=d2"]
    assert found.ranks.tolist() == [[1, 2, 3], [2, 2, 2], [2, 2, 2]]


def test_the_figure_has_every_name_and_the_critical_difference():
    axes = figure(ranks(AUC, ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"])).axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert "C4.5+m+cf  1.96" in texts and "  critical difference 1.25" in texts
    (bar,) = [line for line in axes.lines if line.get_linewidth() == 3]  # 1.964 to 3.143 is less than 1.25
    assert bar.get_xdata() == pytest.approx([1.964 - 0.04, 3.143 + 0.04], abs=1e-3)
