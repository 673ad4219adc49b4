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

from dlthink.data.faces.photos import Album, decode, pillow
from dlthink.storage import blocks, cache_folder, cache_key

VERSION = 1  # of what a cache file means; another number leaves the old ones alone


@dataclass
class Photos:
    """pixels: uint8 [n, channels, size, size]; names of the n photos; rejected: {name: why it has no pixels}.

    hashes: [n], of the pixels: identical photos share it.
    """

    pixels: Tensor
    names: list[str]
    rejected: dict[str, str]
    hashes: list[str]


def looks(picture: np.ndarray) -> str:
    """A hash of pixels: identical pictures share it."""
    return hashlib.blake2b(picture.tobytes(), digest_size=8).hexdigest()


def photos_of(album: Album, size: int, grey: bool, centre: tuple[int, int] | None = None) -> Photos:
    """Every picture of the album that opens, in its order."""
    pillow()  # says in one line that it is missing
    channels, names = 1 if grey else 3, album.names
    blank = np.zeros((channels, size, size), np.uint8)
    rejected: dict[str, str] = {}
    hashes: list[str] = []

    def rows() -> Iterator[np.ndarray]:
        rejected.clear()
        hashes.clear()
        with tqdm(names, disable=None, desc="reading", unit="photo", leave=False) as bar:
            for name in bar:
                try:
                    picture = decode(album.read(name), size, grey, centre)
                except ValueError as error:
                    rejected[name] = str(error)
                    picture = blank
                hashes.append(looks(picture))
                yield picture

    key = cache_key((VERSION, ("photos", size, grey, centre)), _contents(album))
    shape = (len(names), *blank.shape)
    pixels, about = kept(key, shape, rows, lambda: {"rejected": rejected, "hashes": hashes})
    lost: dict[str, str] = about["rejected"]
    good = [i for i, name in enumerate(names) if name not in lost]
    whole = pixels if len(good) == len(names) else pixels[torch.tensor(good, dtype=torch.long)]
    return Photos(whole, [names[i] for i in good], lost, [about["hashes"][i] for i in good])


def kept(
    key: str,
    shape: tuple[int, ...],
    rows: Callable[[], Iterable[np.ndarray]],
    about: Callable[[], dict[str, Any]],
) -> tuple[Tensor, dict[str, Any]]:
    """(pixels, about): those that lie in the cache under this key, else made of the rows and laid there.

    rows() is asked a second time where the disk is full; about() after the last row, and must fit JSON.
    """
    file = cache_folder() / "faces" / f"{key}.npy"
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


def _mapped(file: Path, shape: tuple[int, ...]) -> Tensor:
    found = np.load(file, mmap_mode="c")  # c: pages are copied if ever written to; torch wants a writable array
    if found.shape != shape:
        raise ValueError(f"{file}: holds {found.shape}")
    return torch.from_numpy(found)


def _contents(album: Album) -> Iterable[bytes]:
    """What the album holds, for its key; a file that cannot be read counts by its name."""
    if album.path.is_file():
        yield from blocks(album.path)
        return
    for name in album.names:
        yield name.encode("utf-8", "surrogateescape") + b"\0"
        with suppress(ValueError):
            yield hashlib.blake2b(album.read(name), digest_size=16).digest()


def drawn(settings: tuple, shape: tuple[int, ...], make: Callable[[], Iterable[np.ndarray]]) -> Tensor:
    """Pixels of pictures that a program draws: `make()` yields them, [some, channels, size, size] at a time."""
    return kept(cache_key((VERSION, settings)), shape, make, dict)[0]
