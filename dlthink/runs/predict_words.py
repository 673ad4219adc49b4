"""Words of `dlthink predict` that a kind of data asks for by itself, beside what is read and written."""

import inspect
from typing import Any

from dlthink.errors import in_shell

COMMON = ("path", "state")  # of `Data.inputs`, which every kind has


def asked(data: type) -> dict[str, Any]:
    """{word: what stands for it where it is left out}; `inspect.Parameter.empty` where it cannot be."""
    words = inspect.signature(data.inputs).parameters.values()
    return {word.name: word.default for word in words if word.name not in COMMON}


def needed(data: type) -> list[str]:
    """Those that cannot be left out."""
    return [name for name, default in asked(data).items() if default is inspect.Parameter.empty]


def line(folder: str, predicts: str, needs: list[str]) -> str:
    """The command that predicts with the run in `folder`, to be typed with a file, or photos, of one's own."""
    places = "input=PHOTOS output=FOLDER" if predicts == "folder" else "input=FILE output=predicted.csv"
    return " ".join([f"dlthink predict run={in_shell(folder)} {places}", *(f"{name}={name.upper()}" for name in needs)])
