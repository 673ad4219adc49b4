"""One writer at a time: a lock that the operating system drops with the process that holds it, however it ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlthink.errors import BadInput

NAME = ".lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """While it is open, nobody else holds this folder, in this process or another.

    The file `.lock` in it says who does; what locks is not the file but the open handle, so one that a kill leaves
    behind locks nothing. Raises BadInput where somebody else holds it, OSError where the folder cannot be written to.
    """
    place = folder / NAME
    while True:
        # a link that lies there instead leads to somebody's file, which would be written over
        handle = os.open(place, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            taken = _taken(handle)
            holder = "" if taken else os.read(handle, 200).decode(errors="replace").strip()
            current = taken and place.exists() and os.path.samestat(os.fstat(handle), place.stat())
        except BaseException:
            os.close(handle)
            raise
        if current:
            break
        os.close(handle)
        if not taken:
            raise BadInput(
                f"{folder}: {holder or 'another process'} is training here; wait for its end, or stop it, and try again"
            )  # else its holder has removed the file between our opening and our locking it
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield
    finally:
        with suppress(OSError):  # nobody can take it before the handle is closed, and then finds another file or none
            if os.name == "posix":
                place.unlink()
        os.close(handle)


def _taken(handle: int) -> bool:
    """Lock the open file, without waiting. True where a file system knows no locks, too: then nothing can be said."""
    try:
        import fcntl
    except ImportError:  # Windows: one byte far behind the text, which stays readable
        import msvcrt

        os.lseek(handle, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
