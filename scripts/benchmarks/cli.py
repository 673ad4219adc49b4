"""CPU seconds (user and system) of the commands that must answer at once, the interpreter included."""

import subprocess
import sys
import tempfile
from pathlib import Path

from clock import repeats, report, spent

DLTHINK = Path(sys.executable).with_name("dlthink")


if __name__ == "__main__":
    for words in ("--help", "train --help", "train --cfg job"):
        command = [DLTHINK, *words.split()]
        with tempfile.TemporaryDirectory() as folder:
            times = [spent(command, cwd=folder, stdout=subprocess.DEVNULL) for _ in range(1 + repeats(5))]
        report(f"dlthink {words}", 0.5, times[1:])  # the first compiled what it imports
