"""Who is test or validation among identities: nobody who is trained on, where there are enough of them."""

import numpy as np
import pandas as pd
import pytest

from dlthink.data.tables.identity_roles import FEW, IdentitySplitting
from dlthink.data.tables.readers.read_table import Source
from dlthink.data.tables.row_hash import mixed

SOURCE = Source("data.path=t.csv")
ROLES = ("train", "val", "test")


def split(names, said=None, **settings):
    """{role: who is in it}, notes"""
    names = np.asarray(names)
    frame = pd.DataFrame({"who": names} if said is None else {"who": names, "s": said})
    ties = mixed(np.arange(len(names), dtype=np.uint64)).view(np.int64)
    settings |= {} if said is None else {"split": "s"}
    found, notes = IdentitySplitting(**settings, identity="who", names=names).roles(frame, ties, SOURCE)
    return {role: set(names[found == role].tolist()) for role in ROLES}, notes


def people(n, rows=8):
    return np.repeat([f"p{i}" for i in range(n)], rows)


@pytest.mark.parametrize("n", [6, 9, 13, FEW - 1, FEW, 200])
def test_by_chance_each_split_has_two_identities_of_its_own(n):
    tests = []
    for fold in range(5):
        parts, _ = split(people(n), fold=fold)
        assert all(len(part) > 1 for part in parts.values())
        assert sum(map(len, parts.values())) == len(set.union(*parts.values())) == n
        tests += parts["test"]
    assert set(tests) == set(people(n).tolist())
    assert n < 10 or len(tests) == n  # folds are disjoint


def test_fewer_than_six_are_a_closed_set_which_is_told():
    parts, notes = split([*people(5, 40), "once"])
    assert parts["test"] - {"once"} == parts["train"] - {"once"} == set(people(5).tolist()) and parts["val"]
    assert notes == [
        "who has 5 values with two rows or more, too few to keep some for test and some for validation: rows of each "
        "are in all splits, so nothing is said of what was never trained"
    ]


def test_a_column_that_tests_strangers_has_strangers_for_validation():
    names = people(9)
    said = np.where(np.isin(names, ["p0", "p1", "p2"]), "test", "train")
    parts, notes = split(names, said)
    assert parts["test"] == {"p0", "p1", "p2"} and len(parts["val"]) == 2 and len(parts["train"]) == 4
    pair = " and ".join(sorted(parts["val"]))
    whole = "the 6 values of who that are not test"
    assert notes == [f"validation is {pair}, two of {whole}: not trained on, as those of test are not"]
    assert len(split(names, said, validation=0.6)[0]["val"]) > 2


def test_three_to_train_on_or_a_column_of_a_closed_set_give_rows_for_validation():
    names = people(5, 90)
    parts, notes = split(names, np.where(np.isin(names, ["p0", "p1"]), "test", "train"))
    assert parts["val"] == parts["train"] == {"p2", "p3", "p4"} and "3 values to train on, too few" in notes[0]
    parts, notes = split(names, np.where(np.arange(len(names)) % 3, "train", "test"))
    assert parts["val"] == parts["train"] == parts["test"]
    assert notes == ["test is of the values of who that are trained on, and so is validation"]


def test_a_column_that_says_validation_and_a_group_have_their_way():
    names = people(9)
    said = np.resize(["train", "val", "test"], len(names))
    parts, notes = split(names, said)
    assert parts["val"] == parts["train"] and not notes
    group = pd.DataFrame({"who": names, "day": np.arange(len(names)) % 12})
    ties = mixed(np.arange(len(names), dtype=np.uint64)).view(np.int64)
    found, _ = IdentitySplitting(group="day", identity="who", names=names).roles(group, ties, SOURCE)
    assert all(len(set(found[group.day == day])) == 1 for day in range(12))


def test_a_fraction_of_few_thins_rows_and_of_many_identities():
    assert len(split(people(12), fraction=0.3)[0]["train"]) == len(split(people(12))[0]["train"])
    assert len(split(people(200), fraction=0.3)[0]["train"]) == round(0.3 * len(split(people(200))[0]["train"]))
