"""Nine UCI tables by one recipe, by NGBoost and by scikit-learn's boosting: CPU seconds here, test figures below.

    DLTHINK_UCI=FOLDER NGBOOST=path/to/python python scripts/bench.py uci

FOLDER holds boston.csv.gz, ... with their published splits; NGBoost lives in an environment of its own (pip install
ngboost==0.6.0). DLTHINK_TABLES=boston,... and DLTHINK_SPLITS=0,1,... for fewer than all nine and splits 0 to 4. What
lies in outputs/uci is not run again: scripts/uci.py, which does it, goes on where it was stopped, and prints log
likelihood and RMSE of all with the tables on which ours is not better. Ours is a run with its boosted trees and figures
of test; the peer is NGBoost's two fits.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from clock import report

SCRIPT = Path(__file__).parents[1] / "uci.py"
INTO = SCRIPT.parents[1] / "outputs" / "uci"


def rows(into: Path) -> None:
    """A row for each table: a repetition is a split that both have learned."""
    for folder in sorted(path for path in into.iterdir() if path.is_dir()):
        times = []
        for file in sorted(folder.rglob("RESULT.json")):
            ours = json.loads(file.read_text())
            peer = folder / f"ngboost_{ours['split']}.json"
            if peer.exists() and "wall_seconds" in ours:  # older ones have none
                times.append((_seconds(ours), _seconds(json.loads(peer.read_text()))))
        if times:
            report(f"{folder.name}, a split / NGBoost", None, *map(list, zip(*times, strict=True)))


def _seconds(result: dict) -> list[float]:
    return [result["cpu_seconds"], result["wall_seconds"]]


if __name__ == "__main__":
    folder, python = os.environ.get("DLTHINK_UCI"), os.environ.get("NGBOOST")
    if not (folder and python):
        sys.exit(print("uci is left out: set DLTHINK_UCI and NGBOOST (see its docstring)", file=sys.stderr))
    words = ["--into", INTO, "--ngboost", python]
    for option, name in (("--tables", "DLTHINK_TABLES"), ("--splits", "DLTHINK_SPLITS")):
        words += [option, os.environ[name]] if name in os.environ else []
    subprocess.run([sys.executable, SCRIPT, folder, *words], check=True, stdout=sys.stderr)
    rows(INTO)
