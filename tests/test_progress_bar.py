"""A bar on a terminal, a line every half minute elsewhere."""

import io
import sys

import pytest

from dlthink.progress_bar import Bar, Lines, progress_bar


@pytest.fixture
def told(capsys):
    return lambda: capsys.readouterr().err.splitlines()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_a_line_every_half_minute_with_what_is_shown_and_the_time_left(told):
    clock = Clock()
    lines = Lines(total=1000, initial=100, clock=clock)
    for step in range(101, 221):  # a step a second
        clock.now += 1
        lines.set_postfix({"mse": f"{step / 100:.2f}", "best": "0.5"})
        lines.update()
    assert told() == [
        "step 130 of 1,000 (13 %), 14 min left, mse 1.30, best 0.5",
        "step 160 of 1,000 (16 %), 14 min left, mse 1.60, best 0.5",
        "step 190 of 1,000 (19 %), 14 min left, mse 1.90, best 0.5",
        "step 220 of 1,000 (22 %), 13 min left, mse 2.20, best 0.5",
    ]


def test_what_ends_soon_says_nothing_and_a_limit_comes_before_the_end(told):
    clock = Clock()
    with Lines(range(5), desc="reading", unit="photo", clock=clock) as lines:
        assert list(lines) == [0, 1, 2, 3, 4] and lines.n == 5
    assert told() == [] and not lines.long()
    lines = Lines(total=10**6, minutes=2.0, clock=clock)
    clock.now += 60
    assert lines.due() and lines.long()
    lines.update(10)
    assert told() == ["step 10 of 1,000,000 (0 %), 60 s left"] and not lines.due()
    lines = Lines(total=10**6, desc="reading", unit="photo", clock=clock)
    clock.now += 3600
    lines.update(10**5)
    assert told() == ["reading: photo 100,000 of 1,000,000 (10 %), 9 h 0 min left"]
    lines = Lines(unit="B", unit_scale=True, clock=clock)  # of unknown length
    clock.now += 30
    lines.update(5)
    assert told() == ["B 5"]


def test_a_bar_where_there_is_a_terminal(monkeypatch):
    assert isinstance(progress_bar(total=3), Lines)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar(total=3, minutes=1.0, unit="step", file=terminal) as bar:
        assert isinstance(bar, Bar) and not bar.due() and not bar.long()
        bar.update(3)
    monkeypatch.setattr("dlthink.progress_bar.PACE", 0.0)
    assert bar.long() and "3/3" in terminal.getvalue()
