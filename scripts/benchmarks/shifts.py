"""CPU time until chemprop's own test MAE is reached, on the same split of measured 13C shifts and as many threads.

    DLTHINK_SHIFTS=FILE CHEMPROP=path/to/chemprop python scripts/bench.py shifts

FILE is JSON lines or an SD file as for data=nmrshiftdb2. chemprop lives in an environment of its own (pip install
chemprop==2.3.1 torch==2.13.0). Its settings: atom targets, mve, depth 5, width 300, batches of 64, 50 epochs; its clock
is the whole process. Ours: message passing with the CRPS of a Laplace distribution; the clock stands still while the
test error is asked for, every 250 steps, of the averaged weights.
"""

import ast
import csv
import os
import sys
import tempfile
from itertools import count
from pathlib import Path

import numpy as np
import torch
from clock import repeats, report, spent
from ours import train

from dlthink.data.molecules.atoms import MeasuredAtoms
from dlthink.data.molecules.nmrshiftdb2 import Nmrshiftdb2
from dlthink.data.molecules.shift_data import ShiftData

STEPS, EVERY = 6000, 250
WORDS = ["data=nmrshiftdb2", "loss=crps", "loss.family=laplace", "optim.lr=2e-3", f"trainer.steps={STEPS}"]
WORDS += [f"trainer.validate_every={STEPS}"]
THEIRS = "-s smiles --atom-target-columns shift -t regression-mve --splits-column split --depth 5 -b 64 --epochs 50"
THEIRS += " --message-hidden-dim 300 --accelerator cpu -n 0 --pytorch-seed 0"


def chemprop(command: str, data: ShiftData) -> tuple[np.ndarray, float]:
    """Seconds (CPU, wall) to train, and the test MAE in ppm."""
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "shifts.csv", Path(folder) / "out"
        with table.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["smiles", "shift", "split"])
            rows.writerows([*molecule, name] for name in ("train", "val", "test") for molecule in _rows(data, name))
        seconds = spent([command, "train", "-i", table, "-o", out, *THEIRS.split()], stdout=sys.stderr)
        with (out / "model_0" / "test_predictions.csv").open() as file:
            said = {row["smiles"]: ast.literal_eval(row["shift"]) for row in csv.DictReader(file)}
        errors = []
        for smiles, shifts in _rows(data, "test"):
            errors += [abs(p - y) for p, y in zip(said[smiles], shifts, strict=True) if y is not None]
    return seconds, float(np.mean(errors))


def _rows(data: ShiftData, name: str) -> list[tuple[str, list[float | None]]]:
    split: MeasuredAtoms = getattr(data, name)
    first, atoms = split.first_row.tolist(), split.graphs.first_atom.diff().tolist()
    rows = []
    for molecule, smiles in enumerate(split.smiles):
        shifts: list[float | None] = [None] * atoms[molecule]
        for row in range(first[molecule], first[molecule + 1]):
            shifts[int(split.atom[row])] = float(split.y[row])
        rows.append((smiles, shifts))
    return rows


def ours(data: ShiftData, target: float) -> np.ndarray:
    """Seconds until the test MAE is at the target."""
    steps = count(1)

    def enough(trainer) -> bool:
        if next(steps) % EVERY:
            return False
        with trainer.ema.in_place(), torch.no_grad():
            trainer.model.eval()
            errors = [
                (trainer.loss.predict(trainer.model(x))["mean"] - y).abs().sum()
                for x, y in map(data.test.take, torch.arange(len(data.test)).split(256))
            ]
            trainer.model.train()
        return bool(sum(errors) / len(data.test.y) <= target)

    trainer = train(WORDS, data, enough)
    assert trainer.reached is not None, f"dlthink stays above {target:.3f} ppm"
    return trainer.reached


if __name__ == "__main__":
    file, command = os.environ.get("DLTHINK_SHIFTS"), os.environ.get("CHEMPROP")
    if not (file and command):
        sys.exit(print("shifts is left out: set DLTHINK_SHIFTS and CHEMPROP (see its docstring)", file=sys.stderr))
    data = Nmrshiftdb2(file, elements=None, largest=None)
    peer, mine = [], []
    for _ in range(repeats(1)):
        seconds, error = chemprop(command, data)
        print(f"chemprop's test MAE: {error:.3f} ppm", file=sys.stderr)
        peer.append(seconds)
        mine.append(ours(data, error))
    report("13C, to chemprop's test MAE", 0.25, mine, peer)
