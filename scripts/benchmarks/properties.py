"""Measured properties of molecules, trained here and by chemprop on the same splits: CPU seconds, and what test says.

    DLTHINK_PROPERTIES=FOLDER CHEMPROP=path/to/chemprop python scripts/bench.py properties

FOLDER holds esol.csv, freesolv.csv and lipophilicity.csv: smiles, the target, split_0, ... with train, val or test.
chemprop lives in an environment of its own (pip install chemprop==2.3.1 torch==2.13.0): `regression-mve`, else as it
comes; its clock is the whole process of `chemprop train`. DLTHINK_TABLES=esol,... and DLTHINK_SPLITS=0,1,... for fewer
than all; CHEMPROP_RUNS=1x50,5x10 are networks x epochs, 3 at least. Several networks are read as one normal
distribution with the mean and variance of their mixture. Ours: `dlthink train experiment=properties` (`lipophilicity`
for that table), seed 0. A line for each says by which number ours is not better.
"""

import csv
import json
import math
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
from clock import report, spent

RECIPES = {"esol": "properties", "freesolv": "properties", "lipophilicity": "lipophilicity"}
THEIRS = "-s smiles -t regression-mve --pytorch-seed 0 --accelerator cpu -n 0"
NUMBERS = ("rmse", "nll", "coverage_90")
INSIDE = 1.6448536  # standard deviations, of 90 %


def ours(file: Path, split: int, folder: Path) -> tuple[np.ndarray, dict]:
    """Seconds (CPU, wall) of the process, and the numbers of test."""
    words = [f"experiment={RECIPES[file.stem]}", f"data.path={file}", f"data.target={_columns(file)[1]}"]
    words += [f"data.split=split_{split}", "data.baselines=[]", f"into={folder / 'ours'}"]
    seconds = spent([sys.executable, "-m", "dlthink", "train", *words], stdout=sys.stderr)
    test = json.loads((folder / "ours" / "metrics.json").read_text())["test"]
    return seconds, {name: test[name] for name in NUMBERS}


def chemprop(command: str, file: Path, split: int, folder: Path, members: int, epochs: int) -> tuple[np.ndarray, dict]:
    """The same by networks of chemprop."""
    target, out, said = _columns(file)[1], folder / f"{members}x{epochs}", folder / f"{members}x{epochs}.csv"
    words = ["--target-columns", target, "--splits-column", f"split_{split}", "--epochs", epochs]
    words = map(str, [*words, "--ensemble-size", members])
    seconds = spent([command, "train", "-i", file, "-o", out, *THEIRS.split(), *words], stdout=sys.stderr)
    with (folder / "test.csv").open("w", newline="") as test, file.open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row[f"split_{split}"] == "test"]
        writer = csv.writer(test)
        writer.writerow(["smiles"])
        writer.writerows([row["smiles"]] for row in rows)
    words = ["-i", test.name, "-o", said, "-s", "smiles", "--model-paths", out, "--uncertainty-method", "mve"]
    spent([command, "predict", *words, "--accelerator", "cpu", "-n", "0"], stdout=sys.stderr)
    single = said.with_name(f"{said.stem}_individual.csv")
    return seconds, scores(single if members > 1 else said, target, [float(row[target]) for row in rows])


def scores(said: Path, target: str, y: list[float]) -> dict[str, float]:
    """NUMBERS of predictions: columns TARGET and TARGET_unc, variances; of networks with _model_0, ..."""
    with said.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(y), f"chemprop predicts {len(rows)} of {len(y)} molecules"

    def columns(name: str) -> np.ndarray:
        names = [each for each in rows[0] if re.fullmatch(rf"{re.escape(name)}(_model_\d+)?", each)]
        return np.array([[float(row[each]) for each in names] for row in rows])

    means = columns(target)
    variance = columns(f"{target}_unc").mean(1) + means.var(1)
    error = np.array(y) - means.mean(1)
    nll = 0.5 * np.log(2 * math.pi * variance) + error**2 / (2 * variance)
    inside = np.abs(error) <= INSIDE * np.sqrt(variance)
    return dict(zip(NUMBERS, map(float, (np.sqrt(np.mean(error**2)), nll.mean(), inside.mean())), strict=True))


def _columns(file: Path) -> list[str]:
    with file.open(newline="") as table:
        return next(csv.reader(table))


def _listed(variable: str, usual: str) -> list[str]:
    return os.environ.get(variable, usual).split(",")


def said_of(mine: dict, theirs: dict) -> str:
    """The numbers of both, and what is not better here."""
    pairs = ", ".join(f"{name} {mine[name]:.3f} ({theirs[name]:.3f})" for name in NUMBERS)
    worse = [name for name in NUMBERS[:2] if mine[name] >= theirs[name]]
    return f"ours (theirs): {pairs}; not better: {', '.join(worse) or 'none'}"


if __name__ == "__main__":
    place, command = os.environ.get("DLTHINK_PROPERTIES"), os.environ.get("CHEMPROP")
    if not (place and command):
        sys.exit(
            print("properties is left out: set DLTHINK_PROPERTIES and CHEMPROP (see its docstring)", file=sys.stderr)
        )
    for split in map(int, _listed("DLTHINK_SPLITS", "0,1,2,3,4")):
        for name in _listed("DLTHINK_TABLES", ",".join(RECIPES)):
            file = Path(place) / f"{name}.csv"
            with tempfile.TemporaryDirectory() as folder:
                seconds, mine = ours(file, split, Path(folder))
                for run in _listed("CHEMPROP_RUNS", "1x50,5x10,5x50"):
                    members, epochs = map(int, run.split("x"))
                    peer, theirs = chemprop(command, file, split, Path(folder), members, epochs)
                    row = f"{name}, split {split} / chemprop {run} epochs"
                    print(f"{row}: {said_of(mine, theirs)}", file=sys.stderr)
                    report(row, None, [seconds], [peer], test=mine, peer_test=theirs)
