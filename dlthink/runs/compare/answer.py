"""Answer of a comparison: its lines on the terminal, and what can be written of it, by the ending of a file's name."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dlthink.files.atomic import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLES, PICTURES = (".csv", ".md"), (".png", ".svg", ".pdf")


class Answer(Protocol):
    """A table of groups, curves along a setting, or ranks over data sets."""

    def lines(self) -> list[str]:
        """What stands on the terminal."""

    def numbers(self) -> list[list[Any]]:
        """A row for each group or point with all digits, a header first."""

    def page(self) -> tuple[list[list[str]], list[str]]:
        """The same rows to be read, and the lines beneath that say what they mean."""

    def figure(self) -> Figure:
        """A picture of it. Raises BadInput where there is nothing to see."""


def save(answer: Answer, path: Path) -> None:
    """Write the answer as the file is called: a picture, a table in Markdown, or CSV, also where it has no ending."""
    ending = path.suffix.lower()
    if ending in PICTURES:
        drawn = answer.figure()
        with atomic(str(path), binary=True) as file:
            drawn.savefig(file, format=ending[1:], dpi=150)
        return
    with atomic(str(path)) as file:
        if ending == ".md":
            file.write(markdown(*answer.page()))
        else:
            csv.writer(file, lineterminator="\n").writerows(answer.numbers())


def markdown(rows: list[list[str]], said: list[str]) -> str:
    """A table, a header first, and a paragraph for each line beneath."""
    first, *others = ["| " + " | ".join(cell.strip().replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([first, "|" + "---|" * len(rows[0]), *others, *(f"\n{line.strip()}" for line in said if line), ""])
