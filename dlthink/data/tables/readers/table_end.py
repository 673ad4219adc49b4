"""Where a table ends in its file: below its last row may stand empty rows, footnotes and comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

MOST = 30  # lines that may stand below
NOTE = re.compile(r"\s*[#*(\u2020\u00a9\u2014=-].*|.*\S:\s.*|(?:\S+\s+){3,}\S+.*", re.DOTALL)
SHOWN = 40  # characters of one, in a message


def rows_of_the_table(frame: pandas.DataFrame, first: int) -> tuple[int, list[str]]:
    """(how many rows are such, a line on the others). A footnote stands alone in its row, in the first column, and
    begins with a mark, holds a colon or has four words. first: the line of the first row."""
    filled = frame.iloc[-MOST:].notna()
    alone = filled.iloc[:, 0].to_numpy() & ~filled.iloc[:, 1:].any(axis=1).to_numpy()
    empty = ~filled.any(axis=1).to_numpy()
    rows, notes, blank = len(frame), [], 0
    while rows > 1 and len(frame) - rows < len(filled):
        place = rows - 1 - (len(frame) - len(filled))
        text = str(frame.iloc[rows - 1, 0])
        if not (empty[place] or (alone[place] and NOTE.fullmatch(text))):
            break
        if empty[place]:
            blank += 1
        else:
            notes.insert(0, f"line {rows - 1 + first}, {text.strip()[:SHOWN]}")
        rows -= 1
    said = [f"{blank} empty row{'s' * (blank > 1)}"] if blank else []
    said += [*notes[:2], *([f"{len(notes) - 2} more"] if len(notes) > 2 else [])]
    return rows, [f"left out, below the table: {'; '.join(said)}"] if said else []
