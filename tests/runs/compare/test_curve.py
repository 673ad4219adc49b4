"""Curve along a setting: means by hand, the worth of a better cost on curves whose truth is known, words and files."""

import math

import numpy as np
import pytest

from dlthink.errors import BadInput
from dlthink.runs.compare.comparison import Comparison, find
from dlthink.runs.compare.curve import Curve, Curves, _rising, best_at_the_end, curves, sentence, worth

X = [0.05, 0.1, 0.25, 0.5, 1.0]


def falling(factor, noise, chance, seeds):
    """An error that falls with a power of the data; what needs `factor` times the data is shifted by it."""
    own = chance.normal(0, 0.05, seeds) * (noise > 0)
    made = [{(s,): (x / factor) ** -0.3 + own[s] + chance.normal(0, noise) for s in range(seeds)} for x in X]
    return Curve(f"factor {factor}", X, made)


def test_the_worth_is_the_factor_by_which_two_curves_are_shifted():
    chance = np.random.default_rng(0)
    one, other = falling(1.0, 0, chance, 3), falling(2.0, 0, chance, 3)
    assert math.exp(worth(one, other, "min").mean) == pytest.approx(2.0, rel=0.03)  # straight lines between points
    assert worth(other, one, "min").mean == pytest.approx(-worth(one, other, "min").mean)
    upside = [Curve(c.label, c.x, [{s: -v for s, v in at.items()} for at in c.values]) for c in (one, other)]
    assert worth(*upside, "max").mean == pytest.approx(worth(one, other, "min").mean)
    assert best_at_the_end([other, one], "min") == 1 and best_at_the_end(upside, "max") == 0


@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_of_the_worth_hold_the_truth(seeds):
    chance, held = np.random.default_rng(1), []
    for _ in range(200):
        found = worth(falling(1.0, 0.05, chance, seeds), falling(2.0, 0.05, chance, seeds), "min")
        held.append(abs(found.mean - math.log(2)) < found.half_width())
    assert 0.90 <= np.mean(held) <= 0.99


def test_nothing_in_common_and_one_repetition():
    low, high = Curve("a", [1, 2], [{(0,): 0.1}, {(0,): 0.2}]), Curve("b", [1, 2], [{(0,): 0.3}, {(0,): 0.4}])
    assert worth(low, high, "max") is None
    assert (
        sentence(high, low, worth(high, low, "max"), "d2")
        == "a and b reach no d2 in common: no factor can be read off."
    )
    flat = Curve("d", [1, 2], [{(0,): 0.15}, {(0,): 0.15}])
    assert worth(low, flat, "max") is None  # one value is no stretch of them
    assert worth(low, Curve("e", [0, 2], low.values), "max") is None  # 0 has no logarithm
    near = Curve("c", [1, 2], [{(0,): 0.15}, {(0,): 0.25}])
    assert math.isnan(worth(near, low, "max").half_width())
    assert sentence(near, low, worth(near, low, "max"), "d2") == (
        "a needs 1.41 times as much as c for the same d2; how sure that is cannot be told from one repetition."
    )


def test_a_mean_that_falls_for_a_while_is_made_monotone():
    assert _rising(np.array([1.0, 3.0, 2.0, 4.0, 0.0])) == pytest.approx([1.0, 2.25, 2.25, 2.25, 2.25])
    assert _rising(np.array([1.0, 2.0, 3.0])) == pytest.approx([1, 2, 3])


@pytest.fixture
def compared(runs, tmp_path):
    for loss, gain in ("a", 0.0), ("b", 1.0):
        for at, share in enumerate((0.25, 1.0)):
            for seed in range(2):
                place = runs(f"{loss}{share}", seed, np.full(3, gain + at + 0.1 * seed))
                text = (place / "config.yaml").read_text().replace(f"name: {loss}{share}", f"name: {loss}")
                (place / "config.yaml").write_text(text.replace("fold: 0", f"fraction: {share}"))
                story = (place / "provenance.json").read_text()
                (place / "provenance.json").write_text(
                    story.replace(f"{loss}{share}", loss).replace('"loss=', '"data.fraction=1", "loss=')
                )
    return Comparison(find([tmp_path], "test")[0], ["seed"])


def test_curves_of_runs_and_their_table(compared):
    some = curves(compared, "data.fraction", "log_score")
    assert [(c.label, c.x) for c in some] == [("loss=a", [0.25, 1.0]), ("loss=b", [0.25, 1.0])]
    whole = Curves(some, "data.fraction", "log_score", "max", 0)
    rows = whole.numbers()
    assert rows[0] == ["runs", "data.fraction", "n", "log_score", "log_score_low", "log_score_high"]
    half = 12.7062 * 0.05  # of 0 and 0.1: mean 0.05, error 0.05, Student's t of 1
    assert rows[1][1:] == pytest.approx([0.25, 2, 0.05, 0.05 - half, 0.05 + half], abs=1e-4)
    table, said = whole.page()
    assert table[1][:4] == ["loss=a", "0.25", "2", "0.05"] and said == whole.lines()[3:]
    with pytest.raises(BadInput, match=r"x=data\.fold: is the same in all"):
        curves(compared, "data.fold", "log_score")
    with pytest.raises(BadInput, match="no number that a curve"):
        curves(compared, "loss", "log_score")


@pytest.mark.parametrize("factor, seen", [(1.5, [1, 1.2, 1.5]), (3.0, [1, 2])])
def test_both_axes_of_the_figure_have_marks(factor, seen):
    chance = np.random.default_rng(0)
    some = [falling(1.0, 0.01, chance, 3), falling(factor, 0.01, chance, 3)]
    left, right = Curves(some, "data.fraction", "error", "min", 0).figure().axes
    assert list(left.get_xticks()) == X  # where something was measured
    assert [mark for mark in right.get_xticks() if mark <= factor] == pytest.approx(seen)


def test_the_figure_has_a_line_and_a_band_each_and_what_it_is_worth(compared):
    some = curves(compared, "data.fraction", "log_score")
    left, right = Curves(some, "data.fraction", "log_score", "max", 1).figure().axes
    assert [list(line.get_ydata()) for line in left.lines] == [[c.band()[0].mean, c.band()[1].mean] for c in some]
    assert len(left.collections) == 2 and left.get_ylabel() == "log_score  better →"
    assert [text.get_text() for text in right.get_yticklabels()] == ["loss=b", "loss=a"]
    assert len(Curves(some[:1], "data.fraction", "log_score", "max", 0).figure().axes) == 1


def test_what_needs_least_stands_next_to_the_best():
    chance = np.random.default_rng(0)
    some = [falling(factor, 0, chance, 2) for factor in (4.0, 1.0, 2.0)]
    panel = Curves(some, "data.fraction", "rmse", "min", 1).figure().axes[1]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["factor 1.0", "factor 2.0", "factor 4.0"]
