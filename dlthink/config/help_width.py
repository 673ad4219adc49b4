"""Help that fits a terminal: long lines go on below their second column."""

import re
import shutil
import textwrap

WIDEST = 100  # columns
COLUMN = re.compile(r"(\s*\S.*?\s{2,})\S")  # what stands before the second column


def fitted(text: str) -> str:
    """The same lines in the columns of the terminal, 100 at most and 60 at least; short ones as they are."""
    width = max(60, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))
    return "\n".join(part for line in text.splitlines() for part in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    column = COLUMN.match(line)
    indent = min(len(column[1]) if column else len(line) - len(line.lstrip()) + 2, width // 2)
    how = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.wrap(line, width, subsequent_indent=" " * indent, **how)
