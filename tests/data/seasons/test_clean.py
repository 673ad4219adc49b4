"""What cleaning finds, one by one: what goes, what stays, what is told and written."""

import pytest

from dlthink.data.seasons.clean import HEADER, Photo, cleaned


def photo(name, season="summer", split="train", shown=None, sides=(64, 64), spread=50.0, problem=""):
    return Photo(name, season, split, name if shown is None else shown, sides, spread, problem)


def stay(photos, **more):
    found = cleaned(photos, 64, **more)
    return [photos[i].name for i in found.stay]


def rows(photos, **more):
    return {row[0]: row[3:] for row in cleaned(photos, 64, **more).table[1:]}


def test_nothing_is_wrong():
    found = cleaned([photo("a"), photo("b", "winter"), photo("c", split="test")], 64)
    assert found.stay == [0, 1, 2] and found.note == "" and found.table == [HEADER]


def test_a_copy_in_train_and_test_goes_from_train():
    photos = [photo("a", shown="x"), photo("b", split="test", shown="x"), photo("c")]
    assert stay(photos) == ["b", "c"] and stay(photos[::-1]) == ["c", "b"]
    assert rows(photos) == {"a": ["in train and test", "no", "b"], "b": ["in train and test", "yes", "a"]}


def test_a_copy_in_both_seasons_goes_everywhere():
    splits = [("a", "summer", "train"), ("b", "winter", "test"), ("c", "summer", "test"), ("d", "summer", "train")]
    photos = [photo(name, season, split, shown="x") for name, season, split in splits] + [photo("e")]
    assert stay(photos) == ["e"]
    assert rows(photos)["a"] == ["in both domains", "no", "b; c; d"]
    assert cleaned(photos, 64).note.endswith(": 4 copies (4 in both domains, where none stays)")


def test_a_repeated_photo_is_kept_once():
    photos = [photo(name, shown="x") for name in "abc"] + [photo("d", shown="y")]
    assert stay(photos) == ["a", "d"]
    assert rows(photos) == {
        "a": ["repeated", "yes", "b; c"],
        "b": ["repeated", "no", "a"],
        "c": ["repeated", "no", "a"],
    }


def test_what_is_nearly_the_same_is_a_copy():
    photos = [photo("a"), photo("b", split="test"), photo("c"), photo("d", shown="a"), photo("flat", spread=0.0)]
    found = cleaned(photos, 64, near=[(0, 1), (2, 4)])
    assert [photos[i].name for i in found.stay] == ["b", "c"]
    assert found.table[1] == ["a", "summer", "train", "in train and test", "no", "b"]
    assert stay(photos, thorough=False, near=[(0, 1)]) == ["a", "b", "c", "d", "flat"]


def test_repeated_in_test_and_in_train_too():
    splits = {"a": "train", "b": "test", "c": "train", "d": "test"}
    photos = [photo(name, split=split, shown="x") for name, split in splits.items()]
    assert stay(photos) == ["b"]
    found = rows(photos)
    assert [found[name][0] for name in "acd"] == ["in train and test", "in train and test", "repeated"]
    assert cleaned(photos, 64).note == (
        "clean: 3 of 4 photos left out, see clean.csv: 3 copies (1 repeated, 2 in train and test)"
    )


@pytest.mark.parametrize(
    "bad, finding",
    [
        ({"problem": "cut short", "sides": (0, 0)}, "unreadable (cut short)"),
        ({"sides": (200, 63)}, "tiny (200 x 63)"),
        ({"spread": 1.9}, "flat"),
    ],
)
def test_what_shows_nothing_goes(bad, finding):
    photos = [photo("a", "winter", "test", **bad), photo("b")]
    found = cleaned(photos, 64)
    assert found.stay == [1] and found.table[1:] == [["a", "winter", "test", finding, "no", ""]]
    kind = finding.split()[0]
    assert found.note == f"clean: 1 of 2 photos left out, see clean.csv: 1 {kind} (a)"


def test_at_the_bounds_a_photo_stays():
    assert stay([photo("a", sides=(64, 64), spread=2.0)]) == ["a"]


def test_photos_without_pixels_are_copies_of_nothing():
    lost = [photo(name, season, shown="", problem="damaged") for name, season in (("a", "summer"), ("b", "winter"))]
    tiny = [photo(name, season, shown="t", sides=(9, 9)) for name, season in (("c", "summer"), ("d", "winter"))]
    found = rows([*lost, *tiny, photo("e", shown="")])
    assert {name: row[0] for name, row in found.items()} == {
        "a": "unreadable (damaged)",
        "b": "unreadable (damaged)",
        "c": "tiny (9 x 9)",
        "d": "tiny (9 x 9)",
    }


def test_not_thorough():
    photos = [photo("a", shown="x"), photo("b", shown="x"), photo("c", spread=0.0), photo("d", problem="damaged")]
    assert stay(photos, thorough=False) == ["a", "b", "c"]
    assert cleaned(photos, 64, thorough=False).note == "1 of 4 photos left out: 1 unreadable (d)"


def test_many_are_counted_and_three_are_named():
    note = cleaned([photo(f"{i:02d}", spread=0.0) for i in range(9)], 64).note
    assert note.endswith("9 flat (00, 01, 02, ...)")
