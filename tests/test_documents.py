"""Documents are read in a terminal, too: lines of prose end by 120 characters, and no cell of a table is a chapter."""

import re

import pytest

from tests.conftest import REPOSITORY

PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
WIDE, LONG = 120, 300  # characters of a line, and of a cell


def too_long(text):
    """(line number, why) of what is too long; code stands as it is typed."""
    found, code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            code = not code
        elif code:
            continue
        elif line.startswith("|"):
            found += [(number, "cell") for cell in re.split(r"(?<!\\)\|", line) if len(cell.strip()) > LONG]
        elif len(line) > WIDE and " " in line.strip():  # an address cannot be broken
            found.append((number, "line"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_line_and_no_cell_is_too_long(page):
    found = too_long(page.read_text(encoding="utf-8"))
    assert not found, f"{page.name}: {found}"


def test_what_is_too_long_is_found():
    line, cell = "word " * 25, "word " * 70
    text = f"short\n{line}\n```\n{line}\n```\n| a | {cell} |\n| {cell[:250]} | {cell[:250]} |\n"
    assert too_long(text) == [(2, "line"), (6, "cell")]
