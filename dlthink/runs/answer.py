"""Answer of a comparison: its lines on the terminal, and what can be written of it, by the ending of a file's name."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from dlthink.files.atomic import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = (".png", ".svg", ".pdf")


class Answer(Protocol):
    """A table of groups, curves along a setting, or ranks over data sets."""

    TABLES: tuple[str, ...]
    """Endings of the tables that can be written of it: `.csv`, with all digits, and perhaps `.md`."""

    def lines(self) -> list[str]:
        """What stands on the terminal."""

    def write(self, file: IO[str], ending: str) -> None:
        """A table, of one of `TABLES`."""

    def figure(self) -> Figure:
        """A picture of it. Raises BadInput where there is nothing to see."""


def save(answer: Answer, path: Path) -> None:
    """Write the answer: a picture or a table, as the file is called; CSV where it has no ending."""
    ending = path.suffix.lower()
    if ending in PICTURES:
        drawn = answer.figure()
        with atomic(str(path), binary=True) as file:
            drawn.savefig(file, format=ending[1:], dpi=150)
    else:
        with atomic(str(path)) as file:
            answer.write(file, ending or ".csv")
