"""Files that a command has written, so that nobody's own is written over: where each lies, its size and its time."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from dlthink.files.cache import cache_folder


def remember(path: str | Path) -> None:
    """This file was written here. A cache that cannot be written remembers nothing."""
    with suppress(OSError):
        place, said = _note(Path(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(said)


def is_ours(path: str | Path) -> bool:
    """Was this file written here, and is it as it was then?"""
    try:
        place, said = _note(Path(path))
        return place.read_text() == said
    except OSError:
        return False


def _note(path: Path) -> tuple[Path, str]:
    """Where a note on it lies, and what that says while it stays as it is."""
    path = path.expanduser().resolve()
    name = hashlib.blake2b(str(path).encode(errors="surrogateescape"), digest_size=16).hexdigest()
    now = path.stat()
    return cache_folder() / "written" / name, f"{now.st_size} {now.st_mtime_ns}"
