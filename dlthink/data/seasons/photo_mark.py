"""Photos that say they were made, so that nobody's own are written over, or taken for real ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dlthink.data.photos.decode import pillow
from dlthink.errors import BadInput

MARK = "made by dlthink"  # a comment of JPEG, the software of PNG
NAMED = 3  # files that a message names


def mark(kind: str) -> dict[str, Any]:
    """What pillow's `save` has to write into a JPEG or a PNG."""
    if kind == "JPEG":
        return {"comment": MARK.encode()}
    pillow()
    from PIL.PngImagePlugin import PngInfo

    about = PngInfo()
    about.add_text("Software", MARK)
    return {"pnginfo": about}


def is_marked(file: Path) -> bool:
    """Was this picture made here?"""
    try:
        with pillow().Image.open(file) as image:
            said = image.info.get("comment", b"") if image.format == "JPEG" else image.info.get("Software", "")
            return said in (MARK, MARK.encode())
    except Exception:  # no picture, or none that can be opened
        return False


def refuse_others(folder: Path) -> None:
    """BadInput where anything lies in the folder, or below it, that was not made here. Hidden files do not count."""
    found: list[str] = []
    for here, folders, files in os.walk(folder):
        links = [name for name in folders if Path(here, name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".") and name not in links]
        for name in [*links, *(name for name in files if not name.startswith("."))]:
            file = Path(here, name)
            if file.is_symlink() or not file.is_file() or not is_marked(file):
                found.append(file.relative_to(folder).as_posix())
            if len(found) > NAMED:
                break
    if found:
        named = ", ".join(found[:NAMED]) + (", ..." if len(found) > NAMED else "")
        raise BadInput(f"output={folder}: holds files that were not made here ({named}): choose a new folder")
