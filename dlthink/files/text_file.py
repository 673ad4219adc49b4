"""A text file as people have it: plain or gzip, in any common encoding, with any line ends, at bounded size."""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from dlthink.errors import BadInput
from dlthink.progress_bar import progress_bar

HEAD = 200_000  # characters in which a file shows what it is
LONGEST = 1 << 24  # characters of a line or of a record: a molecule of 100,000 atoms has fewer
GZIP = b"\x1f\x8b"
NO_LETTERS = [chr(code) for code in range(32) if chr(code) not in "\t\n\r\f\x00\x1a"]  # which no text has
BINARY = 0.01  # of the characters are such ones
RATIO, SMALL = 100, 1 << 26  # a .gz of molecules unpacks to 5 to 20 times its size; below 64 MB nobody asks
BLOCK = 1 << 16  # bytes read at a time
START = 4096  # bytes that show the encoding
PACKED = {
    b"PK\x03\x04": "zip archive or a workbook",
    b"\xd0\xcf\x11\xe0": "workbook",
    b"BZh": "bzip2 file",
    b"\xfd7zXZ": "xz file",
    b"7z\xbc\xaf": "7z archive",
    b"\x28\xb5\x2f\xfd": "zstd file",
    b"Rar!": "rar archive",
}
MARKS = (  # a byte order mark says the encoding; that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TextFile:
    r"""Lines of a file, without their ends, as often as they are asked for; never more than one of them in memory.

    Opening reads it once from end to end and keeps nothing, so that a file that is cut short, damaged or a bomb is
    told before anything is made of it. Gzip is told by its content. Line ends may be \n, \r\n or \r. The encoding is
    that of a byte order mark, or UTF-16 where zeros say so, or UTF-8, or else Windows-1252, which Excel writes.

    key    the setting that named the file, for messages
    head   its first characters
    lines  how many it has
    encoding, packed  as which text it is read; is it gzip?
    ended  whether the last thing in it is the end of an SD record

    Raises BadInput, naming the file: missing, unreadable, empty, packed otherwise, cut short, damaged; a line of more
    than 16 million characters; bytes that are no text; a .gz that unpacks to more than 100 times its size (and 64 MB).
    """

    def __init__(self, path: str | Path, key: str = "data.path") -> None:
        self.path, self.name = Path(path), f"{key}={path}"
        if self.path.exists() and not self.path.is_file() and not self.path.is_dir():
            raise BadInput(f"{self.name}: is no ordinary file: it has to be read twice, save it first")
        with self._open() as file:
            start, self._size = file.read(8), file.seek(0, io.SEEK_END)
        for magic, what in PACKED.items():
            if start.startswith(magic):
                raise BadInput(f"{self.name}: is a {what}: unpack it, or save it as text")
        self.packed = start.startswith(GZIP)
        if self.packed and self._start().startswith((GZIP, *PACKED)):
            raise BadInput(f"{self.name}: is packed twice: unpack it once, or save it as text")
        try:
            self._measure(_encoding(self._start()))
        except UnicodeDecodeError:
            self._measure("cp1252")
        if self.encoding == "cp1252" and sum(map(self.head.count, NO_LETTERS)) > BINARY * len(self.head):
            raise BadInput(f"{self.name}: is a binary file, no text: export it as text")

    def __iter__(self) -> Iterator[str]:
        rest = ""
        for text in self._texts(self.encoding):
            lines = (rest + text).split("\n")
            rest = lines.pop()
            yield from lines
        if rest:
            yield rest

    def watched(self, what: str) -> Iterator[str]:
        """The same, with a bar that shows how far it is."""
        with progress_bar(self, total=self.lines, desc=what, unit="line") as bar:
            yield from bar

    def _measure(self, encoding: str) -> None:
        """One pass through it: what is to be known of it before it is read."""
        self.head, self.lines, self.encoding = "", 0, encoding
        end, blank, run, records = "", True, 0, 0  # run: characters since the last line end
        try:
            for text in self._texts(encoding):
                self.head += text[: HEAD - len(self.head)]
                if run + _until(text) > LONGEST:
                    raise BadInput(
                        f"{self.name}: line {self.lines + 1} has more than {LONGEST:,} characters, too many for one"
                    )
                run = len(text) - text.rfind("\n") - 1 if "\n" in text else run + len(text)
                self.lines += text.count("\n")
                records += (end[-5:] + text).count("\n$$$$\n")
                end = (end + text)[-64:]
                blank = blank and not text.strip()
        except EOFError as error:
            whole = f"{records} records" if records else f"{self.lines} lines"
            raise BadInput(
                f"{self.name}: the .gz is cut short: {whole} are whole: save or download it again"
            ) from error
        self.ended = end.rstrip().endswith("$$$$")
        if blank:
            raise BadInput(f"{self.name}: the file is empty: save or download it again")

    def _texts(self, encoding: str) -> Iterator[str]:
        """The text, a little at a time."""
        errors = "strict" if encoding == "utf-8" else "replace"  # that one is a guess
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True)
        for block in self._bytes():
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)

    def _start(self) -> bytes:
        """Its first bytes, unpacked."""
        start = b""
        with suppress(EOFError):  # which is told when all of it is read
            for block in self._bytes():
                start += block
                if len(start) >= START:
                    break
        return start[:START]

    def _bytes(self) -> Iterator[bytes]:
        with self._open() as file:
            if not self.packed:
                yield from iter(lambda: file.read(BLOCK), b"")
                return
            most, unpacked = max(SMALL, RATIO * self._size), 0
            for block in self._unpacked(file):
                unpacked += len(block)
                if unpacked > most:
                    raise BadInput(
                        f"{self.name}: unpacks to more than {most >> 20:,} MB from {self._size / 2**20:.3g} MB, as "
                        f"no real table or list of molecules does: unpack it yourself if it is one"
                    )
                yield block

    def _unpacked(self, file: IO[bytes]) -> Iterator[bytes]:
        """What gzip packed, member by member. EOFError where the last one has no end."""
        member, data = zlib.decompressobj(wbits=31), b""
        while True:
            data = data or file.read(BLOCK)
            try:
                block = member.decompress(data, BLOCK)
            except zlib.error as error:
                raise BadInput(f"{self.name}: the .gz is damaged ({error}): save or download it again") from error
            if block:
                yield block
            elif not data and not member.eof:
                raise EOFError
            data = member.unconsumed_tail
            if member.eof:  # another may follow, behind zeros that fill a block
                data = member.unused_data.lstrip(b"\0")
                while not data and (data := file.read(BLOCK)):
                    data = data.lstrip(b"\0")
                if not data:
                    return
                member = zlib.decompressobj(wbits=31)

    def _open(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except FileNotFoundError as error:
            raise BadInput(f"{self.name}: there is no such file: check the path") from error
        except IsADirectoryError as error:
            raise BadInput(f"{self.name}: is a folder: name the file in it") from error
        except OSError as error:
            reason = error.strerror or error
            raise BadInput(f"{self.name}: cannot be read ({reason}): check its permissions") from error


def _encoding(start: bytes) -> str:
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[::2].count(0), start[1::2].count(0)  # of UTF-16, one half of the bytes of plain letters
    if max(even, odd) > 0.3 * len(start) / 2 and min(even, odd) < 0.1 * max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def _until(text: str) -> int:
    """Characters before the first line end."""
    place = text.find("\n")
    return len(text) if place < 0 else place
