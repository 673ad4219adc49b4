"""Worker: a process in which a launcher has runs of a sweep beside others. It takes its turn at the GPUs, and leaves,
saved, when the command that began the sweep is told to stop, or is gone."""

import importlib.util
import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dlthink.errors import hearing
from dlthink.runs.sweep import STOP, Sweep, alive

EVERY = 0.5  # seconds between two looks at the sweep
# what every run needs: imported once, and forked from
NEEDED = ["dlthink.runs.launch", "dlthink.runs.folder", "torch.utils.tensorboard", "matplotlib.figure", "scipy.stats"]
THREADS = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}


def fork_once(n_jobs: str | None) -> None:
    """Let joblib fork its workers from one process that imports what they need, and begins to at once.

    n_jobs: how many there will be, each with its share of the cores; without a number, one for each core. Nothing is
    done where the system cannot fork, or, as on a Mac, should not once libraries are loaded.
    """
    if sys.platform != "linux" or importlib.util.find_spec("joblib") is None:
        return
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
        forkserver.ensure_running()
    finally:
        for name in THREADS - before.keys():
            del os.environ[name]


@contextmanager
def at_work(sweep: Sweep) -> Iterator[None]:
    """While a run is at work here, the end of its sweep is a SIGTERM. Ctrl-C reaches the whole terminal, and so the
    command, which then says so."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(EVERY):
            if sweep.over():
                signal.raise_signal(signal.SIGTERM)
                return

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # between two runs, too; training hears it
    with hearing():
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            if not alive(sweep.command):  # nobody takes an answer, and joblib would wait for work
                os._exit(STOP + signal.SIGTERM)


def take_turn(turn: int, device: str) -> None:
    """Of several GPUs, this process has the one of its turn, where none is named."""
    if device not in ("auto", "cuda"):
        return
    import torch

    if (gpus := torch.cuda.device_count()) > 1:
        torch.cuda.set_device(turn % gpus)
