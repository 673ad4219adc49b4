"""One epoch over a table of 50 columns: dlthink's loop, and one written by hand over the same tensors.

Both train the same perceptron from the same weights by the same cost (CRPS) and optimizer in batches of 256, and end in
the same weights. Then `dlthink train` reads the file and trains an epoch in a process of its own: its peak memory, with
the interpreter and torch, beside that of the table as float32. DLTHINK_ROWS=1000000 for more rows than 100,000.
"""

import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from clock import now, repeats, report
from ours import Unexamined, train
from torch import nn
from torch.nn.functional import softplus
from torch.nn.utils import parameters_to_vector

ROWS, COLUMNS, BATCH = int(os.environ.get("DLTHINK_ROWS", 100_000)), 50, 256
WORDS = [
    "data=table",
    "model=mlp",
    "loss=crps",
    "trainer=default",
    "trainer.epochs=1",
    f"trainer.batch={BATCH}",
    "trainer.schedule=constant",
]
WORDS += ["trainer.validate_every=1000000", "optim.lr=1e-3"]


def drawn(file: Path) -> None:
    """A table of normal numbers and a target that depends on them, as Parquet."""
    import pandas

    chance = np.random.default_rng(0)
    x = chance.standard_normal((ROWS, COLUMNS), dtype=np.float32)
    y = x[:, 0] * x[:, 1] + x[:, 2:] @ (chance.standard_normal(COLUMNS - 2, dtype=np.float32) / 7)
    frame = pandas.DataFrame(x, columns=[f"x{i}" for i in range(COLUMNS)], copy=False)
    frame["y"] = y + 0.3 * chance.standard_normal(ROWS, dtype=np.float32)
    frame.to_parquet(file)


def by_hand(split, mean: float, std: float) -> tuple[np.ndarray, nn.Module]:
    """Seconds, and the network."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(COLUMNS, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))
    net[-1].weight.data.mul_(0.1)
    net[-1].bias.data.zero_()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2, fused=True)
    x, y, one = split.x["numbers"], (split.y - mean) / std, math.log(math.e - 1)
    began = now()
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    for index in order[: len(y) // BATCH * BATCH].view(-1, BATCH):
        guess, raw = net(x[index]).split(1, 1)
        error, spread = y[index] - guess, 1e-7 + (1 - 1e-7) * softplus(raw + one)
        z = error / spread
        density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        crps = error * torch.erf(math.sqrt(0.5) * z) + spread * (2 * density - 1 / math.sqrt(math.pi))
        optimizer.zero_grad()
        crps.mean().backward()
        optimizer.step()
    return now() - began, net


def memory(file: Path) -> float:
    """MB that `dlthink train` holds at most, from reading the file to its last examination."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["data.target=y", f"data.path={file}", "data.baselines=[constant]", f"into={folder}/run"]
        command = [sys.executable, "-m", "dlthink", "train", *WORDS, *words, "trainer.precision=fp32"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "table.parquet"
        drawn(file)
        held, table = memory(file), 4e-6 * ROWS * (COLUMNS + 1)
        from dlthink.data.tables.reals import Reals

        began = now()
        data = Reals(str(file), target="y", baselines=["constant"])
        read = (now() - began).tolist()
    ours, hand = [], []
    for _ in range(1 + repeats(3)):
        run = train(WORDS, data, metrics=Unexamined())
        seconds, net = by_hand(data.train, run.loss.mean.item(), run.loss.std.item())
        ours.append(run.seconds)
        hand.append(seconds)
        weights, same = (parameters_to_vector(each.parameters()) for each in (run.model, net))
        apart = ((weights - same).norm() / same.norm()).item()
        assert apart < 0.01, f"dlthink and the hand end {apart:.2g} apart: not the same training"
    more = {"rows": ROWS, "read": read, "peak_mb": held, "goal_mb": 4 * table + 500}
    report(f"an epoch of {ROWS:,} x {COLUMNS} / by hand", 1.3, ours[1:] or ours, hand[1:] or hand, **more)
    print(f"peak memory {held:,.0f} MB, goal {more['goal_mb']:,.0f} MB; read in {read[0]:.1f} CPU s", file=sys.stderr)
