"""The ways a run can end badly, and how each is said in one line."""

import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

STOP = 128  # and the number of a signal: the exit code of what that has ended, as a shell has it
LONG = re.compile(r"\S{300,}")  # what no line holds: a number of a thousand digits, a list of a hundred names


class BadInput(ValueError):
    """What the user gave cannot be used. The message names the file, record or key, and what to do. Exit code 2.

    way: what to do, where another command has another way.
    """

    def __init__(self, what: str, way: str = "") -> None:
        super().__init__(f"{what}: {way}" if way else what)
        self.what, self.way = what, way


class OtherFormat(BadInput):
    """A file is not of the formats that are read here; others may read it."""


class Diverged(RuntimeError):
    """The cost stopped being a finite number. The message names the step, the term and the batch. Exit code 1."""


class Terminated(KeyboardInterrupt):
    """SIGTERM was heard. Exit code 143."""


EXPECTED = (BadInput, Diverged, MemoryError, OSError)  # what is answered in one line, without a traceback


@contextmanager
def out_of_memory() -> Iterator[None]:
    """Make torch's own ways of running out of memory, on a CPU or a GPU, the one that Python has: MemoryError."""
    try:
        yield
    except RuntimeError as error:
        if "allocate memory" in str(error) or type(error).__name__ == "OutOfMemoryError":
            raise MemoryError(str(error).splitlines()[0]) from error
        raise


@contextmanager
def handled(handler: Callable[[int, Any], Any] | signal.Handlers, *signals: int) -> Iterator[dict[int, Any]]:
    """These signals are handled so inside, and afterwards as before; of each, what did so before.

    Only a program's main thread hears signals; elsewhere nothing is changed.
    """
    here = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number in signals if here}
    try:
        yield before
    finally:
        for number, other in before.items():
            signal.signal(number, other)


@contextmanager
def hearing() -> Iterator[None]:
    """SIGTERM ends what is inside as Ctrl-C does, so that nothing half written is left; training hears both itself.

    Whoever listens already is left alone.
    """

    def stop(*_) -> None:
        raise Terminated

    unheard = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with handled(stop, *([signal.SIGTERM] if unheard else [])):
        yield


def plain(text: str) -> str:
    """The text as a terminal may show it: what a stranger's file smuggles into a name, such as a colour, is spelt."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


def in_shell(value: object) -> str:
    """As it is typed in a shell, in quotes where it needs them."""
    return shlex.quote(str(value))


def answer(error: BaseException) -> int:
    """Say in one line what went wrong; returns the exit code."""
    line, code = in_a_line(error)
    print(line, file=sys.stderr)
    return code


def in_a_line(error: BaseException) -> tuple[str, int]:
    """What went wrong, as it is said, and the exit code."""
    message, code = str(error), 2
    if isinstance(error, Diverged):
        code = 1
    elif isinstance(error, KeyboardInterrupt):
        message, code = message or "stopped", exit_code(error)
    elif isinstance(error, MemoryError):
        message = f"there is not enough memory for this ({error}); ask for less"
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{error.strerror or error}; what was saved before is still there"
    return plain(f"dlthink: {LONG.sub(_cut, ' '.join(message.splitlines()))}"), code


def _cut(found: re.Match[str]) -> str:
    word = found[0]
    return f"{word[:100]}...{word[-60:]}"


def exit_code(stop: KeyboardInterrupt) -> int:
    """That of the signal that was heard."""
    return STOP + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)
