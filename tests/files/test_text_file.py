"""A text file of any encoding, line end and packing; what would never end is told at once."""

import gzip
import os
import subprocess
import sys

import pytest

from dlthink.data.molecules.readers.sd_file import cut
from dlthink.errors import BadInput
from dlthink.files import text_file
from dlthink.files.text_file import LONGEST, TextFile

TEXT = "CCO Stärke\n\n  C µ \nno end"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_lines_are_the_same_however_they_were_saved(tmp_path, monkeypatch, end, packed, encoding):
    monkeypatch.setattr(text_file, "BLOCK", 3)  # so that characters and line ends are cut in two
    data = TEXT.replace("\n", end).encode(encoding)
    (tmp_path / "a").write_bytes(gzip.compress(data[:9]) + gzip.compress(data[9:]) if packed else data)
    file = TextFile(tmp_path / "a")
    assert list(file) == list(file) == list(file.watched("")) == TEXT.split("\n")
    assert file.lines == 3 and file.head == TEXT


def test_the_end_of_an_sd_file_is_known(tmp_path):
    for text, ended in (("a\n$$$$\n", True), ("a\n$$$$", True), ("a\n$$$$  \n\n", True), ("a\n", False)):
        (tmp_path / "a").write_text(text)
        assert TextFile(tmp_path / "a").ended is ended


def test_an_endless_line(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        file.write(b"CCO\n")
        file.truncate(3 << 30)  # zeros that take no place
    with pytest.raises(BadInput, match=rf"data.path={tmp_path}/a: line 2 has more than {LONGEST:,} characters"):
        TextFile(tmp_path / "a")


@pytest.mark.parametrize("line", [b"CCO ethanol\n", b"\n", b" ", b"C"])
def test_a_bomb_ends_at_a_bounded_size(tmp_path, monkeypatch, line):
    """The 3 MB that unpack to 3 GB, made small: the limits are."""
    monkeypatch.setattr(text_file, "SMALL", 1 << 16)
    monkeypatch.setattr(text_file, "LONGEST", 1 << 17)
    (tmp_path / "a.gz").write_bytes(gzip.compress(line * 1_000_000))
    with pytest.raises(BadInput, match=r"a\.gz: unpacks to more than \d|has more than 131,072 characters"):
        TextFile(tmp_path / "a.gz")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_memory_does_not_grow_with_the_file(tmp_path):
    """30 MB of lines with 20 MB of memory to grow into."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"CCO ethanol\n" * 2_500_000))
    code = (
        "import re, sys; from dlthink.files.text_file import TextFile\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
        "before = peak()\n"  # ru_maxrss would count who started it, and never grow
        "lines = sum(1 for _ in TextFile(sys.argv[1]))\n"
        "print(lines, peak() - before)"
    )
    made = subprocess.run([sys.executable, "-c", code, tmp_path / "a.gz"], capture_output=True, text=True, check=True)
    lines, grown = map(int, made.stdout.split())
    assert lines == 2_500_000 and grown < 20_000  # kB


def test_a_record_without_an_end():
    with pytest.raises(BadInput, match=r"input=x: record 2 has more than .*is its \$\$\$\$ missing"):
        list(cut(["C", "$$$$", *["x" * 1_000_000] * 17], "input=x"))


@pytest.mark.parametrize(
    "content, what", [(b"PK\x03\x04rest", "zip archive or a workbook"), (b"BZh91AY", "bzip2"), (b"\xfd7zXZ\0", "xz")]
)
def test_another_packing_is_named(tmp_path, content, what):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(BadInput, match=f"data.path=.*a: is a {what}.*: unpack it"):
        TextFile(tmp_path / "a")


def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a")
    with pytest.raises(BadInput, match="is no ordinary file"):
        TextFile(tmp_path / "a")
