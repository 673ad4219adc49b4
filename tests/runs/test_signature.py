"""A signature holds for this very text and this user's key, and for nothing else."""

import os
import stat

import pytest

from dlthink.runs import signature


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Where a key may lie: two folders that are not there yet."""
    found = [tmp_path / "first" / "key", tmp_path / "second" / "key"]
    monkeypatch.setattr(signature, "_places", lambda: found)
    return found


def test_it_holds_for_this_very_text():
    said = signature.sign("a: 1\n")
    assert signature.signed("a: 1\n", said) and signature.sign("a: 1\n") == said
    for text, other in (("a: 2\n", said), ("a: 1", said), ("a: 1\n", said[:-1]), ("a: 1\n", ""), ("a: 1\n", "ä")):
        assert not signature.signed(text, other)
    for other in (None, 3, [said], {"a": said}, True):
        assert not signature.signed("a: 1\n", other)


def test_another_user_cannot_sign(places):
    said = signature.sign("a: 1\n")
    places[0].unlink()
    assert not signature.signed("a: 1\n", said)
    assert signature.sign("a: 1\n") != said


@pytest.mark.skipif(os.name != "posix", reason="other rights here")
def test_only_its_owner_may_read_the_key(places):
    said = signature.sign("a: 1\n")
    assert stat.S_IMODE(places[0].stat().st_mode) == 0o600
    places[0].chmod(0o644)  # others could have read or, worse, written it
    assert not signature.signed("a: 1\n", said)


def test_where_no_key_can_be_kept(places):
    for path in places:
        path.parent.write_text("in the way")
    assert signature.sign("a: 1\n") is None and not signature.signed("a: 1\n", None)
    places[1].parent.unlink()
    assert signature.signed("a: 1\n", signature.sign("a: 1\n")) and places[1].exists()


def test_of_two_who_make_a_key_the_first_wins(places, monkeypatch):
    said = signature.sign("a: 1\n")
    first = places[0].read_bytes()
    monkeypatch.setattr(signature, "_key", lambda: None)  # as the slower one saw it
    assert signature.sign("a: 1\n") is None
    assert places[0].read_bytes() == first and said and [p.name for p in places[0].parent.iterdir()] == ["key"]
