"""Where downloaded data lives, and what was made from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """The folder of fetched data sets: `$DLTHINK_DATA`, else in the user's cache. It need not exist yet."""
    if chosen := os.environ.get("DLTHINK_DATA"):
        return Path(chosen).expanduser()
    return user_folder()


def user_folder() -> Path:
    """The user's own cache, as the operating system has it."""
    return platformdirs.user_cache_path("dlthink")


def cache_folder() -> Path:
    """The folder of what was made from data and can be made again; deleting it costs time only."""
    return data_folder() / "cache"


def cache_key(makers: tuple[str, ...], settings: tuple, contents: Iterable[bytes] = ()) -> str:
    """A name for what these modules or packages make with these settings from these bytes, as their code is now."""
    digest = hashlib.blake2b(repr((source(*makers), settings)).encode(), digest_size=16)
    for block in contents:
        digest.update(block)
    return digest.hexdigest()


@cache
def source(*names: str) -> str:
    """A hash of the code of modules, and of packages with all modules in them; what these import is not looked at."""
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        origin = Path(find_spec(name).origin)
        for file in sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]:
            code = file.read_bytes()
            digest.update(f"{file.name} {len(code)} ".encode() + code)
    return digest.hexdigest()


def blocks(path: Path) -> Iterator[bytes]:
    """A file's content, a little at a time."""
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block
