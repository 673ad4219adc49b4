"""Documents are read in a terminal, too: a line of prose ends by 120 characters, a row of a table by 140."""

import pytest

from tests.conftest import REPOSITORY

PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
WIDE, ROW = 120, 140  # characters of a line, and of a table's row


def too_long(text):
    """(line number, why) of what is too long, or what the site would not show; code stands as it is typed."""
    found, code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            code = not code
            if (len(line) - len(line.lstrip())) % 4:  # within a list the site wants four, or the list ends there
                found.append((number, "fence"))
        elif code:
            continue
        elif line.startswith("|"):
            found += [(number, "row")] * (len(line) > ROW)
        elif len(line) > WIDE and " " in line.strip():  # an address cannot be broken
            found.append((number, "line"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_line_and_no_row_is_too_long(page):
    found = too_long(page.read_text(encoding="utf-8"))
    assert not found, f"{page.name}: {found}"


def test_what_is_too_long_is_found():
    line = "word " * 25
    text = f"short\n{line}\n```\n{line}\n```\n| {line[:60]} | {line[:60]} |\n| a | {line * 2} |\n"
    assert too_long("1. a\n\n   ```\n   b\n   ```\n") == [(3, "fence"), (5, "fence")]
    assert too_long(text) == [(2, "line"), (7, "row")]
