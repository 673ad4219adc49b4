"""The pictures of a folder, a zip or a tar, which are never unpacked."""

from __future__ import annotations

import hashlib
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from dlthink.errors import BadInput
from dlthink.storage import blocks

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".jp2", ".avif"}
ENDINGS |= {".heic", ".heif"}  # of phones: named as unreadable where pillow has no plug-in for them
LARGEST = 256 << 20  # bytes of one file


class Album(AbstractContextManager):
    """The pictures of a folder, a .zip or a .tar(.gz), which are never unpacked: `names`, `texts`, `read(name)`.

    names: paths within it, "/" between folders, Unicode NFC; sorted in a folder, in an archive as they lie there (a
    .tgz cannot be read backwards). texts: its .txt files. `word` is how messages name where it came from.
    Raises BadInput when there is no such place, it holds no picture, or a member climbs out of its folder.
    """

    def __init__(self, path: str | Path, word: str = "data.path") -> None:
        self.path, self.word = Path(path).expanduser(), word
        self._close: Callable[[], None] = lambda: None
        try:
            members = self._open()
        except OSError as error:
            raise BadInput(f"{word}={path}: cannot be read ({error.strerror or error})") from error
        self._members = {unicodedata.normalize("NFC", name): member for name, member in members if _shown(name)}
        self.texts = [name for name in self._members if name.endswith(".txt")]
        pictures = [name for name in self._members if name not in self.texts]
        self.names = sorted(pictures) if self.path.is_dir() else pictures
        if not self.names:
            self._close()
            raise BadInput(f"{word}={path}: holds no photo (.jpg, .png, ...): give a folder or a zip of photos")

    def _open(self) -> list[tuple[str, Any]]:
        path = self.path
        if path.is_dir():
            next(path.iterdir(), None)  # rglob would not say that it may not look into it
            self._bytes = _of_file
            return [(file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file()]
        if not path.exists():
            raise BadInput(f"{self.word}={path}: there is no such folder or file")
        if zipfile.is_zipfile(path):
            archive = zipfile.ZipFile(path)
            self._close, self._bytes = archive.close, lambda info: _of_zip(archive, info)
            return [(self._within(i.filename), i) for i in archive.infolist() if not i.is_dir()]
        if path.suffix.lower() in ENDINGS:  # one photo; is_tarfile would take its time over it
            self._bytes = _of_file
            return [(path.name, path)]
        try:
            packed = tarfile.open(path)  # noqa: SIM115, closed with the album
            self._close, self._bytes = packed.close, lambda info: _of_tar(packed, info)
            return [(self._within(i.name), i) for i in packed.getmembers() if i.isfile()]
        except (tarfile.TarError, EOFError) as error:
            raise BadInput(
                f"{self.word}={path}: is neither a folder of photos nor a whole .zip or .tgz of them"
            ) from error

    def _within(self, name: str) -> str:
        """The member's own name; BadInput when it would leave the archive's folder."""
        parts = PurePosixPath(name.replace("\\", "/"))
        if ".." in parts.parts or parts.is_absolute() or ":" in parts.parts[0]:
            self._close()
            raise BadInput(
                f"{self.word}={self.path}: its member {name} climbs out of the folder: refused, pack it anew"
            )
        return parts.as_posix()

    def read(self, name: str) -> bytes:
        """What the file holds. ValueError says why it cannot be had."""
        return self._bytes(self._members[name])

    @cached_property
    def packed(self) -> bytes:
        """Hash of the archive, b"" of a folder."""
        digest = hashlib.blake2b(digest_size=16)
        for block in blocks(self.path) if self.path.is_file() else ():
            digest.update(block)
        return digest.digest() if self.path.is_file() else b""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


def _shown(name: str) -> bool:
    """Is it a picture or a text, and no file that a system hides?"""
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in ENDINGS | {".txt"} and not hidden


def _small(size: int) -> None:
    if size > LARGEST:
        raise ValueError(f"larger than {LARGEST >> 20} MB")


def _of_file(path: Path) -> bytes:
    try:
        _small(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror or type(error).__name__})") from error


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    _small(info.file_size)
    try:
        return archive.read(info)
    except Exception as error:  # a wrong checksum, a password, an unknown packing: zipfile has one error for each
        raise ValueError("cannot be unpacked") from error


def _of_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    _small(info.size)
    try:
        file = archive.extractfile(info)
        return file.read() if file else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError("cannot be unpacked") from error
