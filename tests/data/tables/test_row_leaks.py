"""Which rows of another table a run has seen."""

import numpy as np

from dlthink.data.tables.row_hash import row_ties
from dlthink.data.tables.row_leaks import roles_unseen, seen, whole_rows


def test_equal_features_with_another_target_are_another_row():
    ties = row_ties([("a", np.array([1.0, 2.0, 2.0]))], 3)
    y = np.array([[0.5, np.nan], [1.0, 2.0], [1.0, 3.0]])
    before = seen(whole_rows(ties, y), np.array(["train", "val", "test"]))
    roles, notes = roles_unseen(whole_rows(ties, y), before)
    assert roles.tolist() == ["", "", "test"] and notes == ["left out, the run has seen them: 2 rows"]
    moved, _ = roles_unseen(whole_rows(ties, y + 0.5), before)
    assert moved.tolist() == ["test"] * 3


def test_words_whatever_their_order():
    ties = row_ties([("a", np.arange(3.0))], 3)
    one, other = whole_rows(ties, np.array(["x", "y", "x"])), whole_rows(ties[::-1], np.array(["x", "z", "x"]))
    assert (one == other[::-1]).tolist() == [True, False, True]
