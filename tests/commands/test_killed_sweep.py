"""A sweep that is killed again and again, and goes on each time, ends as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch

from tests.conftest import REPOSITORY

WORDS = ["data.minutes=2", "data.neurons=4", "data.rate=12", "model.width=8", "trainer=smoke", "trainer.device=cpu"]
WORDS += ["trainer.steps=60", "trainer.validate_every=30", "trainer.save_minutes=0.0001", "loss=poisson,mse"]
WORDS += ["seed=0,1,2,3,4,5"]
RUNS, KILLS = 12, 5
PROGRAM = """import sys; from dlthink.training.logger import Logger; from dlthink.__main__ import main
Logger.figures = lambda *_: None  # two thirds of a small run
sys.argv[0] = "dlthink"; sys.exit(main())"""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}


def start(folder, *words):
    command = [sys.executable, "-c", PROGRAM, "train", "-m", *words]
    settings = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, **settings)


def written(sweep):
    """{run: when its metrics were written}."""
    return {file.parent.name: file.stat().st_mtime_ns for file in sweep.glob("*/metrics.json")}


@pytest.mark.slow
def test_a_sweep_killed_five_times_is_bit_for_bit_the_undisturbed_one(tmp_path):
    began = time.monotonic()
    whole = start(tmp_path, *WORDS, "hydra.sweep.dir=whole")
    out, _ = whole.communicate()
    one = (time.monotonic() - began) / RUNS  # so long takes a run, here and now
    assert whole.returncode == 0 and len(written(tmp_path / "whole")) == RUNS, out
    chance, sweep = random.Random(0), tmp_path / "killed"
    words = [*WORDS, "hydra.sweep.dir=killed"]
    for _ in range(KILLS):
        process, before = start(tmp_path, *words), written(sweep)
        # so many ends, and then somewhere in the next run or two, of which some are left for the last time
        goal = min(len(before) + chance.randrange(3), RUNS - 4)
        while process.poll() is None and len(written(sweep)) < goal:
            time.sleep(0.02)
        folders = len(list(sweep.glob("*/config.yaml")))
        while process.poll() is None and goal and len(list(sweep.glob("*/config.yaml"))) == folders == goal:
            time.sleep(0.02)
        time.sleep(chance.random() * one)
        assert process.poll() is None, process.communicate()[0]
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        after = written(sweep)
        assert all(after[name] == when for name, when in before.items())  # nothing is run twice
        if (sweep / "sweep.json").exists():
            words = ["resume=killed"]
    before = written(sweep)
    assert len(before) < RUNS
    last = start(tmp_path, *words)
    out, _ = last.communicate()
    assert last.returncode == 0, out
    after = written(sweep)
    assert all(after[name] == when for name, when in before.items()) and out.count(" was there") == len(before)
    assert after.keys() == written(tmp_path / "whole").keys() and len(after) == RUNS
    for name in after:
        one, other = tmp_path / "whole" / name, sweep / name
        assert json.loads((one / "metrics.json").read_text()) == json.loads((other / "metrics.json").read_text()), name
        for kept in "last.pt", "best.pt":
            same = [torch.load(folder / "checkpoints" / kept, weights_only=True) for folder in (one, other)]
            for part in "model", "loss":
                assert all(torch.equal(value, same[1][part][key]) for key, value in same[0][part].items()), name


@pytest.mark.slow
@pytest.mark.parametrize("number, code", [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)])
def test_runs_side_by_side_save_and_leave_with_their_command(tmp_path, number, code):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="pip install 'dlthink[sweep]'")
    long = ["trainer.steps=200000", "trainer.validate_every=100000", "seed=0,1,2,3", "into=sweep"]
    pair = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    process, sweep = start(tmp_path, *pair, *WORDS[:6], *long), tmp_path / "sweep"
    while process.poll() is None and len(list(sweep.glob("*/metrics.csv"))) < 2:
        time.sleep(0.05)
    os.kill(process.pid, number)
    out, _ = process.communicate()  # which ends when the last of its processes does
    assert process.returncode == code and out.count(f"stopped by {signal.SIGTERM.name}; saved: ") == 2, out
    assert len(list(sweep.glob("*/checkpoints/last.pt"))) == 2 and not list(sweep.glob("*/.lock"))
    assert len(list(sweep.glob("*/"))) == 2  # no other began
