"""Worker: a process in which a launcher has runs of a sweep beside others. It takes its turn at the GPUs, and leaves,
saved, when the command that began the sweep is told to stop, or is gone."""

import importlib.util
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlthink.errors import STOP, Terminated, handled
from dlthink.runs.sweep import Sweep, alive
from dlthink.training.interrupt import tell

EVERY = 0.5  # seconds between two looks at the sweep
# what every run needs: imported once, and forked from
NEEDED = ["dlthink.runs.launch", "dlthink.runs.folder", "torch.utils.tensorboard", "matplotlib.figure", "scipy.stats"]
THREADS = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}

_at_work = threading.Event()  # is a run at work in this process?
_watched: set[Path] = set()  # the sweeps that are watched


def fork_once(n_jobs: str | None) -> None:
    """Let joblib fork its workers from one process that imports what they need, and begins to at once.

    n_jobs: how many there will be, each with its share of the cores; without a number, one for each core. Nothing is
    done where the system cannot fork, or, as on a Mac, should not once libraries are loaded.
    """
    if sys.platform != "linux" or importlib.util.find_spec("joblib") is None:
        return
    import multiprocessing
    from multiprocessing import forkserver

    from joblib import cpu_count, effective_n_jobs
    from joblib.externals.loky.backend import context

    workers = int(n_jobs) if re.fullmatch(r"-?[1-9]\d{,5}", n_jobs or "") else -1
    share = str(max(1, cpu_count() // effective_n_jobs(workers)))
    context.set_start_method("forkserver", force=True)
    multiprocessing.set_forkserver_preload(NEEDED)
    before = dict(os.environ)
    os.environ |= {name: before.get(name, share) for name in THREADS}
    try:
        # it hears neither Ctrl-C nor SIGTERM, nor do those that it forks: of a signal to all processes at once the
        # command tells the runs
        with handled(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM):
            forkserver.ensure_running()
    finally:
        for name in THREADS - before.keys():
            del os.environ[name]


@contextmanager
def at_work(sweep: Sweep) -> Iterator[None]:
    """While a run is at work here, the end of its sweep is a SIGTERM to it. Ctrl-C reaches the whole terminal, and so
    the command, which then says so."""

    def leave(*_) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: a scheduler tells all processes, and we do
        raise Terminated

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # between two runs, too; training hears it
    with handled(leave, signal.SIGTERM):
        _at_work.set()
        if sweep.file not in _watched:
            _watched.add(sweep.file)
            threading.Thread(target=_watch, args=(sweep,), daemon=True, name=f"watch {sweep.file}").start()
        try:
            yield
        finally:
            _at_work.clear()


def _watch(sweep: Sweep) -> None:
    """Tell the run at work that its sweep is over; where the command is gone, end this process after it."""
    while not sweep.over():
        time.sleep(EVERY)
    if _at_work.is_set():
        tell(signal.SIGTERM)
    while _at_work.is_set() or sweep.file.is_file():
        if not _at_work.is_set() and not alive(sweep.command):
            os._exit(STOP + signal.SIGTERM)  # nobody takes an answer, and joblib would wait for work
        time.sleep(EVERY)
    _watched.discard(sweep.file)


def take_turn(turn: int, device: str) -> None:
    """Of several GPUs, this process has the one of its turn, where none is named."""
    if device not in ("auto", "cuda"):
        return
    import torch

    if (gpus := torch.cuda.device_count()) > 1:
        torch.cuda.set_device(turn % gpus)
