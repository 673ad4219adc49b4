"""Where downloaded data lives."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder of fetched data sets: `$DLTHINK_DATA`, else in the user's cache. It need not exist yet."""
    if chosen := os.environ.get("DLTHINK_DATA"):
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("dlthink"))


def cache_folder() -> Path:
    """The folder of what was made from data and can be made again; deleting it costs time only."""
    return data_folder() / "cache"
