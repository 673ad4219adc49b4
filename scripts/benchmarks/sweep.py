"""A job of a sweep beyond its own training; two jobs side by side, and two bare loops; `compare` of a thousand runs."""

import io
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
from clock import now, repeats, report, spent

DLTHINK = [Path(sys.executable).with_name("dlthink")]
SMALL = ["data=spikes", "data.minutes=2", "data.neurons=4", "trainer=smoke", "trainer.device=cpu"]
LONG = [*SMALL, "trainer.steps=5000", "trainer.validate_every=5000"]
COSTS, SEEDS, ITEMS = 10, 100, 20
BARE = "import torch; x = torch.randn(64, 64)\nfor _ in range(400_000): x = torch.tanh(x @ x / 64)"  # without dlthink


def swept(jobs: int) -> tuple[np.ndarray, np.ndarray]:
    """CPU and wall seconds of a sweep of so many small jobs, in this process: all of it, and its trainings alone.

    A training is what `launch` does: steps, validations and test, with their figures and what they write; not the
    composition of the job and its data. Both are read in one process, as drawing differs more from one to the next
    than a job has beyond its training.
    """
    from dlthink.commands import train
    from dlthink.runs import launch

    own, inner, began = np.zeros(2), launch.launch, _now()

    def timed(*parts, **how):
        nonlocal own
        start = _now()
        try:
            return inner(*parts, **how)
        finally:
            own += _now() - start

    launch.launch = timed
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            train.main(["-m", *SMALL, f"seed=range({jobs})"])
    finally:
        launch.launch = inner
    return _now() - began, own


def _now() -> np.ndarray:
    """CPU seconds of this process and of what it has started (git), and wall seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return now() + np.array([children.ru_utime + children.ru_stime, 0.0])


def thousand(folder: Path) -> None:
    """Runs of ten costs, a hundred seeds each, from one that is finished."""
    subprocess.run([*DLTHINK, "train", *SMALL, "into=one"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    one, chance = folder / "one", np.random.default_rng(0)
    config, story = (one / "config.yaml").read_text(), json.loads((one / "provenance.json").read_text())
    numbers, scores = json.loads((one / "metrics.json").read_text()), dict(np.load(one / "scores.npz"))
    for cost in range(COSTS):
        for seed in range(SEEDS):
            place = folder / "runs" / f"{cost}-{seed}"
            place.mkdir(parents=True)
            (place / "config.yaml").write_text(config.replace("\nseed: 0\n", f"\nseed: {seed}\n"))
            said = {"choices": story["choices"] | {"loss": f"cost{cost}"}, "command": [f"loss=cost{cost}"]}
            (place / "provenance.json").write_text(json.dumps(story | said))
            moved = scores["log_score"] + 0.01 * chance.normal(size=scores["log_score"].shape) + 0.001 * cost
            np.savez_compressed(place / "scores.npz", **(scores | {"log_score": moved}))
            test = numbers["test"] | {"log_score": float(np.average(moved, weights=scores["weight"]))}
            (place / "metrics.json").write_text(json.dumps(numbers | {"test": test}))
    shutil.rmtree(one)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        n, jobs = repeats(3), 8
        os.chdir(folder)
        swept(1)  # what is loaded once
        pairs = [(*swept(1), *swept(1 + jobs)) for _ in range(n)]
        beyond = [((many - its) - (one - own)) / jobs for one, own, many, its in pairs]
        training = np.mean([its / (1 + jobs) for _, _, _, its in pairs], 0)
        report("a job of a sweep beyond its training", 0.15, beyond, training=training.tolist())
        words = ["train", "-m", *LONG, "seed=0,1"]
        pair = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
        both = [
            [spent([*DLTHINK, *words, *more], cwd=folder, stdout=subprocess.DEVNULL) for more in (pair, [])]
            for _ in range(n)
        ]
        report("two jobs side by side / one after the other", None, *zip(*both, strict=True))
        bare = f"{shlex.quote(sys.executable)} -c {shlex.quote(BARE)}"
        loops = [[spent(["sh", "-c", f"{bare} {how} {bare}; wait"]) for how in ("&", ";")] for _ in range(n)]
        report("two bare loops of torch, the same", None, *zip(*loops, strict=True))  # what this machine gives
        thousand(Path(folder))
        command = [*DLTHINK, "compare", "runs"]
        times = [spent(command, cwd=folder, stdout=subprocess.DEVNULL) for _ in range(1 + n)]
        report("dlthink compare, 1,000 runs", 1.5, times[1:])
