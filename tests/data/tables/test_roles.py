"""Who is train, val and test: as a column says, by chance, by groups, by time."""

import numpy as np
import pandas as pd
import pytest

from dlthink.data.tables.readers.read_table import Source
from dlthink.data.tables.roles import FOLDS, Splitting
from dlthink.data.tables.row_hash import mixed
from dlthink.errors import BadInput


def source():
    return Source("data.path=t.csv")


N = 2000


def ties(n=N):
    return mixed(np.arange(n, dtype=np.uint64)).view(np.int64)


def roles(frame=None, tied=None, **settings):
    frame = pd.DataFrame({"x": np.arange(N)}) if frame is None else frame
    return Splitting(**settings).roles(frame, ties(len(frame)) if tied is None else tied, source())


def share(found, role):
    return (found == role).mean()


def test_by_chance_shares_are_as_asked_and_folds_are_disjoint():
    every = [roles(fold=fold, validation=0.25)[0] for fold in range(FOLDS)]
    for found in every:
        assert share(found, "test") == pytest.approx(0.2, abs=0.03)
        assert share(found, "val") == pytest.approx(0.8 * 0.25, abs=0.03)
    assert (sum(found == "test" for found in every) == 1).all()


def test_a_row_has_its_role_whatever_is_beside_it():
    whole = roles()[0]
    some = np.arange(N)[::-1][::3]
    assert np.array_equal(roles(pd.DataFrame({"x": some}), ties()[some])[0], whole[some])


def test_equal_rows_stay_together():
    tied = np.repeat(ties(N // 2), 2)
    found = roles(tied=tied)[0]
    assert (found[::2] == found[1::2]).all()


def test_a_column_says_it_in_any_case():
    words = np.array(["Train", "TRAINING", "valid", "Validation ", "dev", "test", "Holdout"])
    found, notes = roles(pd.DataFrame({"s": words}), split="s")
    assert found.tolist() == ["train", "train", "val", "val", "val", "test", "test"] and not notes


def test_without_validation_rows_a_share_of_train():
    frame = pd.DataFrame({"s": np.where(np.arange(N) % 4, "train", "test")})
    found, _ = roles(frame, split="s", validation=0.2)
    assert (found[::4] == "test").all() and share(found, "val") == pytest.approx(0.75 * 0.2, abs=0.03)


def test_rows_without_a_word_are_left_out_and_other_words_refused():
    frame = pd.DataFrame({"s": ["train", None, "test"]})
    found, notes = roles(frame, split="s")
    assert found[1] == "" and notes == ["left out, no word in s: 1 rows"]
    with pytest.raises(BadInput, match=r"data.split=s: data.path=t.csv says maybe in that column"):
        roles(pd.DataFrame({"s": ["train", "maybe"]}), split="s")
    with pytest.raises(BadInput, match=r"data.split=t: data.path=t.csv has no column t; there is s"):
        Splitting(split="t").check(frame, source())


def test_a_group_stays_on_one_side():
    who = np.arange(N) // 10
    found, _ = roles(pd.DataFrame({"who": who}), group="who")
    for one in range(N // 10):
        assert len(set(found[who == one])) == 1
    assert share(found, "test") == pytest.approx(0.2, abs=0.08)
    words = pd.DataFrame({"who": [f"p{i}" for i in who], "s": np.where(np.arange(N) % 2, "train", "test")})
    _, notes = roles(words, split="s", group="who")
    assert notes == ["200 groups of who stand in test and in training, as s says"]


def test_blocks_of_time_are_contiguous_and_equal_times_together():
    when = np.random.default_rng(0).permutation(N) // 3
    found, _ = roles(pd.DataFrame({"t": when}), time="t", blocks=10)
    ordered = found[np.argsort(when, kind="stable")]
    assert (ordered[1:] != ordered[:-1]).sum() == 7  # train train test train val, twice
    assert share(found, "test") == pytest.approx(0.2, abs=0.01) and share(found, "val") == pytest.approx(0.2, abs=0.01)
    for moment in range(0, N // 3, 7):
        assert len(set(found[when == moment])) == 1
    turned = [roles(pd.DataFrame({"t": when}), time="t", blocks=10, fold=fold)[0] == "test" for fold in range(5)]
    assert (sum(turned) == 1).all()


def test_times_may_be_dates_and_must_be_there():
    days = pd.Series(np.datetime64("2020-01-01") + np.arange(40).astype("timedelta64[D]"))
    found, _ = roles(pd.DataFrame({"t": days.astype(str)}), time="t", blocks=5)
    assert found.tolist() == [role for role in ("train", "train", "test", "train", "val") for _ in range(8)]
    with pytest.raises(BadInput, match=r"line 3: there is no time"):
        roles(pd.DataFrame({"t": [1.0, np.nan, *range(30)]}), time="t")
    with pytest.raises(BadInput, match=r"line 42: 'soon' is no time"):
        roles(pd.DataFrame({"t": [*map(str, range(40)), "soon"]}), time="t")
    with pytest.raises(BadInput, match="words in that column"):
        roles(pd.DataFrame({"t": list("abcdefgh")}), time="t")
    with pytest.raises(BadInput, match="has 7 rows only"):
        roles(pd.DataFrame({"t": np.arange(7)}), time="t")


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"validation": 1.0}, "data.validation=1.0"),
        ({"fold": 5}, "data.fold=5"),
        ({"blocks": 4}, "data.blocks=4"),
        ({"time": "t", "group": "g"}, "data.time and data.group"),
        ({"time": "t", "split": "s"}, "data.time and data.split=s"),
    ],
)
def test_settings_that_make_no_sense(settings, says):
    with pytest.raises(BadInput, match=says):
        Splitting(**settings)
