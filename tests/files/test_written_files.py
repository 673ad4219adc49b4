"""A file that was not written here is not written over; one that was, as long as nobody has changed it."""

import pytest

from dlthink.config.arguments import file_to_write
from dlthink.errors import BadInput
from dlthink.files.atomic import atomic
from dlthink.files.written_files import is_ours, remember


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))


def test_a_file_of_the_users_stays(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("my,data\n")
    with pytest.raises(BadInput, match=r"output=.*is there already.*choose another name"):
        file_to_write("output", str(path), ".csv")


def test_what_was_written_here_is_written_again_until_it_is_changed(tmp_path):
    path = tmp_path / "t.csv"
    for text in ("1", "2"):
        with atomic(str(file_to_write("output", str(path), ".csv"))) as file:
            file.write(text)
    assert path.read_text() == "2" and is_ours(path)
    path.write_text("2, and my own notes")
    with pytest.raises(BadInput, match="was changed since"):
        file_to_write("output", str(path), ".csv")


def test_an_empty_file_is_nobodys(tmp_path):
    (tmp_path / "t.csv").touch()
    assert file_to_write("output", str(tmp_path / "t.csv"), ".csv") == tmp_path / "t.csv"


def test_without_a_cache_nothing_is_remembered_and_nothing_fails(tmp_path, monkeypatch):
    (tmp_path / "kept").write_text("a file where the folder should be")
    (tmp_path / "t.csv").write_text("x")
    remember(tmp_path / "t.csv")
    assert not is_ours(tmp_path / "t.csv") and not is_ours(tmp_path / "none.csv")
