"""`dlthink train resume=RUN setting=value`: honoured or refused, and a refusal leaves the run as it was."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from dlthink.files.lock import NAME, hold
from dlthink.runs import folder, job
from tests.conftest import SMALL, refused


def whole(folder):
    """Every file of a run and what is in it."""
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


REFUSED = {
    "model.width=32": "another network",
    "optim.lr=-1": "optim.lr=-1",
    "optim.betas=[0.9]": "optim.betas=[0.9]",
    "trainer.precision=tf32": "fp32, bf16 or auto",
    "trainer.device=cuda:7": "trainer.device=cuda:7",
    "trainer.batch=0": "trainer.batch=0",
    "data.minutes=3": "data.minutes=3: the run was trained with",
    "data.fold=1": "data.fold",
    "seed=1": "seed",
    "loss=mse": "loss=mse",
    "optim=sgd": "optim=sgd",
    "optim.eps=1e-3": "optim.eps",
    "color=red": "color",
}
AS_ANY_RUN = {"optim.lr=-1", "trainer.precision=tf32", "trainer.device=cuda:7", "trainer.batch=0", "color=red"}


@pytest.mark.parametrize(
    "setting, word",
    [pytest.param(*pair, marks=[pytest.mark.slow] * (pair[0] in AS_ANY_RUN)) for pair in REFUSED.items()],
)
def test_a_refusal_writes_nothing_at_all(cli, run, setting, word):
    before = whole(run)
    refused(cli("train", "resume=run", "trainer.steps=9", setting), word)
    assert whole(run) == before


HONOURED = {
    ("optim.lr=5e-5", "optim.weight_decay=0.3", "trainer.schedule=constant"): dict(lr=5e-5, weight_decay=0.3),
    ("optim.betas=[0.5,0.9]", "optim.fused=false"): dict(betas=(0.5, 0.9), fused=False),
    ("trainer.precision=fp16", "trainer.ema=0.9", "trainer.accumulate=2"): {},
}


@pytest.mark.parametrize("settings, group", HONOURED.items(), ids=map(" ".join, HONOURED))
def test_what_is_written_down_is_what_is_done(cli, run, settings, group):
    code, _, err = cli("train", "resume=run", "trainer.steps=9", *settings)
    assert code == 0, err
    last = torch.load(run / "checkpoints" / "last.pt", weights_only=True)
    assert last["step"] == 9
    now = last["optimizers"]["network"]["param_groups"][0]
    assert {name: now[name] for name in group} == group
    config = OmegaConf.load(run / "config.yaml")
    for setting in settings:
        key, _, value = setting.partition("=")
        part, name = key.split(".")
        assert config[part][name] == OmegaConf.from_dotlist([f"x={value}"]).x
    assert cli("evaluate", "run=run")[0] == 0


def test_a_run_that_somebody_trains_is_left_alone(cli, run):
    with hold(run):
        before = whole(run)
        refused(cli("train", "resume=run", "trainer.steps=9"), f"process {os.getpid()}", "is training here")
        refused(cli("train", "data=spikes", "hydra.run.dir=run", *SMALL), "is training here")
        assert whole(run) == before
    assert cli("train", "resume=run", "trainer.steps=9")[0] == 0
    assert not (run / NAME).exists()


def test_after_a_kill_between_its_first_two_files_a_run_begins_again(tmp_path, monkeypatch):
    """The same words into the same folder, as a sweep that goes on has them."""
    written = []

    def only_one(write):
        def killed(path, content, **how):
            if written:
                raise KeyboardInterrupt
            written.append(path)
            write(path, content, **how)

        return killed

    for name in ("write_text", "write_json"):
        monkeypatch.setattr(folder, name, only_one(getattr(folder, name)))
    with pytest.raises(KeyboardInterrupt):
        folder.record(tmp_path / "run", OmegaConf.create({"seed": 0}), {"choices": {}})
    assert [path.name for path in written] == os.listdir(tmp_path / "run")
    job._check_free(tmp_path / "run")


def test_what_a_kill_left_of_a_file_is_written_over(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda *_: None)  # killed before it: the new file keeps its first name
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    folder.record(tmp_path, OmegaConf.create({"seed": 0}), {"choices": {}})
    assert len(os.listdir(tmp_path)) == 2
    monkeypatch.undo()
    monkeypatch.setattr(os, "getpid", lambda: 1)  # whoever goes on is another process
    folder.record(tmp_path, OmegaConf.create({"seed": 0}), {"choices": {}})
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "provenance.json"]


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe\x00\x81", b"step,epoch,split,name,value\n2,0,tr"])
def test_a_damaged_table_of_curves_is_no_end_of_a_run(cli, run, damage):
    (run / "metrics.csv").write_bytes(damage)
    assert cli("train", "resume=run", "trainer.steps=9")[0] == 0
    assert "9,0,val,log_score" in (run / "metrics.csv").read_text()


def test_fewer_steps_than_are_behind_it_examines_what_there_is(cli, run):
    (run / "checkpoints" / "best.pt").unlink()
    code, out, _ = cli("train", "resume=run", "trainer.steps=4")
    assert code == 0 and "nothing is left to train: 6 of 4 steps" in out
    assert (run / "checkpoints" / "best.pt").exists()


@pytest.mark.slow
def test_two_at_once_and_a_kill(tmp_path):
    """Of two processes that resume one run, one trains and one is told; a killed one locks nobody out."""
    words = [*SMALL, "hydra.run.dir=run", "trainer.steps=1000000", "trainer.validate_every=1000000"]
    dlthink = [sys.executable, "-m", "dlthink", "train"]
    settings = dict(cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    first = subprocess.Popen([*dlthink, "data=spikes", *words, "trainer.save_minutes=0.001"], **settings)
    last = tmp_path / "run" / "checkpoints" / "last.pt"
    try:
        while not last.exists():
            assert first.poll() is None, first.stderr.read()
            time.sleep(0.05)
        second = subprocess.run([*dlthink, "resume=run"], **settings)
        assert second.returncode == 2 and f"process {first.pid}" in second.stderr and second.stderr.count("\n") == 1
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    assert (tmp_path / "run" / NAME).exists()
    pair = [subprocess.Popen([*dlthink, "resume=run", "trainer.steps=1"], **settings) for _ in range(2)]
    told = [process.communicate()[1] for process in pair]
    codes = [process.returncode for process in pair]
    with contextlib.suppress(ValueError):  # where one had ended before the other began, both have trained
        assert "is training here" in told[codes.index(2)]
    assert 0 in codes and set(codes) <= {0, 2}
    assert not (tmp_path / "run" / NAME).exists()
