"""What a command writes for its user: on the disk whole, or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np

from dlthink.errors import BadInput
from dlthink.files.written_files import remember


@contextmanager
def renamed(path: Path, alone: bool = False) -> Iterator[Path]:
    """A file beside `path` to write, which takes its name at the end of the block, and is gone where that fails.

    alone: no other process writes the same file, so that what a kill has left of it is written over. Raises OSError.
    """
    new = path.with_name(f".{path.name}.{'new' if alone else os.getpid()}")
    try:
        yield new
        os.replace(new, path)
    finally:
        with suppress(OSError):  # what could not be opened cannot be removed
            new.unlink(missing_ok=True)


@contextmanager
def atomic(path: str, binary: bool = False, remembered: bool = True) -> Iterator[IO]:
    """A file to write to, which takes its name when all is written; what stood there before stays until then.

    remembered: as one that was written here, and may be written over later.
    Raises BadInput, naming the word `output`, when it cannot be written.
    """
    try:
        # a name in a table need not be text; its bytes go there as they are
        text = {} if binary else {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}
        with renamed(Path(path)) as new, open(new, "wb" if binary else "w", **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if remembered:
            remember(path)
    except OSError as error:
        raise BadInput(f"output={path}: cannot be written ({error.strerror or error}): choose another place") from error


def write_text(path: Path, text: str, alone: bool = False) -> None:
    """A small file of a run, whole or not at all; `alone` as for `renamed`. Raises OSError."""
    with renamed(path, alone) as new:
        new.write_text(text, encoding="utf-8")


def write_arrays(path: Path, arrays: dict[str, np.ndarray], alone: bool = False) -> None:
    """Arrays by name as .npz, whole or not at all; no file where there are none. Raises OSError."""
    if not arrays:
        path.unlink(missing_ok=True)  # what an earlier end of the run left
        return
    with renamed(path, alone) as new, new.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_json(path: Path, content: dict, alone: bool = False) -> None:
    """`content` as JSON, whole or not at all. What is not a number becomes null: JSON has no nan. Raises OSError."""
    write_text(path, json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n", alone)


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
