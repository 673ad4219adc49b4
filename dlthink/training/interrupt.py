"""Ctrl-C and SIGTERM, heard between two steps."""

import signal
import threading


class Interrupted(Exception):
    """Training was asked to stop by the signal `number`; everything is saved."""

    def __init__(self, number: int):
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


class Interrupt:
    """While it is open, the first Ctrl-C or SIGTERM is only noted in `signal`; a second one stops at once.

    Only a program's main thread hears signals; elsewhere (a notebook's worker, say) nothing is changed.
    """

    def __init__(self):
        self.signal: int | None = None
        self._before: dict = {}

    def _note(self, number: int, frame) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
