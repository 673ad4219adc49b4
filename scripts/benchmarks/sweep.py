"""A job of a sweep beyond its own training; two jobs side by side; `compare` of a thousand runs."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from clock import now, repeats, report, spent

DLTHINK = [Path(sys.executable).with_name("dlthink")]
SMALL = ["data=spikes", "data.minutes=2", "data.neurons=4", "trainer=smoke", "trainer.device=cpu"]
LONG = [*SMALL, "trainer.steps=1500", "trainer.validate_every=1500"]
COSTS, SEEDS, ITEMS = 10, 100, 20


def swept(jobs: int, folder: str) -> np.ndarray:
    """CPU and wall seconds of a sweep of so many small jobs."""
    words = ["train", "-m", *SMALL, f"seed=range({jobs})"]
    return spent([*DLTHINK, *words], cwd=folder, stdout=subprocess.DEVNULL)


def alone(jobs: int, folder: str) -> np.ndarray:
    """The same of a small job's own training, in a process that has trained before: the mean over `jobs`.

    That is its steps, validations and test, with their figures and what they write; not its composition and its data.
    """
    import dlthink

    runs = [dlthink.compose(*SMALL, f"seed={seed}") for seed in range(jobs + 1)]
    runs[0].fit(f"{folder}/first")
    began = now()
    for place, run in enumerate(runs[1:]):
        run.fit(f"{folder}/{place}")
    return (now() - began) / jobs


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
        marginal = [(swept(1 + jobs, folder) - swept(1, folder)) / jobs for _ in range(n)]
        own = alone(jobs, folder)
        report("a job of a sweep beyond its training", 0.15, [times - own for times in marginal], training=own.tolist())
        words = ["train", "-m", *LONG, "seed=0,1"]
        pair = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
        both = [
            [spent([*DLTHINK, *words, *more], cwd=folder, stdout=subprocess.DEVNULL) for more in (pair, [])]
            for _ in range(n)
        ]
        report(
            "two jobs side by side / one after the other", None, [side for side, _ in both], [one for _, one in both]
        )
        thousand(Path(folder))
        command = [*DLTHINK, "compare", "runs"]
        times = [spent(command, cwd=folder, stdout=subprocess.DEVNULL) for _ in range(1 + n)]
        report("dlthink compare, 1,000 runs", 1.5, times[1:])
