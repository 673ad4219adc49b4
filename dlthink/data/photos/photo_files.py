"""The pictures of a folder, a zip or a tar, which are never unpacked; what a picture is, its content says."""

from __future__ import annotations

import hashlib
import os
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from dlthink.errors import BadInput
from dlthink.files.cache import blocks

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".jp2", ".avif"}
ENDINGS |= {".heic", ".heif"}  # of phones: named as unreadable where pillow has no plug-in for them
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ")
BOXED = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")  # of what begins with a box ftyp
HEAD = 32  # bytes that say what a file is
LARGEST = 256 << 20  # bytes of one file
NAMED = 3  # files that a line names
NONE = "no photos"


class Unreadable(ValueError):
    """Why what a file holds cannot be had."""


class Album(AbstractContextManager):
    """The pictures of a folder, a .zip or a .tar(.gz), which are never unpacked: `names`, `texts`, `read(name)`.

    A picture is what begins like one, whatever it is called, or is called like one, whatever it holds.
    names: paths within it, "/" between folders, Unicode NFC; sorted in a folder, in an archive as they lie there (a
    .tgz cannot be read backwards). texts: its .txt files. other: why each of the rest is none, by name; `notes` tell.
    Links to folders are followed. `word` is how messages name where it came from.
    Raises BadInput when there is no such place, it holds no picture, or a member climbs out of its folder.
    """

    def __init__(self, path: str | Path, word: str = "data.path") -> None:
        self.path, self.word = Path(path).expanduser(), word
        self._close: Callable[[], None] = lambda: None
        self.other: dict[str, str] = {}
        try:
            members = dict(self._open())  # of two under one name an archive's last one counts
        except OSError as error:
            raise BadInput(f"{word}={path}: cannot be read ({error.strerror or error})") from error
        except Unreadable as error:
            raise BadInput(f"{word}={path}: {error}") from error
        self._members = _normal(members)
        self.texts = [name for name, (_, is_text) in self._members.items() if is_text]
        pictures = [name for name, (_, is_text) in self._members.items() if not is_text]
        self.names = sorted(pictures) if self.path.is_dir() else pictures
        if not self.names:
            self._close()
            also = "".join(f" ({note})" for note in self.notes())
            raise BadInput(f"{word}={path}: holds no photo (.jpg, .png, ...){also}: give a folder or a zip of photos")

    def notes(self, read: Collection[str] = ()) -> list[str]:
        """One line on the files that are no picture, if there are any. read: the texts that were, by name."""
        kinds: dict[str, list[str]] = {}
        for name, why in (self.other | {name: NONE for name in self.texts if name not in read}).items():
            kinds.setdefault(why, []).append(name)
        told = [
            f"{len(names):,} {why} ({', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''})"
            for why, names in kinds.items()
        ]
        return [f"not used: {'; '.join(told)}"] if told else []

    def _open(self) -> Iterator[tuple[str, tuple[Any, bool]]]:
        """(name, (member, whether it is a text)) of every picture and text."""
        path = self.path
        if path.is_dir():
            self._bytes = _of_file
            yield from self._chosen((name, file, partial(_of_file, file, HEAD)) for name, file in self._files())
            return
        if not path.is_file():
            raise BadInput(f"{self.word}={path}: there is no such folder or file")
        if is_picture(_of_file(path, HEAD)) or (path.suffix.lower() in ENDINGS and not zipfile.is_zipfile(path)):
            self._bytes = _of_file  # is_tarfile would take its time over it
            yield path.name, (path, False)
        elif zipfile.is_zipfile(path):
            archive = zipfile.ZipFile(path)
            self._close, self._bytes = archive.close, partial(_of_zip, archive)
            yield from self._chosen(
                (self._within(i.filename), i, partial(_of_zip, archive, i, HEAD))
                for i in archive.infolist()
                if not i.is_dir()
            )
        else:
            try:
                packed = tarfile.open(path)  # noqa: SIM115, closed with the album
                self._close, self._bytes = packed.close, partial(_of_tar, packed)
                yield from self._chosen(
                    (self._within(i.name), i, partial(_of_tar, packed, i, HEAD)) for i in packed if i.isfile()
                )
            except (tarfile.TarError, EOFError) as error:
                raise BadInput(
                    f"{self.word}={path}: is neither a folder of photos nor a whole .zip or .tgz of them"
                ) from error

    def _chosen(self, files: Iterator[tuple[str, Any, Callable[[], bytes]]]) -> Iterator[tuple[str, tuple[Any, bool]]]:
        for name, member, head in files:
            place = PurePosixPath(name)
            ending = place.suffix.lower()
            if any(part.startswith((".", "__MACOSX")) for part in place.parts):
                self.other[name] = "hidden"
            elif ending in ENDINGS:
                yield name, (member, False)
            else:
                try:
                    picture = is_picture(head())
                except Unreadable as error:
                    self.other[name] = str(error)
                    continue
                if picture or ending == ".txt":
                    yield name, (member, not picture)
                else:
                    self.other[name] = NONE

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Every file below the folder, also behind links; hidden folders as they are."""
        next(self.path.iterdir(), None)  # walk would not say that it may not look into it
        seen = set()

        def closed(error: OSError) -> None:
            name = Path(error.filename).relative_to(self.path).as_posix()
            self.other[f"{name}/"] = f"cannot be opened ({error.strerror})"

        for here, folders, files in os.walk(self.path, onerror=closed, followlinks=True):
            real = os.path.realpath(here)
            if real in seen:  # a link to a folder above it, or twice to one
                folders.clear()
                continue
            seen.add(real)
            for name in [folder for folder in folders if folder.startswith(".")]:
                folders.remove(name)
                self.other[(Path(here, name).relative_to(self.path)).as_posix() + "/"] = "hidden"
            for name in files:
                file = Path(here, name)
                told = file.relative_to(self.path).as_posix()
                if file.is_file() or not file.exists():  # a link to nowhere is told of when it is read
                    yield told, file
                else:
                    self.other[told] = NONE

    def _within(self, name: str) -> str:
        """The member's own name; BadInput when it would leave the archive's folder."""
        parts = PurePosixPath(name.replace("\\", "/"))
        if ".." in parts.parts or parts.is_absolute() or ":" in parts.parts[0]:
            self._close()
            raise BadInput(
                f"{self.word}={self.path}: its member {name} climbs out of the folder: refused, pack it anew"
            )
        return parts.as_posix()

    def read(self, name: str, most: int | None = None) -> bytes:
        """What the file holds, or its first bytes. Unreadable says why it cannot be had."""
        return self._bytes(self._members[name][0], most)

    @property
    def called(self) -> str:
        """The name of the folder or archive, without ending."""
        path = self.path.resolve()
        return path.name if path.is_dir() else path.stem.removesuffix(".tar")

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


def is_picture(head: bytes) -> bool:
    """Does a file begin like a picture? head: its first 32 bytes."""
    boxed = head[4:8] == b"ftyp" and head[8:12] in BOXED
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    bitmap = head[:2] == b"BM" and head[14:18] in (b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0")
    return head.startswith(BEGINNINGS) or boxed or webp or bitmap


def _normal(members: dict[str, Any]) -> dict[str, Any]:
    """By names in Unicode NFC; what another one has taken gets a number."""
    found: dict[str, Any] = {}
    for name, member in members.items():
        normal = unicodedata.normalize("NFC", name)
        place, k = PurePosixPath(normal), 2
        while normal in found:
            normal, k = f"{place.with_suffix('')} ({k}){place.suffix}", k + 1
        found[normal] = member
    return found


def _small(size: int) -> None:
    if size > LARGEST:
        raise Unreadable(f"larger than {LARGEST >> 20} MB")


def _of_file(path: Path, size: int | None = None) -> bytes:
    """size: bytes of its beginning; None: all of it."""
    try:
        if size is None:
            _small(path.stat().st_size)
            return path.read_bytes()
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror or type(error).__name__})") from error


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int | None = None) -> bytes:
    if size is None:
        _small(info.file_size)
    try:
        with archive.open(info) as file:
            return file.read(size)
    except Exception as error:  # a wrong checksum, a password, an unknown packing: zipfile has one error for each
        raise Unreadable("cannot be unpacked") from error


def _of_tar(archive: tarfile.TarFile, info: tarfile.TarInfo, size: int | None = None) -> bytes:
    if size is None:
        _small(info.size)
    try:
        file = archive.extractfile(info)
        return file.read(size) if file else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Unreadable("cannot be unpacked") from error
