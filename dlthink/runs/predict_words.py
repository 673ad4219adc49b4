"""Words of `dlthink predict` that a kind of data asks for by itself, beside what is read and written."""

import inspect
from pathlib import Path
from typing import Any

from dlthink.config.user_files import own_modules
from dlthink.errors import in_shell
from dlthink.runs import stored_files
from dlthink.runs.signature import signed

COMMON = ("path", "state")  # of `Data.inputs`, which every kind has


def asked(data: type) -> dict[str, Any]:
    """{word: what stands for it where it is left out}; `inspect.Parameter.empty` where it cannot be."""
    words = inspect.signature(data.inputs).parameters.values()
    return {word.name: word.default for word in words if word.name not in COMMON}


def needed(data: type) -> list[str]:
    """Those that cannot be left out."""
    return [name for name, default in asked(data).items() if default is inspect.Parameter.empty]


def line(folder: Path, predicts: str, needs: list[str], settings: dict[str, str]) -> str:
    """The command that predicts with the run in `folder`, to be typed with a file, or photos, of one's own.

    Classes of the user's own that its settings name are allowed in it, if this user has written the run here.
    """
    places = "input=PHOTOS output=FOLDER" if predicts == "folder" else "input=FILE output=predicted.csv"
    words = [f"dlthink predict run={in_shell(folder)} {places}", *(f"{name}={name.upper()}" for name in needs)]
    own = own_modules(value for key, value in settings.items() if key.rpartition(".")[2] == "_target_")
    if own and signed(stored_files.text(folder / "config.yaml")):
        words.append(f"allow={in_shell(','.join(own))}")
    return " ".join(words)
