"""Ctrl-C, SIGTERM, and a batch system's signals to leave, heard between two steps."""

import signal
import threading
from collections.abc import Callable
from typing import ClassVar

LEAVE = [one for one in signal.Signals if one.name in ("SIGUSR1", "SIGUSR2")]  # none on Windows


class Interrupted(Exception):
    """Training was asked to stop by the signal `number`; everything is saved.

    requeue: what a batch system has set to be called when it tells a job to leave, and puts it into its queue again;
    None where there is none.
    """

    def __init__(self, number: int, requeue: Callable[[int, object], object] | None = None):
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number, self.requeue = number, requeue


class Interrupt:
    """While it is open, the first Ctrl-C or SIGTERM is only noted in `signal`; a second one stops at once.

    SIGUSR1 and SIGUSR2 are noted where somebody listens to them: submitit does, on a cluster. `requeue` is that one.

    Only a program's main thread hears signals; elsewhere (a notebook's worker, say) nothing is changed.
    """

    open: "ClassVar[Interrupt | None]" = None  # of this process

    def __init__(self):
        self.signal: int | None = None
        self.requeue: Callable[[int, object], object] | None = None
        self._before: dict = {}

    def _note(self, number: int, frame) -> None:
        if self.signal is not None and number not in LEAVE and self.requeue is None:
            raise KeyboardInterrupt
        self.signal = number

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            heard = [number for number in LEAVE if callable(signal.getsignal(number))]
            self._before = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM, *heard)}
            self.requeue = next((self._before[number] for number in heard), None)
            Interrupt.open = self
        return self

    def __exit__(self, *_) -> None:
        Interrupt.open = None
        for number, handler in self._before.items():
            signal.signal(number, handler)


def tell(number: int) -> None:
    """A signal, from a thread of this process; training that has heard one already would stop at once."""
    if Interrupt.open is None:
        signal.raise_signal(number)
    elif Interrupt.open.signal is None:
        Interrupt.open.signal = number
