"""Which validation wins: the best finite figure; never one that is infinite, nor nan, and none of these hinders."""

import math

import pytest

from dlthink.training.best_validation import Best
from tests.training.toy import Error, fit

NAN, INF = math.nan, math.inf


def choose(direction, *values):
    best = Best("score", direction)
    return best, [best.better(value, step) for step, value in enumerate(values, start=1)]


@pytest.mark.parametrize(
    "direction, values, won, step, stale",
    [
        ("max", [1, 2, 2, 1.5], [True, True, False, False], 2, 2),
        ("min", [1, 2, 0.5], [True, False, True], 3, 0),
        ("max", [-INF, -INF, 3, -INF, 2], [True, True, True, False, False], 3, 2),
        ("max", [INF, 1, INF, 2], [True, True, False, True], 4, 0),
        ("min", [-INF, 5, 4, -INF], [True, True, True, False], 3, 1),
        ("min", [NAN, INF, 5, NAN, 6], [True, True, True, False, False], 3, 2),
        ("max", [NAN, NAN, NAN], [True, True, True], 0, 3),
    ],
)
def test_the_best_finite_figure_wins_and_before_one_is_known_the_latest(direction, values, won, step, stale):
    best, found = choose(direction, *values)
    assert found == won and best.step == step and best.stale == stale


def test_what_was_not_finite_is_told_at_the_end():
    assert choose("max", 1.0, 2.0)[0].remark() is None
    assert "not finite twice" in choose("max", 1.0, INF, NAN)[0].remark().replace("2 times", "twice")
    assert "never finite" in choose("max", NAN)[0].remark()


def test_what_the_last_quarter_gained():
    best, _ = choose("min", 3.0, NAN, 2.0, 2.5, 1.5, 1.25, 1.5, 1.0)
    assert best.summary(8) == {"steps": 8, "best": 8, "late_gain": 0.25}  # by step 6 it was 1.25
    assert choose("max", 1.0, 4.0, 3.0, 2.0)[0].summary(4) == {"steps": 4, "best": 2, "late_gain": 0.0}
    few = Best("score", "max")
    assert few.better(1.0, 200) and few.better(3.0, 400)
    assert few.summary(400)["late_gain"] == 1.0  # in 200 steps 2, in the last quarter half of it
    assert choose("max", 1.0)[0].summary(1) == {"steps": 1, "best": 1, "late_gain": None}  # nothing to compare with
    assert choose("max", NAN, NAN)[0].summary(2) == {"steps": 2, "best": 0, "late_gain": None}


def test_it_goes_on_from_its_state():
    best, _ = choose("min", 3.0, NAN, 2.0, 4.0)
    again = Best("score", "min")
    assert again.restore(best.state(), best.stale) is None
    assert vars(again) == vars(best)
    other = Best("rmse", "min")
    assert "chosen by rmse" in other.restore(best.state(), best.stale) and not other.known


class Odd(Error):
    """A figure that is what `values` says, validation by validation; training and test are not looked at."""

    best = ("odd", "max")

    def __init__(self, values):
        self.values, self.asked = list(values), 0

    def numbers(self, predicted, y, known):
        now = self.values[min(self.asked // 2, len(self.values) - 1)]  # a validation asks twice: val, train
        self.asked += 1
        return super().numbers(predicted, y, known) | {"odd": now}


@pytest.mark.parametrize("bad", [NAN, *(pytest.param(bad, marks=pytest.mark.slow) for bad in (INF, -INF))])
def test_patience_ends_a_run_whose_figure_is_never_finite(tmp_path, capsys, bad):
    run, *_ = fit(tmp_path, metrics=Odd([bad]), steps=1000, validate_every=5, patience=3)
    assert run.step == 15
    told = capsys.readouterr()
    assert told.err.count("never counts as the best") == 1
    assert told.out.count("never finite") == 1


def test_an_infinite_figure_does_not_freeze_the_choice(tmp_path, capsys):
    run, *_ = fit(tmp_path, metrics=Odd([-INF, INF, 1.0, 3.0, -INF, 2.0]), steps=30, validate_every=5)
    assert (run.best.value, run.best.step, run.best.infinite) == (3.0, 20, 3)
    told = capsys.readouterr()
    assert "step 5: validation's odd is -inf" in told.err and "not finite 3 times" in told.out


def at(best_step, stale, finite=True):
    best = Best("crps", "min")
    best.better(1.0 if finite else math.nan, best_step)
    for _ in range(stale):
        best.better(2.0, best_step + 1)
    return best


def test_a_run_whose_best_validation_came_early_says_so_and_what_ends_it_sooner():
    assert at(100, 9).lateness(4000, 4000, None) == (
        "the best validation was that of step 100: none of 9 until step 4,000 was better; "
        "trainer.patience=8 ends sooner"
    )
    assert at(400, 9).lateness(4000, 4000, None) and at(401, 9).lateness(4000, 4000, None) is None
    assert at(300, 40).lateness(4000, 4000, 80).endswith("trainer.patience=40 ends sooner")
    assert at(100, 8).lateness(900, 4000, 8) == (
        "ended after 900 of 4,000 steps: none of the 8 validations since step 100 was better (trainer.patience=8)"
    )
    assert at(3900, 8).lateness(4000, 4000, 8) is None and at(0, 8).lateness(4000, 4000, 8) is None
