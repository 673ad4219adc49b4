"""Codes for missing values that the user names: emptied wherever they stand, however they are written."""

import numpy as np
import pandas as pd
import pytest

from dlthink.data.tables.inputs import RealInputs
from dlthink.data.tables.readers.missing_codes import emptied
from dlthink.errors import BadInput
from tests.data.tables.made import everything, frame, reals, written


@pytest.mark.parametrize(
    "cells, codes, decimal, left",
    [
        ([1, -99, 3], ["-99"], ".", [1, None, 3]),
        ([1.5, -99.0, 3], ["-99", "3"], ".", [1.5, None, None]),
        (["1,5", "-99,0", "7"], ["-99"], ",", ["1,5", None, "7"]),
        (["1 cm", "-99 cm", "7 cm"], ["-99.0"], ".", ["1 cm", None, "7 cm"]),
        (["red", " unknown", None], ["unknown"], ".", ["red", None, None]),
        (["red", "Unknown"], ["unknown", "-1"], ".", ["red", "Unknown"]),
        (["2024-01-01", "9999-12-31"], ["9999-12-31"], ".", ["2024-01-01", None]),
        ([True, False], ["1"], ".", [True, False]),
    ],
)
def test_a_cell_that_holds_a_code_is_emptied(cells, codes, decimal, left):
    made, found = emptied(pd.DataFrame({"a": cells, "b": range(len(cells))}), codes, decimal)
    assert [None if pd.isna(cell) else cell for cell in made["a"]] == left
    lost = sum(a is None for a in left) - sum(a is None for a in cells)
    assert found.get("a", 0) == lost and list(made) == ["a", "b"]


def test_days_of_parquet_and_a_column_that_nobody_has():
    days = pd.DataFrame({"d": np.array(["2024-01-01", "9999-12-31"], "datetime64[s]")})
    made, found = emptied(days, ["9999-12-31", "zzz"], ".")
    assert found == {"d": 1} and made["d"].isna().tolist() == [False, True]


def coded(seed=0):
    """Cells of numbers and words that stand for nothing known."""
    table = frame(seed=seed)
    table.loc[::9, "a"] = -99
    table.loc[3::11, "y"] = -99
    table.loc[::7, "colour"] = "unknown"
    return table


def test_training_predict_and_another_table_empty_the_same(tmp_path):
    words = {"missing": ["-99", "unknown"]}
    given = reals(written(tmp_path, coded()), **words)
    by_hand = reals(written(tmp_path, coded().replace([-99, "unknown"], np.nan), "empty.csv"))
    for one, other in zip(everything(given), everything(by_hand), strict=True):
        assert np.array_equal(one.numpy(), other.numpy(), equal_nan=True)
    assert any(note == "taken as missing, -99, unknown: a (23), colour (29), y (18)" for note in given.notes)
    other = written(tmp_path, coded(seed=1), "other.csv")
    asked = RealInputs(other, given.state)
    alone = RealInputs(written(tmp_path, coded(seed=1).replace([-99, "unknown"], np.nan), "o.csv"), by_hand.state)
    for name in asked.x:
        assert np.array_equal(asked.x[name].numpy(), alone.x[name].numpy())
    assert "taken as missing, -99, unknown: a (23)" in asked.summary()
    again = reals(other, state=given.state, elsewhere=True, **words)
    assert float(again.test.targets().min()) > -99
    with pytest.raises(BadInput, match=r"data.missing=null: the run was trained with \[-99,unknown\]"):
        reals(other, state=given.state, elsewhere=True)


def test_a_code_that_stands_nowhere_is_told_and_an_old_run_had_none(tmp_path):
    path = written(tmp_path, frame())
    assert "taken as missing, -98: in no cell" in reals(path, missing=[-98]).notes
    state = reals(path).state
    del state["missing"]
    assert RealInputs(path, state).x["numbers"].shape[0] == 200
