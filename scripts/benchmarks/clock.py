"""What every benchmark does: read the clock, repeat, and report a row."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np


def now() -> np.ndarray:
    """CPU seconds of this process with all its threads, and wall seconds."""
    return np.array([time.process_time(), time.perf_counter()])


def spent(command: list, **how) -> np.ndarray:
    """The same of a command with all its children, the interpreter included; `how` to run it, as for subprocess."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, **how)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    return np.array([after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall])


def peak(work: Callable[[], object]) -> float:
    """The most memory that torch held at a time, beyond what it held before: MB."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    events = (event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]")
    held = np.cumsum([event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())])
    return held.max() / 1e6


def repeats(usual: int) -> int:
    """How often to repeat: what `bench.py --repeats` says, or else `usual`."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else usual


def report(name: str, goal: float | None, ours: list, peer: list | None = None, **more) -> None:
    """A row of the table as a line of JSON: (CPU, wall) seconds of each repetition, and `more` that was measured.

    The goal limits the ratio of ours to peer, paired by repetition, or without a peer the CPU seconds.
    """
    times = {"ours": np.array(ours).tolist(), "peer": peer and np.array(peer).tolist()}
    print(json.dumps({"name": name, "goal": goal} | times | more), flush=True)
