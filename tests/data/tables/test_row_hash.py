"""Numbers of rows: by what stands in them alone."""

import numpy as np

from dlthink.data.tables.row_hash import apart, row_ties, shares, word_ties


def ties(**columns):
    return row_ties(columns.items(), len(next(iter(columns.values()))))


def test_equal_rows_alone_are_equal():
    a, b = np.array([1.0, 1.0, 2.0, np.nan, np.nan]), np.array([0.0, -0.0, 0.0, 1.0, 1.0])
    found = ties(a=a, b=b)
    assert found.dtype == np.int64 and found[0] == found[1] and found[3] == found[4]
    assert len(set(found.tolist())) == 3


def test_the_order_of_columns_does_not_matter_and_their_names_do():
    a, b = np.random.default_rng(0).normal(size=(2, 50))
    assert np.array_equal(ties(a=a, b=b), ties(b=b, a=a))
    assert not (ties(a=a, b=b) == ties(a=b, b=a)).any()


def test_words_by_what_they_are():
    first = word_ties(np.array([0, 1, -1]), ["x", "y"])
    second = word_ties(np.array([1, 0, -1]), ["y", "x"])
    assert np.array_equal(first, second) and len(set(first.tolist())) == 3


def test_these_numbers_stay():
    """A run's state holds them: another version must find the same."""
    found = ties(a=np.array([1.0, 2.5]), b=np.array([0.0, np.nan]))
    assert found.tolist() == [-6571788524995166372, 6471756025731345826]
    assert shares(np.array([1, 2])).tolist() == [0.23927760905531137, 0.7773263890345272]


def test_shares_are_even_and_independent_for_another_salt():
    found = np.arange(20_000, dtype=np.int64)
    a, b = shares(found), shares(found, "validation")
    for u in (a, b):
        assert abs(np.histogram(u, 10, (0, 1))[0] - 2000).max() < 200
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.02


def test_equal_rows_are_samples_of_their_own_where_most_rows_are():
    few = row_ties([("a", np.array([1.0, 2, 2, 3]))], 4)
    assert apart(few)[1] and np.array_equal(apart(few)[0], few)
    many = row_ties([("a", np.array([1.0, 1, 1, 2, 2, 2, 2]))], 7)
    split, together = apart(many)
    assert not together and len(set(split.tolist())) == 7
    assert np.array_equal(np.sort(apart(many[::-1])[0]), np.sort(split))  # in another order, the same
