"""Space of a search: what is drawn by its logarithm, and places as words and back."""

import pytest

pytest.importorskip("optuna")

from dlthink.runs.search_space import Space


@pytest.mark.parametrize(
    "interval, log",
    [
        ("interval(1e-3,1e-2)", True),
        ("interval(1,5)", False),
        ("tag(log,interval(1,5))", True),
        ("interval(0,9)", False),
    ],
)
def test_an_interval_of_ten_times_or_more_is_drawn_by_its_logarithm(interval, log):
    assert Space.of([f"optim.lr={interval}"]).distributions["optim.lr"].log is log


def test_a_place_is_typed_as_it_lies_and_never_rounded_out_of_the_space():
    space = Space.of(["optim.lr=interval(0.1,0.99999)", "loss=mse,huber", "seed=0,1"])
    place = {"optim.lr": 0.99999, "loss": "huber"}
    words = space.as_words(place)
    assert words == ["optim.lr=0.99999", "loss=huber"] and space.as_values(words) == place
    assert space.as_words({"optim.lr": 0.123456}) == ["optim.lr=0.1235"]
    assert space.words == ["seed=0,1"] and space.repeats


@pytest.mark.parametrize(
    "words", [["optim.lr=2"], ["optim.lr=low"], ["optim.lr=0.5", "model.depth=1"], ["loss=mse"], []]
)
def test_words_that_are_no_place_of_it(words):
    assert Space.of(["optim.lr=interval(0.1,1)"]).as_values(words) is None
