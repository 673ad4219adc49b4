"""The list of entries of a zip is measured without reading it: small ones, large ones, and what is none."""

import zipfile

import pytest

from dlthink.files.zip_directory import check_directory


def made(path, entries, comment=b""):
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = comment
        for i in range(entries):
            archive.writestr(f"{i:05}", b"")
    return path


@pytest.mark.parametrize("large", [False, True], ids=["small", "zip64"])
def test_as_many_bytes_as_zipfile_would_read(tmp_path, monkeypatch, large):
    if large:
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    path = made(tmp_path / "x.zip", 7)
    assert (b"PK\6\6" in path.read_bytes()) == large
    check_directory(path, 7 * (46 + 5))
    with pytest.raises(zipfile.BadZipFile, match="too many"):
        check_directory(path, 7 * (46 + 5) - 1)


def test_what_is_no_zip_or_says_more_behind_its_end(tmp_path):
    (tmp_path / "short").write_bytes(b"PK\5\6")
    (tmp_path / "zeros").write_bytes(bytes(200))
    for path in (tmp_path / "short", tmp_path / "zeros", made(tmp_path / "comment.zip", 2, b"hello")):
        with pytest.raises(zipfile.BadZipFile, match="no zip"):
            check_directory(path, 1 << 20)
