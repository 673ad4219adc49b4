"""`data=table`: from a file to splits, facts, state and notes; the same table again, and another."""

import numpy as np
import pandas as pd
import pytest
import torch

from dlthink.data.tables.reals import Reals
from dlthink.errors import BadInput
from tests.data.tables.made import everything, frame, reals, written


def refused(says, path, target="y", **settings):
    with pytest.raises(BadInput) as error:
        reals(path, target, **settings)
    line = str(error.value)
    assert "\n" not in line
    for word in says:
        assert word in line, line


@pytest.fixture
def path(tmp_path):
    return written(tmp_path, frame())


def test_no_features_are_not_all_of_them(tmp_path):
    refused(["names no column to predict from"], written(tmp_path, frame()), features=[])


def test_a_table_becomes_splits(path):
    data = reals(path)
    assert data.facts["n_in"] == len(["a", "b", "paid", "day"]) + 4  # the day's place in the year and the week
    assert data.facts["category_sizes"] == [4] and data.facts["target_names"] == ["y"] and data.facts["n_targets"] == 1
    assert data.facts["quantiles"].shape == (8, 49)
    assert set(data.facts) == set(Reals.fact_names({}))
    assert len(data.train) + len(data.val) + len(data.test) == 200
    _, _, y = everything(data)
    assert sorted(y[:, 0].tolist()) == pytest.approx(sorted(frame()["y"]))
    x, _ = data.train.take(torch.arange(len(data.train)))
    assert x["numbers"].mean(0)[:4].abs().max() < 1e-5 and x["categories"].dtype == torch.int32
    assert "read 200 rows, 6 columns" in data.notes
    assert any("2 numbers, 1 boolean, 1 date, 1 category; rows for train / val / test" in note for note in data.notes)


def test_rows_keep_their_targets(path):
    data = reals(path, features=["a"])
    numbers, _, y = everything(data)
    part = data.state["columns"][0]["parts"][0]
    a = numbers[:, 0] * part["std"] + part["mean"]
    wanted = dict(zip(frame()["a"], frame()["y"], strict=True))
    for one, target in zip(a.tolist(), y[:, 0].tolist(), strict=True):
        near = min(wanted, key=lambda value: abs(value - one))
        assert target == pytest.approx(wanted[near], abs=1e-4)


def test_the_same_table_is_split_alike_again_and_seen_rows_of_another_are_left_out(path, tmp_path):
    data = reals(path)
    again = reals(path, state=data.state)
    for role in ("train", "val", "test"):
        first, second = (getattr(one, role) for one in (data, again))
        assert torch.equal(first.y, second.y) and torch.equal(first.x["numbers"], second.x["numbers"])
    assert again.facts is data.state["facts"]
    other = pd.concat([frame(), frame(50, seed=9)])
    new = reals(written(tmp_path, other, "other.csv"), state=data.state)
    assert len(new.train) == len(new.val) == 0 and len(new.test) == 50 + len(data.test)
    assert any(f"the run has seen them: {200 - len(data.test)} rows" in note for note in new.notes)


def test_published_splits_stay_though_equal_rows_stand_on_both_sides(tmp_path):
    table = pd.concat([frame(100).assign(s="train"), frame(100)[:20].assign(s="test")])
    path = written(tmp_path, table)
    data = reals(path, split="s")
    assert len(data.test) == 20 and len(data.train) + len(data.val) == 100
    in_training = sum(bool((data.train.x["numbers"] == row).all(1).any()) for row in data.test.x["numbers"])
    assert f"{in_training} of 20 rows of test stand in training too, all features alike" in data.notes
    again = reals(path, split="s", state=data.state)
    assert len(again.test) == 20 and torch.equal(again.test.y, data.test.y)


def test_settings_that_would_move_rows_are_refused(path):
    data = reals(path)
    for name, value in {"fold": 1, "validation": 0.3, "target": "b", "ignore": ["b"], "split": "colour"}.items():
        with pytest.raises(BadInput, match=f"data.{name}"):
            Reals(**({"path": path, "target": "y"} | {name: value}), state=data.state)


def test_several_targets_missing_ones_one_by_one(tmp_path):
    table = frame().assign(z=lambda t: 3 * t["b"])
    table.loc[:9, "y"] = np.nan
    table.loc[5:19, "z"] = np.nan
    data = reals(written(tmp_path, table), ["y", "z"])
    _, _, y = everything(data)
    assert len(y) == 195 and int(y[:, 0].isnan().sum()) == 5 and int(y[:, 1].isnan().sum()) == 10
    assert data.facts["target_names"] == ["y", "z"] and data.facts["unit"] == ["", ""]
    train = data.train.y
    assert data.facts["target_std"] == pytest.approx([float(np.nanstd(train[:, i])) for i in (0, 1)], rel=1e-5)
    assert any("left out, no target: 5 rows" in note for note in data.notes)


def test_a_copy_of_the_target_is_left_out_and_a_multiple_asked_about(tmp_path):
    data = reals(written(tmp_path, frame().assign(copy=lambda t: t["y"], cents=lambda t: 100 * t["y"] + 7)))
    assert "copy" not in [column["name"] for column in data.state["columns"]]
    assert any("equal to the target in all training rows: copy" in note for note in data.notes)
    assert any("the target is cents times a number" in note and "data.ignore=[cents]" in note for note in data.notes)


def test_ignored_group_and_split_columns_are_no_features(tmp_path):
    table = frame().assign(
        split_0="train", split_1=np.where(np.arange(200) % 4, "train", "test"), who=np.arange(200) // 4
    )
    data = reals(written(tmp_path, table), split="split_1", ignore=["split_*", "day"], group="who")
    assert [column["name"] for column in data.state["columns"]] == ["a", "b", "colour", "paid"]


def test_numbers_that_are_codes(tmp_path):
    table = frame().assign(zip=lambda t: np.arange(200) % 3 + 10115)
    data = reals(written(tmp_path, table), categories=["zip"])
    (words,) = [column["words"] for column in data.state["columns"] if column["name"] == "zip"]
    assert sorted(words) == ["10115", "10116", "10117"]


def test_what_is_known_goes_to_the_examination_alone(path):
    data = Reals(path=path, target="y", baselines=["constant", "linear"])
    index = torch.tensor([3, 0])
    known = data.test.known(index)
    assert set(known["baselines"]) == {"constant", "linear"} and known["baselines"]["linear"]["mean"].shape == (2, 1)
    whole = data.test.known(torch.arange(len(data.test)))["baselines"]["linear"]["mean"]
    assert torch.equal(known["baselines"]["linear"]["mean"], whole[index])
    assert data.train.known(index) == {}
    error = float((data.test.y - whole).square().mean().sqrt())
    assert error < 0.7 < float(data.test.y.std())
    assert not {"constant", "linear"} & set(data.test.take(index)[0])


def test_the_drawn_table_knows_its_truth():
    data = Reals(rows=4000, baselines=[])
    known = data.test.known(torch.arange(len(data.test)))
    z = (data.test.y - known["mean"]) / known["std"]
    assert abs(float(z.mean())) < 0.12 and abs(float(z.std()) - 1) < 0.08
    assert set(known["baselines"]) == {"truth"} and known["std"].std() > 0.1
    assert {column["kind"] for column in data.state["columns"]} == {"number", "boolean", "category", "date"}
    gaps = next(column["gaps"] for column in data.state["columns"] if column["name"] == "nitrogen")
    assert gaps > 0.1 * len(data.train)
    nitrogen = known["std"][data.test.x["numbers"][:, -1] == 1]  # of unknown nitrogen the spread is part
    assert nitrogen.min() > 0.6 > known["std"].min()


def test_columns_are_written_down(path):
    rows = reals(path).tables["columns.csv"]
    assert rows[0][:2] == ["column", "taken_as"]
    assert {row[0]: row[1] for row in rows[1:]} == {
        "a": "number",
        "b": "number",
        "colour": "category",
        "paid": "boolean",
        "day": "date",
        "y": "no feature",
    }


# -------------------------------------------------------------------------------------------------------- bad input


def test_columns_that_are_not_there(path, tmp_path):
    refused(["data.target=Y2", "did you mean y?"], path, "Y2")
    refused(["data.target", "a, b, colour"], path, None)
    refused(["data.ignore", "no column bb", "did you mean b?"], path, ignore=["bb"])
    refused(["data.features", "no column x*"], path, features=["x*"])
    refused(["data.group=whom"], path, group="whom")
    refused(["data.target=[y,y]", "twice"], path, ["y", "y"])
    with pytest.raises(BadInput, match=r"^data.path=\S*other.csv has no column a;"):
        reals(written(tmp_path, frame().drop(columns="a"), "other.csv"), state=reals(path).state)


def test_targets_that_are_none(tmp_path):
    def bad(values, *says):
        refused(["data.target=y", *says], written(tmp_path, frame().assign(y=values)))

    bad(["high", "low"] * 100, "line 2", "'high' is no number", "no other is")
    bad([*map(str, range(199)), "high"], "line 201", "'high' is no number", "199 others are")
    bad(["5.5"] * 199 + [">10"], "line 201", "'>10' is a bound (< or >), no value; mend it")
    bad(["5.5 g"] * 199 + ["48 mg"], "line 201", "'48 mg' is in another unit than g; mend it")
    bad(["2020-01-01"] * 200, "dates")
    refused(["target is missing in all 200 rows"], written(tmp_path, frame().assign(y=np.nan)))


def test_infinite_values(tmp_path):
    refused(
        ["column a", "line 9", "infinite"],
        written(tmp_path, frame().assign(a=np.where(np.arange(200) == 7, np.inf, 1))),
    )
    refused(["column y", "infinite"], written(tmp_path, frame().assign(y=np.where(np.arange(200) == 7, np.inf, 1))))


def test_dates_that_are_none(tmp_path):
    table = frame()
    table.loc[4, "day"] = "2023-02-30"
    refused(["column day", "line 6", "'2023-02-30' is no date"], written(tmp_path, table))


def test_too_few_rows_and_nothing_to_predict_from(tmp_path):
    refused(["no row of 1 is left for"], written(tmp_path, frame(1)))
    refused(["no feature is left", "same in all training rows"], written(tmp_path, frame()[["y"]].assign(a=1)))
    refused(
        ["is left for", "a, which keeps groups", "the same in all"], written(tmp_path, frame().assign(a=1)), group="a"
    )
    refused(["no column is left"], written(tmp_path, frame()[["y", "a"]]), ignore=["a"])


def test_the_packages_are_named_where_they_are_missing(path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    refused(["pip install 'dlthink[table]'"], path)


def test_what_looks_strange_in_a_file_is_told(tmp_path):
    table = frame(120).assign(zip=[f"{i % 7:05d}" for i in range(120)], y=lambda t: t["y"].map("{:.3f} kg".format))
    table.loc[119, "colour"] = "Total"
    notes = "; ".join(reals(written(tmp_path, table)).notes)
    assert "line 121 reads Total" in notes and "data.categories=[zip]" in notes and "predicted in it: y (kg)" in notes


def test_codes_for_missing_values_are_told(tmp_path):
    made = frame(100)
    made["a"] = np.where(np.arange(100) % 9 == 0, -99, 1000 + made["a"].abs() * 100)
    made["y"] = np.where(np.arange(100) % 7 == 0, 9999, made["y"])
    (told,) = [note for note in reals(written(tmp_path, made)).notes if "codes for missing" in note]
    assert told.startswith("unlike all others") and "a (-99), y (9999)" in told
    made["a"], made["y"] = np.arange(100) % 100, made["b"]  # 99 is one of many
    assert not [note for note in reals(written(tmp_path, made)).notes if "codes for missing" in note]


def test_merged_cells_are_told(tmp_path):
    table = frame(120).assign(land=[f"L{i // 30}" if i % 30 == 0 else None for i in range(120)])
    assert any("land is filled in some rows and empty below" in note for note in reals(written(tmp_path, table)).notes)


def test_numbers_in_two_units_are_told_as_such(tmp_path):
    table = frame().assign(price=lambda t: [f"{'$' if i % 3 else '€'}{x}" for i, x in enumerate(t["a"])])
    notes = "; ".join(reals(written(tmp_path, table)).notes)
    assert (
        "mend its words: price (66% numbers, and '€" in notes or "mend its words: price (67% numbers, and '€" in notes
    )


def test_lists_and_records_are_left_out_of_parquet(tmp_path):
    table = frame().assign(pair=lambda t: [[x, 1.0] for x in t["a"]], about=lambda t: [{"x": x} for x in t["a"]])
    table["time"] = pd.to_timedelta(np.arange(200) * 17 % 60, "min")
    table.to_parquet(tmp_path / "t.parquet")
    data = reals(tmp_path / "t.parquet")
    assert any("left out, lists or records in its cells: pair, about" in note for note in data.notes)
    assert "time" in [column["name"] for column in data.state["columns"]]
    refused(["holds lists or records"], tmp_path / "t.parquet", target="pair")


def test_names_of_columns_that_are_numbers(tmp_path):
    table = frame().rename(columns={"a": 0, "y": 2023})
    data = reals(written(tmp_path, table), 2023, features=[0, "b"])
    assert [column["name"] for column in data.state["columns"]] == ["0", "b"] and data.state["targets"] == ["2023"]


@pytest.mark.parametrize("value, says", [(5.0, "is 5 in all"), (np.nan, "is missing in all")])
def test_a_target_that_never_varies(tmp_path, value, says):
    table = frame(60).assign(z=value)
    refused(["data.target=z", says, "nothing to learn"], written(tmp_path, table), target=["y", "z"])


def test_a_wide_table_is_not_taken_apart_by_its_frame(tmp_path, monkeypatch):
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 40)), columns=[f"x{i}" for i in range(39)] + ["y"])
    monkeypatch.setattr(pd.DataFrame, "pop", lambda *_: pytest.fail("each takes as long as the table is wide"))
    assert len(reals(written(tmp_path, wide)).facts["category_sizes"]) == 0
