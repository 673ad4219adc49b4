"""Ranking of groups: paired by repetition and by item, the winner's own score told, and what a stranger left."""

import zipfile

import numpy as np
import pytest

from dlthink.errors import BadInput
from dlthink.runs.compare import item_scores
from dlthink.runs.compare.comparison import Comparison, direction, find, scores
from dlthink.runs.compare.paired_difference import holm, over_both
from dlthink.runs.compare.ranking import Ranking
from dlthink.runs.compare.verdict import basis, intervals, p_value, rows, sentences
from tests.runs.conftest import SCORES


def ranked(tmp_path, items=True, **settings):
    found, _ = find([tmp_path], "test")
    compared = Comparison(found, ["seed", "data.fold"])
    return Ranking.of(compared, "log_score", "max", items=items, **settings), compared


def test_pairs_are_of_seeds_and_of_items(runs, tmp_path):
    chance = np.random.default_rng(0)
    a, b = chance.normal(0, 1, (3, 12)), chance.normal(0.1, 1, (3, 12))
    for seed in range(3):
        runs("a", seed, a[seed])
        runs("b", seed, b[seed])
    best, other = ("a", "b") if a.mean() > b.mean() else ("b", "a")
    ranking, compared = ranked(tmp_path)
    d = (a - b) * (1 if best == "b" else -1)
    place = compared.labels().index(f"loss={other}")
    assert ranking.order[0] == compared.labels().index(f"loss={best}") and ranking.differences.keys() == {place}
    assert ranking.differences[place] == over_both(d, np.ones(12)) and ranking.p(place) == ranking.differences[place].p
    assert basis(ranking) == "paired by 3 repetitions and 12 items"
    # validation keeps no items
    assert ranked(tmp_path, items=False)[0].differences[place].items == 0


def test_p_is_corrected_for_all_pairs_of_which_the_best_was_picked_and_for_those_of_a_named_one(runs, tmp_path):
    chance = np.random.default_rng(3)
    for loss in "abc":
        for seed in range(4):
            runs(loss, seed, chance.normal(0, 1, 9))
    for reference, pairs in ((None, 3), (0, 2)):
        ranking, _ = ranked(tmp_path, reference=reference)
        raw = [difference.p for difference in ranking.differences.values()]
        assert [ranking.p(place) for place in ranking.differences] == [p for p, _ in holm(raw, pairs)]


def test_an_interval_without_0_is_beyond_doubt_and_one_with_it_is_not(runs, tmp_path):
    chance = np.random.default_rng(1)
    for place, loss in enumerate("abcdefgh"):
        for seed in range(3):
            runs(loss, seed, chance.normal(0.01 * place**2, 0.1, 9) + chance.normal(0, 0.02))
    ranking, compared = ranked(tmp_path)
    alone = {place: abs(d.mean) > d.half_width() for place, d in ranking.differences.items()}
    told = {place: ranking.beyond_doubt(place) for place in alone}
    assert sum(alone.values()) > sum(told.values()) > 0  # by intervals of a pair alone, more would be told
    for label, interval, said in rows(ranking, compared.labels()):
        low, high = map(float, interval.partition("(")[2].strip(")").split(" to "))
        assert (low <= 0 <= high) == said.startswith("cannot be told apart"), label
    assert intervals(ranking) == "95 % intervals, corrected for 28 pairs"


def test_folds_examine_other_items(runs, tmp_path):
    for fold in range(2):
        for seed in range(2):
            runs("a", seed, np.arange(6.0) + seed, fold=fold)
            runs("b", seed, np.arange(6.0) + [0, 1, 0, 1, 0, 2] + 2 * seed, fold=fold)
    ranking, _ = ranked(tmp_path)
    (difference,) = ranking.differences.values()
    assert (difference.runs, difference.items) == (4, 12)


def test_runs_that_examined_other_things_are_compared_on_what_they_share(runs, tmp_path):
    for seed in range(2):
        runs("a", seed, np.arange(6.0) + seed)
        runs("b", seed, np.array([1.0, 1.0, 4.0, 99.0]), target=np.array([0.0, 1.0, 2.0, 7.0]))  # three of four
    ranking, _ = ranked(tmp_path)
    (difference,) = ranking.differences.values()
    assert abs(difference.mean) == pytest.approx(0.5) and (difference.runs, difference.items) == (2, 3)
    assert ranking.notes == ["some runs were examined on other items, too: compared on the 3 of 6 that both have"]


def test_no_difference_on_other_items_is_beyond_doubt(runs, tmp_path):
    for seed in range(3):
        runs("a", seed, np.arange(6.0) + 0.01 * seed**2)
        runs("b", seed, np.arange(6.0) - 5, target=np.arange(6) * 3.0 + 1)
    ranking, compared = ranked(tmp_path)
    (difference,) = ranking.differences.values()
    assert difference.mean < -4 and difference.p < 1e-4 and not ranking.beyond_doubt(1)
    assert ranking.notes == ["some runs were examined on other items: one test may be easier than the other"]
    assert rows(ranking, compared.labels())[0][2].startswith("on other items, which may explain it")
    assert "examine all on the same items" in sentences(ranking, compared, compared.labels(), SCORES)[0]


def test_no_repetition_in_common_and_one_alone(runs, tmp_path):
    runs("a", 0, np.zeros(4))
    runs("b", 1, np.ones(4))
    ranking, compared = ranked(tmp_path)
    assert [*ranking.differences.values()] == [None] and basis(ranking) == "no repetition in common"
    assert "train each with the same seeds" in sentences(ranking, compared, compared.labels(), SCORES)[0]


def test_a_winner_of_its_own_score_alone_is_told(runs, tmp_path):
    for seed in range(3):
        runs("a", seed, np.full(5, 1.0) + 0.01 * seed, mae=2.0, trained_for=["log_score"])
        runs("b", seed, np.full(5, 0.0), mae=1.0)
    ranking, compared = ranked(tmp_path)
    (row,) = rows(ranking, compared.labels())
    assert row[0] == "loss=b" and row[1].startswith("-1.0") and row[2].startswith("worse beyond doubt, p")
    said = sentences(ranking, compared, compared.labels(), SCORES)
    assert said == [
        "loss=a is best by log_score, beyond doubt.",
        "That is what loss=a was trained for; by other scores others are ahead: loss=b by mae.",
    ]


def test_a_winner_that_is_ahead_by_another_score_too_is_not_suspected(runs, tmp_path):
    for seed in range(3):
        runs("a", seed, np.full(5, 1.0) + 0.01 * seed, mae=1.0, trained_for=["log_score"])
        runs("b", seed, np.full(5, 0.0), mae=2.0)
    ranking, compared = ranked(tmp_path)
    said = sentences(ranking, compared, compared.labels(), SCORES)
    assert said == ["loss=a is best by log_score, beyond doubt."]


def test_a_winner_by_what_it_was_not_trained_for_is_not_suspected(runs, tmp_path):
    for seed in range(3):
        runs("a", seed, np.full(5, 1.0) + 0.01 * seed, mae=2.0, trained_for=["rmse"])
        runs("b", seed, np.full(5, 0.0), mae=1.0, trained_for=["mae"])
    ranking, compared = ranked(tmp_path)
    assert sentences(ranking, compared, compared.labels(), SCORES) == ["loss=a is best by log_score, beyond doubt."]


def test_scores_and_their_directions(runs, tmp_path):
    runs("a", 0, np.zeros(4))
    found, _ = find([tmp_path], "test")
    assert scores(found) == SCORES
    assert [direction(n, SCORES) for n in ("mae", "mae_lookup", "maenad", "log_score", "n")] == [
        "min",
        "min",
        None,
        "max",
        None,
    ]


@pytest.mark.parametrize(
    "arrays",
    [
        {"item": np.arange(3)},
        {"item": np.arange(3), "weight": np.ones(3), "target": np.ones(2), "s": np.ones(3)},
        {"item": np.arange(3), "weight": np.zeros(3), "target": np.ones(3)},
        {"item": np.arange(3), "weight": np.ones(3), "target": np.array(["a", "b", "c"])},
        {"item": np.array([{}, 1, 2], dtype=object), "weight": np.ones(3), "target": np.ones(3)},
        {"item": np.ones((2, 2)), "weight": np.ones((2, 2)), "target": np.ones((2, 2))},
    ],
)
def test_a_damaged_file_is_one_line(tmp_path, arrays):
    np.savez(tmp_path / "scores.npz", **arrays)
    with pytest.raises(BadInput, match=r"scores\.npz: damaged"):
        item_scores.read(tmp_path)


def test_a_file_cut_short_a_large_one_a_link_and_none(tmp_path, monkeypatch):
    assert item_scores.read(tmp_path) is None
    file = tmp_path / "scores.npz"
    np.savez(file, item=np.arange(9), weight=np.ones(9), target=np.ones(9))
    assert item_scores.read(tmp_path).scores == {}
    monkeypatch.setattr(item_scores, "MOST", 100)
    with pytest.raises(BadInput, match="is larger than"):
        item_scores.read(tmp_path)
    for packed, entries in ((zipfile.ZIP_LZMA, 1), (zipfile.ZIP_STORED, 2000)):
        with zipfile.ZipFile(tmp_path / "other.npz", "w", packed) as archive:
            for i in range(entries):
                archive.writestr(f"{i}.npy", b"")
        (tmp_path / "other.npz").rename(file)
        with pytest.raises(BadInput, match="damaged"):
            item_scores.read(tmp_path)
    np.savez(file, item=np.arange(9))
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(BadInput, match="damaged"):
        item_scores.read(tmp_path)
    file.rename(tmp_path / "real.npz")
    file.symlink_to(tmp_path / "real.npz")
    assert item_scores.read(tmp_path) is None


def said(ranking, compared):
    return sentences(ranking, compared, compared.labels(), SCORES)


def test_one_seed_says_that_no_chance_of_training_is_in_its_interval(runs, tmp_path):
    runs("a", 0, np.arange(9.0))
    runs("b", 0, np.arange(9.0) - 1 + 0.1 * np.arange(9) ** 2 % 1)
    ranking, _ = ranked(tmp_path)
    assert ranking.notes == [
        "one repetition: intervals are over items alone, and another seed may change more than they say"
    ]


def test_seeds_that_do_not_match_are_told(runs, tmp_path):
    chance = np.random.default_rng(0)
    for seed in range(3):
        runs("a", seed, chance.normal(size=9))
        runs("b", seed + 1, chance.normal(size=9))
    ranking, _ = ranked(tmp_path)
    assert basis(ranking).startswith("paired by 2 repetitions")
    assert ranking.notes == ["repetitions that one of two groups lacks are left out of their difference"]


def test_runs_without_the_score_are_no_rivals(runs, tmp_path):
    chance = np.random.default_rng(0)
    for seed in range(3):
        runs("a", seed, chance.normal(3, 0.1, 9))
        runs("b", seed, chance.normal(0, 0.1, 9))
        runs("c", seed, np.full(9, np.nan))
        (tmp_path / f"c{seed}0" / "metrics.json").write_text('{"test": {"log_score": null, "mae": 1}}')
    ranking, compared = ranked(tmp_path)
    assert said(ranking, compared) == [
        "loss=a is best by log_score, beyond doubt.",
        "Without log_score, or not a number there: loss=c.",
    ]
    assert rows(ranking, compared.labels())[-1] == ("loss=c", "not a number", "")


def test_what_had_no_effect_is_told(runs, tmp_path):
    for seed in range(2):
        runs("a", seed, np.arange(4.0) + seed)
        runs("b", seed, np.arange(4.0) + seed)
    (line,) = said(*ranked(tmp_path))
    assert line == "loss=a and loss=b are the same by log_score in every run: what tells them apart had no effect."


def test_a_p_value_is_written_on_its_side_of_doubt():
    assert [p_value(p) for p in (0.0497, 0.0503, 0.02, 1e-5)] == ["p = 0.0497", "p = 0.05", "p = 0.02", "p < 0.001"]
