"""CPU seconds (user and system) of the commands that must answer at once, the interpreter included."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clock import repeats, report

DLTHINK = Path(sys.executable).with_name("dlthink")


def spent(words: str, folder: str) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([DLTHINK, *words.split()], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


if __name__ == "__main__":
    for words in ("--help", "train --help", "train --cfg job"):
        with tempfile.TemporaryDirectory() as folder:
            times = [spent(words, folder) for _ in range(1 + repeats(5))]
        report(f"dlthink {words}", 0.5, times[1:])  # the first compiled what it imports
