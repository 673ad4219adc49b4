"""Progress bar on a terminal; where there is none, in a log file or a batch job, a line every half minute."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any

from tqdm import tqdm

from dlthink.errors import plain

PACE = 30.0  # seconds between two lines


class Bar(tqdm):
    """tqdm's bar, which looks at the clock itself."""

    def due(self) -> bool:
        """Is a line to be said now? Never: there is a bar."""
        return False

    def long(self) -> bool:
        """Has it been there for half a minute, so that what follows needs a word?"""
        return self._time() - self.start_t >= PACE


class Lines:
    """What a bar shows, line by line to stderr; whatever ends within the first half minute says nothing.

    It has those methods of tqdm's bar that are called here, and shows numbers in full whatever `unit_scale` asks for.
    minutes: the limit of the whole, where there is one.
    """

    def __init__(
        self,
        items: Iterable | None = None,
        total: int | None = None,
        initial: int = 0,
        desc: str = "",
        unit: str = "step",
        unit_scale: bool = False,
        minutes: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._items, self.n, self._first, self._clock = items, initial, initial, clock
        self.total = len(items) if total is None and isinstance(items, Sized) else total
        self._what, self._unit, self._limit = f"{desc}: " if desc else "", unit, 60 * minutes if minutes else None
        self._shown: dict[str, str] = {}
        self._began = self._said = clock()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __iter__(self) -> Iterator:
        for item in self._items or ():
            yield item
            self.update()

    def set_postfix(self, shown: dict[str, str], refresh: bool = True) -> None:
        """What stands behind the numbers: a cost, the best figure."""
        self._shown = shown

    def due(self) -> bool:
        """Is half a minute over since the last line?"""
        return self._clock() - self._said >= PACE

    def long(self) -> bool:
        """Has it been there for half a minute, so that what follows needs a word?"""
        return self._clock() - self._began >= PACE

    def update(self, n: int = 1) -> None:
        """Go on by `n`, and say so where it is time."""
        self.n += n
        if self.due():
            self._said = self._clock()
            print(plain(self._line()), file=sys.stderr, flush=True)

    def write(self, text: str, file: Any = None) -> None:
        """A line of somebody else's."""
        print(text, file=file or sys.stdout, flush=True)

    def _line(self) -> str:
        words = f"{self._what}{self._unit} {self.n:,}"
        if self.total:
            words += f" of {self.total:,} ({100 * self.n / self.total:.0f} %)"
            if (left := self._left()) is not None:
                words += f", {duration(left)} left"
        return words + "".join(f", {name} {value}" for name, value in self._shown.items())

    def _left(self) -> float | None:
        """Seconds to the end at the speed so far, or to the limit, if that comes first."""
        gone, done = self._clock() - self._began, self.n - self._first
        if done <= 0:
            return None
        left = gone / done * (self.total - self.n)
        return left if self._limit is None else min(left, self._limit - gone)


def duration(seconds: float) -> str:
    """14 s, 3 min, 2 h 5 min."""
    if seconds < 100:
        return f"{max(0, round(seconds))} s"
    minutes = max(0, round(seconds / 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def progress_bar(items: Iterable | None = None, minutes: float | None = None, **how: Any) -> Bar | Lines:
    """A bar over `items`, or up to `total` by `update`; `how`: total, initial, desc and unit as tqdm has them."""
    if sys.stderr.isatty():
        return Bar(items, leave=items is None and "desc" not in how, **how)
    return Lines(items, minutes=minutes, **how)
