"""Preparation: from training rows alone, plain values, the same for any table; what is strange is told."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from dlthink.data.tables.preparation import FAR, MOST, Preparation, quantiles
from dlthink.data.tables.readers.columns import kind_of
from dlthink.data.tables.readers.read_table import Source
from dlthink.errors import BadInput


def source():
    return Source("data.path=t.csv")


def fitted(frame, train=None, **settings):
    train = np.arange(len(frame)) if train is None else train
    kinds = {name: kind_of(frame[name], source()) for name in frame}
    return Preparation.fit(frame, kinds, train, source(), **settings)


def applied(made, frame, rows=None, role="train"):
    rows = np.arange(len(frame)) if rows is None else rows
    return made.apply(dict(frame.items()), {role: rows}, source())[role]


def test_numbers_are_standardized_by_training_rows():
    frame = pd.DataFrame({"a": [1.0, 3.0, 100.0], "b": [5.0, 5.0, 7.0]})
    made = fitted(frame, np.array([0, 1]))
    assert made.inputs == ["a"] and any("same in all training rows: b" in note for note in made.notes)
    x = applied(made, frame)
    assert x.numbers[:2, 0].tolist() == [-1, 1] and x.numbers.dtype == torch.float32
    assert x.numbers[2, 0] == 1 + FAR  # and no further
    assert any("far beyond those of training, taken as its ends: a (1)" in note for note in made.notes)


def test_gaps_are_filled_by_the_mean_and_marked():
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [1.0, 2.0, 3.0]})
    made = fitted(frame)
    assert made.inputs == ["a", "b", "a (missing)"]
    x = applied(made, frame)
    assert x.numbers[:, 0].tolist() == pytest.approx([-1, 0, 1]) and x.numbers[:, 2].tolist() == [0, 1, 0]
    new = applied(made, pd.DataFrame({"a": [1.0], "b": [np.nan]}), role="input")
    assert new.numbers[0, 1] == 0 and any("gaps where training had none" in note and "b" in note for note in made.notes)


def test_a_column_of_one_value_and_gaps_is_its_gaps():
    made = fitted(pd.DataFrame({"a": [1.0, np.nan, 1.0, np.nan]}))
    assert applied(made, pd.DataFrame({"a": [1.0, np.nan]})).numbers.tolist() == [[0, 0], [0, 1]]


def test_categories_are_numbered_by_frequency_rare_ones_together():
    frame = pd.DataFrame({"c": ["x"] * 5 + ["y"] * 3 + ["once"] + [None] * 2})
    made = fitted(frame)
    assert made.category_sizes == [4]
    assert applied(made, frame).categories[:, 0].tolist() == [1] * 5 + [2] * 3 + [0] + [3] * 2
    assert not any("does not know" in note for note in made.notes)
    assert any("taken as one: c (1 of 4: once)" in note for note in made.notes)
    assert applied(made, pd.DataFrame({"c": ["y", "new"]}), role="input").categories[:, 0].tolist() == [2, 0]
    assert any("training does not know" in note and "c (new)" in note for note in made.notes)


def test_categories_taken_as_one_are_named_and_counted():
    frame = pd.DataFrame({"town": ["Rome"] * 4 + ["Paris"] * 3 + ["Ely", "Wells", "Bath", "Hull", None]})
    said = "with fewer than 2 training rows, or beyond the 254 most frequent, taken as one: town"
    (told,) = (note for note in fitted(frame).notes if "taken as one" in note)
    assert f"{said} (5 of 7: Ely, Wells, Bath and 2 more)" in told
    (told,) = (note for note in fitted(pd.DataFrame({"c": ["x", "y"] * 9 + [None]})).notes if "taken as one" in note)
    assert "c (1 of 3: missing)" in told


def test_ten_thousand_categories():
    rng = np.random.default_rng(0)
    city = rng.integers(0, 10_000, 60_000)
    frame = pd.DataFrame({"city": [f"city {i}" for i in city], "a": rng.normal(size=60_000)})
    made = fitted(frame, keep=["city"])
    assert made.category_sizes == [MOST + 1]
    (told,) = (note for note in made.notes if f"beyond the {MOST} most frequent" in note)
    assert "city (9,7" in told and told.endswith(" more)")
    assert fitted(frame).category_sizes == [] or made.category_sizes == [MOST + 1]


def test_identifiers_are_left_out_unless_named():
    frame = pd.DataFrame({"who": [f"p{i}" for i in range(40)], "row": np.arange(40) + 7, "a": np.arange(40) % 3})
    made = fitted(frame)
    assert made.inputs == ["a"] and made.category_sizes == []
    assert any("identifier: who" in note for note in made.notes) and any(
        "counts the rows: row" in n for n in made.notes
    )
    assert fitted(frame, keep=["row", "who"]).inputs == ["row", "a"]


@pytest.mark.parametrize("name", ["Id", "PassengerId", "user_id", "IDpol", "Unnamed: 0", "nr"])
def test_identifiers_by_their_name_are_left_out(name):
    numbers = np.random.default_rng(0).permutation(np.arange(40) * 3 + 11)
    made = fitted(pd.DataFrame({name: numbers, "a": np.arange(40) % 3}))
    assert made.inputs == ["a"] and any(f"identifier by its name: {name}" in note for note in made.notes)
    assert fitted(pd.DataFrame({name: numbers // 6, "a": np.arange(40) % 3})).inputs == [name, "a"]


def test_numbers_that_count_rows_in_any_order_and_numbers_that_do_not():
    order = np.random.default_rng(0).permutation(40)
    frame = pd.DataFrame({"shuffled": order + 5.0, "year": np.arange(40) + 1980, "valid": order * 2, "a": order % 3})
    assert fitted(frame).inputs == ["year", "valid", "a"]


def test_state_is_plain_and_prepares_alike():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=50),
            "b": np.where(rng.random(50) < 0.2, np.nan, rng.normal(size=50)),
            "c": rng.choice(["x", "y"], 50),
            "d": pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, 50), unit="D"),
            "e": rng.random(50) < 0.5,
        }
    )
    made = fitted(frame)
    assert [column["kind"] for column in made.columns] == ["number", "number", "category", "date", "boolean"]
    again = Preparation(json.loads(json.dumps(made.columns)))
    first, second = applied(made, frame), applied(again, frame)
    assert torch.equal(first.numbers, second.numbers) and torch.equal(first.categories, second.categories)
    assert again.inputs == made.inputs and len(again.inputs) == first.numbers.shape[1]


def test_words_among_numbers_are_told():
    frame = pd.DataFrame({"a": [*map(str, range(30)), "dry"], "b": np.arange(31) % 2})
    made = fitted(frame)
    x = applied(made, frame)
    assert x.numbers[30, 0] == 0 and any("words among numbers" in note and "a ('dry')" in note for note in made.notes)


def test_quantiles_are_those_of_numpy():
    frame = pd.DataFrame({"a": np.random.default_rng(0).gamma(2, 1, 300), "b": np.arange(300) % 3 > 0})
    made = fitted(frame)
    found = quantiles(applied(made, frame))
    assert found.shape == (2, 49)
    wanted = np.quantile((frame["a"] - frame["a"].mean()) / frame["a"].std(ddof=0), np.linspace(0, 1, 49))
    assert np.allclose(found[0], wanted, atol=1e-6) and len(found[1].unique()) <= 3


def test_a_column_of_nearly_numbers_says_which_words_are_in_the_way():
    half = pd.DataFrame({"a": [f"{i}.5" for i in range(40)] + ["<0.05"] * 10, "b": ["1", "2", "3", "low", "high"] * 10})
    made = fitted(half)
    assert any("mend its words: a (80% numbers, and '<0.05')" in note for note in made.notes)
    assert any("each taken as a word: b (60% numbers" in note for note in made.notes)
    assert [column["name"] for column in made.columns] == ["b"]


def test_a_code_for_nothing_is_asked_about():
    rng = np.random.default_rng(0)
    a = rng.normal(size=50).round(2)
    a[::10] = -1000
    day = np.array(["2024-01-01", "2024-02-01", "2024-03-02", "2024-04-01", "9999-12-31"] * 10, "datetime64[s]")
    known = np.where(a == -1000, -999, a)  # told of the whole table
    made = fitted(
        pd.DataFrame(
            {"a": a, "known": known, "day": day, "b": rng.integers(0, 9, 50) ** 3, "c": rng.exponential(size=50)}
        )
    )
    (note,) = [note for note in made.notes if "stand for nothing" in note]
    assert not fitted(pd.DataFrame({"grade": [3, 6, 12, 45] * 9})).notes  # few different values are no code
    assert (
        "others, a (-1000, 5 rows), day (9999-12-31, 10 rows): " in note and "data.missing=[-1000,9999-12-31]" in note
    )


def test_a_unit_is_read_once_and_another_one_is_refused():
    made = fitted(pd.DataFrame({"a": ["5 cm", "7 cm", "9.5 cm"]}))
    assert any("read without it: a (cm)" in note for note in made.notes) and made.columns[0]["kind"] == "number"
    assert applied(made, pd.DataFrame({"a": [5, 7, 9.5]})).numbers.mean() == pytest.approx(0, abs=1e-6)
    with pytest.raises(BadInput, match="column a is in mm, and was cm in training: convert it"):
        applied(made, pd.DataFrame({"a": ["50 mm", "70 mm"]}))
