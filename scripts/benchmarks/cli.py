"""CPU seconds (user and system) of the commands that must answer at once, the interpreter's start included."""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = ["--help", "train --help", "train --cfg job"]
DLTHINK = Path(sys.executable).with_name("dlthink")


def spent(words: str, folder: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([DLTHINK, *words.split()], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
