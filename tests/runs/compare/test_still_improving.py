"""Runs that were still improving at their last step: told where more steps may change the answer, and only there."""

from pathlib import Path

import pytest

from dlthink.runs.compare.comparison import Comparison, Finished
from dlthink.runs.compare.ranking import Ranking
from dlthink.runs.compare.still_improving import improving, line

BEST = ("score", "max")


def run(loss, seed, score, best=1000, gain=0.0, **more):
    """A run of 1,000 steps."""
    training = {"steps": 1000.0, "best": float(best), "late_gain": gain} | more
    settings = {"data": "spikes", "loss": loss, "seed": str(seed)}
    return Finished(Path(f"{loss}{seed}"), settings, {*settings}, {"score": score}, BEST, 0.0, training=training)


def said(*runs, name="score"):
    compared = Comparison([*runs], ["seed"])
    return line(Ranking.of(compared, name, "max", items=False), compared, compared.labels())


@pytest.mark.parametrize(
    "best, gain, late", [(1000, 0.1, True), (901, 0.1, True), (900, 0.1, False), (1000, float("nan"), False)]
)
def test_nearly_the_last_validation_is_one_of_the_last_tenth(best, gain, late):
    """nan: there was no validation in the first three quarters, so nobody knows."""
    assert improving(run("mse", 0, 1.0, best, gain)) == late


def test_runs_of_old_say_nothing():
    old = run("mse", 0, 1.0, gain=0.1)
    old.training = {}
    assert not improving(old)


def test_which_runs_are_named_with_their_number():
    """Behind by 1; three quarters more, each as the last one, would do."""
    ahead = [run("crps", seed, 2.0 + seed / 10, best=400) for seed in range(3)]
    behind = [run("mse", 0, 1.0, 1000, 0.3), run("mse", 1, 1.1, 950, 0.3), run("mse", 2, 1.2, 500)]
    (told,) = said(*ahead, *behind)
    assert told == (
        "Still improving on validation at their last steps: 2 of 3 runs of loss=mse; more steps (trainer.steps) may "
        "change differences as small as the least of these."
    )
    assert (
        said(*ahead, *(run("mse", seed, 1.0 + seed / 10, 1000, 0.2) for seed in range(3))) == []
    )  # 0.8 is less than 1
    assert said(*ahead, behind[0], run("mse", 1, 1.1), run("mse", 2, 1.2)) == []  # one of three may be luck


def test_all_runs_are_named_at_once_and_many_costs_are_cut_short():
    runs = [run(f"cost{k}", seed, 1.0 + k / 10, 1000, 0.5) for k in range(6) for seed in range(2)]
    assert "steps: all 12 runs; more" in said(*runs)[0]
    runs[0].training["best"] = 10.0
    assert said(*runs)[0].count(" of 2 runs of ") == 3 and "and of 3 more; more steps" in said(*runs)[0]


def test_by_another_number_than_the_one_on_validation_it_is_told_anyway():
    """How much that would gain is not known."""
    runs = [run("mse", 0, 1.0, 1000, 1e-9), run("crps", 0, 2.0)]
    assert said(*runs) == []
    for one in runs:
        one.numbers["other"] = one.numbers["score"]
    assert len(said(*runs, name="other")) == 1
