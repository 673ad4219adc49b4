"""A signature holds for this very text and this user's key, and for nothing else."""

import os
import stat

import pytest
import yaml

from dlthink.runs import signature


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Where a key may lie: two folders that are not there yet."""
    found = [tmp_path / "first" / "key", tmp_path / "second" / "key"]
    monkeypatch.setattr(signature, "_places", lambda: found)
    return found


TEXT = "a: 1\nb: '# signed: 0'\n"


def test_it_holds_for_this_very_text():
    whole = signature.sign(TEXT)
    assert whole.startswith(TEXT) and yaml.safe_load(whole) == yaml.safe_load(TEXT)
    assert signature.signed(whole) and signature.sign(TEXT) == whole
    code = whole.splitlines()[-1].removeprefix("# signed: ")
    assert len(code) == 64
    for other in (
        whole.replace("1", "2", 1),
        whole.replace("\n", "\n\n", 1),
        whole + "c: 3\n",
        whole.replace(code, code[:-1]),
        whole.replace(code, ""),
        whole.replace(code, "ä"),
        f"c: 3\n# signed: {code}\n",
        f"{whole}c: 3\n# signed: {code}\n",
        TEXT,
        "",
    ):
        assert not signature.signed(other)


def test_another_user_cannot_sign(places):
    whole = signature.sign(TEXT)
    places[0].unlink()
    assert not signature.signed(whole)
    assert signature.sign(TEXT) != whole


@pytest.mark.skipif(os.name != "posix", reason="other rights here")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o620])
def test_only_its_owner_may_read_the_key(places, mode):
    whole = signature.sign(TEXT)
    assert stat.S_IMODE(places[0].stat().st_mode) == 0o600
    places[0].chmod(mode)  # others could have read or, worse, written it
    assert not signature.signed(whole)


def test_where_no_key_can_be_kept(places):
    for path in places:
        path.parent.write_text("in the way")
    assert signature.sign(TEXT) == TEXT
    places[1].parent.unlink()
    assert signature.signed(signature.sign(TEXT)) and places[1].exists()


def test_a_key_cut_short_signs_nothing(places):
    signature.sign(TEXT)
    places[0].write_bytes(places[0].read_bytes()[:4])
    assert signature.signed(signature.sign(TEXT)) and places[1].exists()


def test_of_two_who_make_a_key_the_first_wins(places, monkeypatch):
    whole, first = signature.sign(TEXT), places[0].read_bytes()
    with monkeypatch.context() as then:
        then.setattr(signature, "_key", lambda: None)  # as the slower one saw it
        signature.sign(TEXT)
    assert places[0].read_bytes() == first and [p.name for p in places[0].parent.iterdir()] == ["key"]
    assert signature.signed(whole)
