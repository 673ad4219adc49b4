"""Photos decoded once: bytes [n, channels, size, size], kept on disk by content and settings, mapped into memory."""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from dlthink.data.photos.decode import as_mode, bands, middle, pillow, resized, upright
from dlthink.data.photos.photo_files import Album
from dlthink.files.atomic import renamed, write_text
from dlthink.files.cache import cache_folder, cache_key
from dlthink.memory_limit import check_memory
from dlthink.progress_bar import progress_bar

HELD = 64 << 20  # bytes of a mapped file that may stay in memory once they were read
_MAPS: WeakValueDictionary[int, mmap.mmap] = WeakValueDictionary()  # by where their pixels begin
_READ: Counter[int] = Counter()


@dataclass(eq=False)
class Photos:
    """pixels: uint8 [n, channels, size, size]; names of the n photos; rejected: {name: why it has no pixels}.

    hashes: [n], of the pixels: identical photos share it; shown: [n], of the same square before it was resized, so
    that it does not depend on `size`; contents: of all files, by name.
    sides: [n], (width, height) of each upright photo; spread: [n], standard deviation of its most varied channel, of
    255: a flat photo has about 0. key: that under which the pixels are kept.
    """

    key: str
    pixels: Tensor
    names: list[str]
    rejected: dict[str, str]
    hashes: list[str]
    shown: list[str]
    contents: dict[str, str]
    sides: list[tuple[int, int]]
    spread: list[float]


def looks(picture: np.ndarray) -> str:
    """A hash of pixels: identical pictures share it."""
    return hashlib.blake2b(picture.tobytes(), digest_size=8).hexdigest()


def photos_of(
    album: Album, size: int, grey: bool, centre: tuple[int, int] | None = None, names: list[str] | None = None
) -> Photos:
    """Every picture of the album that opens, in its order; or those of these names."""
    pillow()  # says in one line that it is missing
    channels, some = 1 if grey else 3, () if names is None else tuple(names)
    names = album.names if names is None else names
    rejected: dict[str, str] = {}
    contents: dict[str, str] = {}
    seen: list[tuple[str, str, tuple[int, int], float]] = []  # hashes, shown, sides, spread

    def rows() -> Iterator[np.ndarray]:
        for past in (rejected, contents, seen):
            past.clear()
        with progress_bar(names, desc="reading", unit="photo") as bar:
            for name in bar:
                try:
                    data = album.read(name)
                    contents[name] = _short(data)
                    image = upright(data)
                    sides, image = image.size, middle(image, centre)
                    picture, square = resized(image, size, grey), _shown(image)
                except ValueError as error:
                    rejected[name] = str(error)
                    continue
                seen.append((looks(picture), square, sides, float(picture.std((1, 2)).max())))
                yield picture

    key = cache_key((__package__,), (size, grey, centre, *some), _contents(album, names))
    about = {"rejected": rejected, "contents": contents, "seen": seen}
    pixels, about = kept(key, (channels, size, size), rows, lambda: about)
    hashes, shown, sides, spread = map(list, zip(*about["seen"], strict=True)) if about["seen"] else ([],) * 4
    return Photos(
        key=key,
        pixels=pixels,
        names=[name for name in names if name not in about["rejected"]],
        rejected=about["rejected"],
        hashes=hashes,
        shown=shown,
        contents=about["contents"],
        sides=[(width, height) for width, height in sides],
        spread=spread,
    )


def _short(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _shown(image: Any) -> str:
    """As `_short` of all its bytes, some at a time."""
    digest = hashlib.blake2b(digest_size=16)
    for _, band in bands(image):
        digest.update(as_mode(band, "RGB").tobytes())
    return digest.hexdigest()


def kept(
    key: str,
    shape: tuple[int, ...],
    rows: Callable[[], Iterable[np.ndarray]],
    about: Callable[[], dict[str, Any]],
) -> tuple[Tensor, dict[str, Any]]:
    """(pixels [n, *shape], about): those that lie in the cache under this key, else made of the rows and laid there.

    rows() is asked a second time where the disk is full; about() after the last row, and must fit JSON.
    """
    file = _place(key)
    note = file.with_suffix(".json")
    with suppress(OSError, ValueError, EOFError):  # not there, or cut short
        said = json.loads(note.read_text(encoding="utf-8"))
        return _mapped(file, shape), said
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # written, not mapped: a full disk is an error then and not a SIGBUS
        with renamed(file) as new, new.open("wb") as out:
            _header(out, (0, *shape))
            begin = out.tell()
            for row in rows():
                out.write(np.ascontiguousarray(row).tobytes())
            n = (out.tell() - begin) // math.prod(shape)
            out.seek(0)
            _header(out, (n, *shape))  # as long as before: numpy leaves room for digits
        said = about()
        write_text(note, json.dumps(said))
        return _mapped(file, shape), said
    except OSError:  # a full or read-only disk: in memory, and anew next time
        parts = [np.ascontiguousarray(row).reshape(-1) for row in rows()]
        whole = np.concatenate([np.zeros(0, np.uint8), *parts])
        return torch.from_numpy(whole).view(-1, *shape), about()


def chosen(some: list[tuple[Photos, list[int]]]) -> Tensor:
    """The pixels of these rows of each, mapped like all of them, so that a large set need not fit into memory."""
    first, wanted = some[0]
    if len(some) == 1 and wanted == list(range(len(first.pixels))):
        return first.pixels
    key = cache_key((__package__,), ("chosen", *((photos.key, rows) for photos, rows in some)))

    def pixels() -> Iterator[np.ndarray]:
        for photos, rows in some:
            for row in rows:
                yield rows_of(photos.pixels, torch.tensor([row])).numpy()

    return kept(key, tuple(first.pixels.shape[1:]), pixels, dict)[0]


def _header(out: IO[bytes], shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _mapped(file: Path, shape: tuple[int, ...]) -> Tensor:
    found = np.load(file, mmap_mode="c")  # c: pages are copied if ever written to; torch wants a writable array
    if found.shape[1:] != shape:
        raise ValueError(f"{file}: holds {found.shape}")
    pixels = torch.from_numpy(found)
    _MAPS[pixels.data_ptr()] = found._mmap
    return pixels


def rows_of(pixels: Tensor, rows: Tensor) -> Tensor:
    """pixels[rows], [n, channels, size, size]. What is mapped from a file does not pile up in memory by being read."""
    found = pixels.index_select(0, rows)
    give_back(pixels, found.numel())
    return found


def give_back(pixels: Tensor, read: int) -> None:
    """Count `predict` bytes of mapped pixels; after some more than HELD, their pages go back to the system's cache."""
    place = pixels.data_ptr() if pixels.device.type == "cpu" else 0
    pages = _MAPS.get(place)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        _READ[place] += read
        if _READ[place] > HELD:
            pages.madvise(mmap.MADV_DONTNEED)
            _READ[place] = 0


def _contents(album: Album, names: list[str]) -> Iterable[bytes]:
    """What the album holds of these names, for its key; a file that cannot be read counts by its name."""
    if album.packed:
        yield album.packed
        return
    for name in names:
        yield name.encode("utf-8", "surrogateescape") + b"\0"
        with suppress(ValueError):
            yield hashlib.blake2b(album.read(name), digest_size=16).digest()


def drawn(by: str, settings: tuple, shape: tuple[int, ...], make: Callable[[], Iterable[np.ndarray]]) -> Tensor:
    """Pixels of pictures that a program draws: `make()` yields them, [some, channels, size, size] at a time.

    by: the module, or the package, that draws. Raises BadInput where neither the cache's disk nor memory has room.
    """
    key = cache_key((__package__, by), settings)
    if not _place(key).exists() and _free(cache_folder()) < math.prod(shape):  # then they are drawn into memory
        check_memory(math.prod(shape), f"{shape[0]:,} pictures of {shape[-1]} x {shape[-2]} pixels")
    return kept(key, shape[1:], make, dict)[0]


def _place(key: str) -> Path:
    return cache_folder() / "photos" / f"{key}.npy"


def _free(folder: Path) -> int:
    """Bytes that may be written into a folder that is there or will be; 0 where that cannot be found out."""
    there = next((place for place in (folder, *folder.absolute().parents) if place.is_dir()), folder)
    try:
        return shutil.disk_usage(there).free
    except OSError:
        return 0
