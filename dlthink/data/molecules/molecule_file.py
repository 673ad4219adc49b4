"""A file of molecules as it is written: opened and unpacked, and one entry of it before rdkit has seen it."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from dlthink.errors import BadInput

SD_MARK = re.compile(r"^(?:M  END|\$\$\$\$|.{0,60}V[23]000)[ \t]*\r?$", re.MULTILINE)
OBJECT = re.compile(r"^\s*\{", re.MULTILINE)
WHOLE_SD = re.compile(r"^\$\$\$\$[ \t]*\r?\n", re.MULTILINE)
HEAD = 200_000  # characters in which a file shows what it is


@dataclass
class Entry:
    """What one record of a file says about one nucleus, nothing checked yet."""

    id: str
    text: str = ""  # a mol block or a SMILES
    is_block: bool = False
    atoms: int = 0  # heavy and explicit atoms, counted in the text
    values: list[tuple[float, int]] = field(default_factory=list)  # (ppm, atom index as written)
    unreadable: int = 0  # labels of which no number could be read
    computed: int = 0  # spectra that were not measured
    refused: str | None = None  # why the record cannot be used at all
    split: str | None = None


def text_of(path: str | Path, key: str = "data.path") -> str:
    """The text of a file, plain or gzip (told by its content), `\\n` between lines. Raises BadInput.

    key  the setting that named the file, for the message
    """
    name = f"{key}={path}"
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise BadInput(f"{name}: there is no such file: check the path") from error
    except IsADirectoryError as error:
        raise BadInput(f"{name}: is a folder: name the file in it") from error
    except OSError as error:
        raise BadInput(f"{name}: cannot be read ({error.strerror or error}): check its permissions") from error
    if data[:2] == b"\x1f\x8b":
        data, whole = _unpack(name, data)
        if not whole:
            raise BadInput(f"{name}: the .gz is cut short: {_whole(data)}: save or download it again")
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise BadInput(f"{name}: the file is empty: save or download it again")
    return text


def kind_of(text: str) -> str | None:
    """ "sd", "json" or None, from the first lines: an ending proves nothing."""
    head = text[:HEAD]
    if head.lstrip().startswith("{") and not SD_MARK.search(head):
        return "json"
    if SD_MARK.search(head):
        return "sd"
    return "json" if OBJECT.search(head) else None


def _unpack(name: str, data: bytes) -> tuple[bytes, bool]:
    """Everything that can be unpacked, and whether that is all: gzip.open would throw the good part away."""
    parts = []
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(data))
        except zlib.error as error:
            raise BadInput(f"{name}: the .gz is damaged ({error}): save or download it again") from error
        if not member.eof:
            return b"".join(parts), False
        data = member.unused_data.lstrip(b"\0")
    return b"".join(parts), True


def _whole(data: bytes) -> str:
    text = data.decode("utf-8-sig", "replace")
    if kind_of(text) == "sd":
        return f"{len(WHOLE_SD.findall(text))} records are whole"
    return (
        f"{sum(bool(line.strip()) for line in text.splitlines(keepends=True) if line[-1] == chr(10))} lines are whole"
    )
