"""Photos decoded once: bytes [n, channels, size, size], kept on disk by content and settings, mapped into memory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from dlthink.data.photos.album import Album
from dlthink.data.photos.decode import as_mode, bands, middle, pillow, resized, upright
from dlthink.files.cache import cache_folder, cache_key


@dataclass
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
    blank = np.zeros((channels, size, size), np.uint8)
    rejected: dict[str, str] = {}
    contents: dict[str, str] = {}
    seen: list[tuple[str, str, tuple[int, int], float]] = []  # hashes, shown, sides, spread

    def rows() -> Iterator[np.ndarray]:
        for past in (rejected, contents, seen):
            past.clear()
        with tqdm(names, disable=None, desc="reading", unit="photo", leave=False) as bar:
            for name in bar:
                picture, square, sides = blank, "", (0, 0)
                try:
                    data = album.read(name)
                    contents[name] = _short(data)
                    image = upright(data)
                    sides, image = image.size, middle(image, centre)
                    picture, square = resized(image, size, grey), _shown(image)
                except ValueError as error:
                    rejected[name] = str(error)
                seen.append((looks(picture), square, sides, float(picture.std((1, 2)).max())))
                yield picture

    key = cache_key((__package__,), (size, grey, centre, *some), _contents(album, names))
    shape = (len(names), *blank.shape)
    about = {"rejected": rejected, "contents": contents, "seen": seen}
    pixels, about = kept(key, shape, rows, lambda: about)
    good = [i for i, name in enumerate(names) if name not in about["rejected"]]
    whole = pixels if len(good) == len(names) else pixels[torch.tensor(good, dtype=torch.long)]
    hashes, shown, sides, spread = map(list, zip(*(about["seen"][i] for i in good), strict=True)) if good else ([],) * 4
    return Photos(
        key=key,
        pixels=whole,
        names=[names[i] for i in good],
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
    """(pixels, about): those that lie in the cache under this key, else made of the rows and laid there.

    rows() is asked a second time where the disk is full; about() after the last row, and must fit JSON.
    """
    file = cache_folder() / "photos" / f"{key}.npy"
    note = file.with_suffix(".json")
    with suppress(OSError, ValueError, EOFError):  # not there, or cut short
        said = json.loads(note.read_text(encoding="utf-8"))
        return _mapped(file, shape), said
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as out:  # written, not mapped: a full disk is an error then and not a SIGBUS
            np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for row in rows():
                out.write(np.ascontiguousarray(row).tobytes())
        os.replace(unfinished, file)
        said = about()
        unfinished.write_text(json.dumps(said), encoding="utf-8")
        os.replace(unfinished, note)
        return _mapped(file, shape), said
    except OSError:  # a full or read-only disk: in memory, and anew next time
        whole = np.concatenate([np.ascontiguousarray(row).reshape(-1) for row in rows()]).reshape(shape)
        return torch.from_numpy(whole), about()
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def chosen(some: list[tuple[Photos, list[int]]]) -> Tensor:
    """The pixels of these rows of each, mapped like all of them, so that a large set need not fit into memory."""
    first, wanted = some[0]
    if len(some) == 1 and wanted == list(range(len(first.pixels))):
        return first.pixels
    key = cache_key((__package__,), ("chosen", *((photos.key, rows) for photos, rows in some)))
    shape = (sum(len(rows) for _, rows in some), *first.pixels.shape[1:])
    return kept(key, shape, lambda: (photos.pixels[row].numpy() for photos, rows in some for row in rows), dict)[0]


def _mapped(file: Path, shape: tuple[int, ...]) -> Tensor:
    found = np.load(file, mmap_mode="c")  # c: pages are copied if ever written to; torch wants a writable array
    if found.shape != shape:
        raise ValueError(f"{file}: holds {found.shape}")
    return torch.from_numpy(found)


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

    by: the module, or the package, that draws.
    """
    return kept(cache_key((__package__, by), settings), shape, make, dict)[0]
