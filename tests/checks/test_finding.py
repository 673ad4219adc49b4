"""A report as a table: as wide as the terminal, or as a notebook, whose lines must not break."""

import os

import pytest

from dlthink.checks.finding import Finding, Report


@pytest.mark.parametrize(("columns", "most"), [(None, 96), (72, 72), (400, 140)])
def test_no_line_is_longer_than_what_shows_it(columns, most, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)

    def size(_):
        if columns is None:
            raise OSError  # no terminal
        return os.terminal_size((columns, 24))

    monkeypatch.setattr(os, "get_terminal_size", size)
    why, what = "because words follow words " * 20, "do this and then that " * 20
    report = Report("mine", "counts", [Finding("asks for", "failed", why, what), Finding("range", "passed", why)])
    lines = str(report).splitlines()
    assert most - 8 < max(map(len, lines)) <= most
