"""One writer at a time in a folder; a kill leaves nothing behind that locks."""

import multiprocessing
import os
import signal
import socket
import sys
import time

import pytest

from dlthink.errors import BadInput
from dlthink.files.lock import NAME, hold


def keep(folder, ready):
    with hold(folder):
        ready.set()
        time.sleep(60)


def test_the_second_is_refused_in_one_line_that_names_the_first(tmp_path):
    with hold(tmp_path):
        with pytest.raises(BadInput, match=f"process {os.getpid()} on .* is training here") as error, hold(tmp_path):
            pass
        assert "\n" not in str(error.value)
    with hold(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_an_error_inside_gives_it_back(tmp_path):
    with pytest.raises(KeyError), hold(tmp_path):
        raise KeyError
    with hold(tmp_path):
        pass


def test_a_killed_holder_locks_nothing(tmp_path):
    context = multiprocessing.get_context("forkserver")
    ready = context.Event()
    process = context.Process(target=keep, args=(tmp_path, ready))
    process.start()
    assert ready.wait(60)
    with pytest.raises(BadInput, match=f"process {process.pid}"), hold(tmp_path):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert (tmp_path / NAME).exists()  # what it could not clear away
    with hold(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / NAME).read_text()
    assert not list(tmp_path.iterdir())


def test_a_lock_that_is_removed_before_it_is_taken_is_not_the_lock(tmp_path, monkeypatch):
    """Another one ends, and clears its file away, between our opening of the file and our locking of it."""
    from dlthink.files import lock

    taken, seen = lock._taken, []

    def late(handle):
        if not seen:
            (tmp_path / NAME).unlink()
        seen.append(handle)
        return taken(handle)

    monkeypatch.setattr(lock, "_taken", late)
    with hold(tmp_path):
        assert (tmp_path / NAME).exists() and len(seen) == 2


class Windows:
    """`msvcrt`, as far as the lock asks for it: bytes of an open file are locked by one handle at a time."""

    LK_NBLCK = 2

    def __init__(self):
        self.locked = {}  # (file, byte) -> handle

    def locking(self, handle, mode, number):
        place = (os.fstat(handle).st_ino, os.lseek(handle, 0, os.SEEK_CUR))
        assert (mode, number) == (self.LK_NBLCK, 1)
        if place in self.locked:
            raise OSError(36, "Resource deadlock avoided")
        self.locked[place] = handle


def test_on_windows_a_byte_behind_the_text_is_locked(tmp_path, monkeypatch):
    windows = Windows()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    with hold(tmp_path):
        assert [byte for _, byte in windows.locked] == [1 << 20]
        text = (tmp_path / NAME).read_text()
        assert text == f"process {os.getpid()} on {socket.gethostname()}\n" and len(text) < 1 << 20
        with pytest.raises(BadInput, match=f"process {os.getpid()} on .* is training here"), hold(tmp_path):
            pass
    windows.locked.clear()  # as the system does when the handle is closed
    (tmp_path / NAME).write_text(
        "process 1 on another, which was killed, and whose name is longer than this one's\n" * 9
    )
    with hold(tmp_path):
        assert (tmp_path / NAME).read_text() == text


@pytest.mark.parametrize("answer, taken", [(BlockingIOError(11, "busy"), False), (OSError(95, "no locks here"), True)])
def test_a_file_system_without_locks_lets_everybody_in(tmp_path, monkeypatch, answer, taken):
    def flock(*_):
        raise answer

    monkeypatch.setattr("fcntl.flock", flock)
    if taken:
        with hold(tmp_path):
            assert (tmp_path / NAME).exists()
    else:
        with pytest.raises(BadInput, match="another process is training here"), hold(tmp_path):
            pass


def test_where_nothing_can_be_written_it_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError), hold(tmp_path / "file"):
        pass
