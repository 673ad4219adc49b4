"""A run of a sweep on a cluster that is told to leave: it saves, is queued again, and ends as if nothing had happened.

submitit's own executor on this machine stands for the cluster: it sends and hears the same signals.
"""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch

from dlthink.training.interrupt import Interrupt
from tests.conftest import REPOSITORY, SMALL

ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
WORDS = [word for word in SMALL if word != "trainer=smoke"]
WORDS += ["trainer.steps=3000", "trainer.validate_every=1500", "trainer.log_every=500"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGTERM])
def test_a_job_that_has_to_leave_ends_like_one_that_had_not(cli, tmp_path, number):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="pip install 'dlthink[slurm]'")
    assert cli("train", "seed=1", "hydra.run.dir=alone", *WORDS)[0] == 0
    words = ["train", "-m", "seed=0,1", "hydra/launcher=submitit_local", "hydra.sweep.dir=sweep", *WORDS]
    command = [sys.executable, "-m", "dlthink", *words]
    settings = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    process = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, **settings)
    told, begun = tmp_path / "sweep" / "1-seed=1" / ".lock", tmp_path / "sweep" / "1-seed=1" / "metrics.csv"
    while process.poll() is None and not (begun.exists() and told.exists()):
        time.sleep(0.05)
    os.kill(int(re.search(r"process (\d+)", told.read_text())[1]), number)
    out, _ = process.communicate()
    errors = "".join(file.read_text() for file in tmp_path.glob("sweep/.submitit/*/*.err"))
    assert process.returncode == 0, out + errors
    assert f"stopped by {number.name}; saved, and put into the queue again: 1-seed=1" in errors
    one, other = (
        torch.load(folder / "checkpoints" / "last.pt", weights_only=True)["model"]
        for folder in (tmp_path / "alone", tmp_path / "sweep" / "1-seed=1")
    )
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert not [path.name for path in (*tmp_path.glob(".*"), *tmp_path.glob("sweep/.*")) if path.name != ".submitit"]


@pytest.mark.slow
def test_the_first_failure_ends_a_sweep_on_a_cluster_and_says_why(cli, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="pip install 'dlthink[slurm]'")
    words = ["data.bin=0,0.05,0.1", "fail_fast=true", "hydra/launcher=submitit_local", "into=sweep", *SMALL]
    code, out, err = cli("train", "-m", *words)
    assert code == 2 and "1 of 3 runs failed: 0-data.bin=0" in err and "result.pkl" not in err
    assert "dlthink: data.bin=0" in out and "of 3 runs done" in out


def test_signals_that_somebody_listens_to_are_noted_and_handed_on():
    heard = []
    before = signal.signal(signal.SIGUSR2, lambda *of: heard.append(of[0]))
    try:
        with Interrupt() as stop:
            signal.raise_signal(signal.SIGUSR2)
            signal.raise_signal(signal.SIGTERM)  # that follows; no reason to end at once
            assert stop.signal == signal.SIGTERM and heard == []
        stop.requeue(signal.SIGUSR2, None)
        assert heard == [signal.SIGUSR2] and callable(signal.getsignal(signal.SIGUSR2))
    finally:
        signal.signal(signal.SIGUSR2, before)
    with Interrupt() as stop:  # nobody listens: the system's own way
        assert stop.requeue is None and signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL


def test_the_preset_for_slurm(cli):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="pip install 'dlthink[slurm]'")
    code, out, err = cli("train", "hydra/launcher=slurm", "hydra.launcher.partition=gpu", "--cfg", "hydra")
    assert code == 0, err
    assert "submitit_launcher.SlurmLauncher" in out and "partition: gpu" in out and "signal_delay_s: 120" in out
