"""Bad input: one line that names the thing, exit code 2, no traceback, nothing lost.

Bad recordings are in tests/data; here is what the command line adds.
"""

import os
import resource
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

from tests.conftest import REPOSITORY, SMALL, refused

TYPED = {
    "no such key": (["trainer.epoch=3"], "trainer.epoch", "trainer.epochs"),
    "no such group": (["losss=poisson"], "losss", "loss"),
    "no such choice": (["loss=poison"], "loss=poison", "loss=poisson"),
    "not a number": (["optim.lr=ten"], "optim.lr=ten", "a number"),
    "not a whole number": (["trainer.epochs=ten"], "trainer.epochs=ten", "a whole number"),
    "several values": (["seed=0,1"], "seed=0,1", "add -m"),
    "negative bin": (["data.bin=-0.05"], "data.bin=-0.05", "longer than 0"),
    "no file": (["data=recording", "data.path=none.npz"], "none.npz", "no such file"),
    "another network": (["data=faces", "model=cyclegan"], "model=cyclegan needs colors", "networks that fit: facenet"),
    "another cost": (["data=seasons", "loss=crps_laplace"], "loss=crps_laplace is for reals", "fit: cycle, cyclegan"),
    "no path": (["data=recording"], "data.path", "FILE"),
    "no GPU": (["trainer.device=cuda:99"], "trainer.device=cuda:99", "auto or cpu"),
    "negative rate": (["optim.lr=-1", *SMALL], "optim", "-1"),
    "more than the memory": (["data.minutes=1e9"], "memory", "less"),
    "seed": (["seed=-1"], "seed=-1", "whole number"),
    "a class that is not there": (
        ["loss._target_=dlthink.losses.counts.poisson.Poison"],
        "Poison",
        "did you mean Poisson",
    ),
    "a module that is not there": (["loss._target_=nowhere.Cost"], "nowhere", "working folder"),
}
BY_THE_SAME_RULES = {
    "no such launcher": (["hydra/launcher=jobs"], "hydra/launcher=jobs", "no such hydra/launcher"),
    "what is to be filled in": (["seed=${nothing}"], "nothing", "not found"),
    "history longer than a block": (["data.minutes=2", "data.history=500"], "500 bins", "data.history"),
    "batches for L-BFGS": (["optim=lbfgs", *SMALL], "optim=lbfgs", "trainer=lbfgs"),
    "no such data": (["data=spike"], "data=spike", "data=spikes"),
    "no such setting, added": (["+model.widht=3"], "model.widht", "model.width"),
    "a fraction": (["trainer.epochs=1.5"], "trainer.epochs=1.5", "a whole number"),
    "a word for a switch": (["trainer.compile=maybe"], "trainer.compile=maybe", "true or false"),
    "not in the list": (["trainer.precision=fp8"], "trainer.precision=fp8", "bf16"),
    "a list for a number": (["data.bin=[1,2]"], "data.bin", "a number"),
    "null for a number": (["optim.lr=null"], "optim.lr=null", "a number"),
    "one beta": (["optim.betas=[0.8]"], "optim.betas=[0.8]", "a list of 2"),
    "zero bin": (["data.bin=0"], "data.bin=0", "longer than 0"),
    "no folder of that name": (
        ["data=two_folders", "data.a=sömmer, O'Brien", "data.b=w"],
        "data.a=sömmer, O'Brien",
        "no such folder",
    ),
    "a network of photos of people": (["data=seasons", "model=facenet"], "size", "networks that fit: cyclegan"),
    "rate that is no number": (["optim.lr=nan", *SMALL], "optim", "nan"),
    "a network beyond the memory": (["data.minutes=2", "data.history=1", "model.width=10000000000"], "memory", "less"),
}


@pytest.mark.parametrize("words, names, says", TYPED.values(), ids=TYPED.keys())
def test_on_the_command_line(cli, words, names, says):
    refused(cli("train", *words), names, says)


@pytest.mark.slow
@pytest.mark.parametrize("words, names, says", BY_THE_SAME_RULES.values(), ids=BY_THE_SAME_RULES.keys())
def test_further_values_on_the_command_line(cli, words, names, says):
    refused(cli("train", *words), names, says)


def test_whatever_hydra_was_told_to_say(cli, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    refused(cli("train", "trainer.stepps=3"), "trainer.stepps")


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
def test_words_of_other_verbs(cli, finished, verb):
    more = [] if verb == "evaluate" else ["input=a", "output=b"]
    refused(cli(verb, "run=nowhere", *more), "nowhere", "config.yaml")
    refused(cli(verb, f"run={finished}", "splitt=x", *more), "splitt")
    refused(cli(verb, f"run={finished}", "data.binn=x", *more), "data.binn", "data.bin?")
    refused(cli(verb, f"run={finished}", "data.bin=wide", *more), "data.bin=wide", "a number")
    refused(cli(verb, f"run={finished}", "word", *more), "word", "name=value")


def test_unknown_verb(cli):
    refused(cli("trian"), "trian", "did you mean train")
    refused(cli("evaluate", "run=x", "split=tests"), "split=tests", "val or test")
    refused(cli("predict", "run=x"), "input=")


@pytest.fixture
def own(tmp_path):
    """Writes the user's own.py; it is forgotten after the test."""
    yield (tmp_path / "own.py").write_text
    sys.modules.pop("own", None)


MISFIT = """
from torch import nn
class Triplet(nn.Module):
    targets = {"identities"}
    outputs_per_target = 128
    def forward(self, out, y): return {"triplet": out.mean()}
"""
LOADS = """
class Data:
    @classmethod
    def targets(cls, settings): return "identities"
    @classmethod
    def fact_names(cls, settings): return ("n_in", "n_targets")
    def __init__(self): raise SystemExit("loaded")
"""


def test_a_cost_that_does_not_fit_is_refused_before_loading(cli, own, tmp_path):
    own(MISFIT + LOADS)
    refused(cli("train", "loss=own", "data=spikes"), "loss=own is for identities, the data has counts", "poisson")
    # the other way round: data that would end the process if it were loaded
    config = {"data": {"_target_": "own.Data"}, "metrics": {"_target_": "dlthink.metrics.counts.metrics.Counts"}}
    (tmp_path / "conf" / "data").mkdir(parents=True)
    head = "# @package _global_\ndefaults:\n  - override /model: mlp\n  - override /loss: poisson\n  - _self_\n"
    (tmp_path / "conf" / "data" / "people.yaml").write_text(head + yaml.safe_dump(config))
    refused(
        cli("train", "--config-dir", "conf", "data=people"), "loss=poisson is for counts or", "the data has identities"
    )


def test_a_network_that_does_not_fit_is_refused_before_loading(cli, own):
    own(
        "from torch import nn\nclass Net(nn.Module):\n"
        "    def __init__(self, channels, n_out): super().__init__()\n"
        "    def forward(self, x): return x\n",
    )
    refused(cli("train", "model=own"), "model=own needs channels", "gru", "mlp")


def test_a_cost_of_ones_own_that_cannot_be_read(cli, own):
    own("def forward(: pass")
    refused(cli("train", "loss=own"), "own.py")
    own("x = 1")
    refused(cli("train", "loss=own"), "own.py", "forward")
    own("class A:\n    outputs_per_target = 1\n    def forward(self, out, y): ...")
    refused(cli("train", "loss=own"), "A does not say what it fits", "targets")


def test_a_typo_in_the_name_of_a_cost_of_ones_own(cli, own, tmp_path):
    (tmp_path / "my_cost.py").write_text("class A:\n    def forward(self, out, y): ...")
    (tmp_path / "my_data.py").write_text("x = 1")
    refused(cli("train", "loss=my_cots"), "loss=my_cots", "did you mean loss=my_cost?")
    refused(cli("train", "model=My_Cost"), "model=My_Cost", "did you mean model=my_cost?")
    refused(cli("train", "loss=my_cost.py"), "loss=my_cost.py", "without its ending, loss=my_cost")
    refused(cli("train", "loss=poison"), "did you mean loss=poisson?")


COST = """
from torch import nn
class Mine(nn.Module):
    targets, outputs_per_target = {"counts"}, 1
    def forward(self, out, y): return FORWARD
    def predict(self, out): return READ
"""


@pytest.mark.parametrize(
    "forward, predicted, says",
    [
        ("(out - y).square().mean()", "{'mean': out}", "named terms"),
        ("{'e': (out - y).square()}", "{'mean': out}", "the term e must be one number"),
        ("{'e': 1.0}", "{'mean': out}", "a float"),
        ("{'e': out.mean()}", "out", "named quantities"),
    ],
)
def test_a_cost_of_ones_own_that_returns_the_wrong_thing(cli, own, forward, predicted, says):
    own(COST.replace("FORWARD", forward).replace("READ", predicted))
    refused(cli("train", "loss=own", *SMALL), "Mine", says)


def test_a_refused_run_leaves_no_folder(cli, tmp_path):
    refused(cli("train", "data.neurons=0"), "data.neurons")
    assert not list(tmp_path.glob("outputs/*/*"))


# ------------------------------------------------------------------------------------------------- runs and checkpoints


@pytest.mark.parametrize("setting", ["data.fold=1", "data.bin=0.1", "data.blocks=10", "data.stop=60"])
def test_what_was_training_cannot_become_test(cli, finished, setting):
    refused(cli("evaluate", f"run={finished}", setting), setting.split("=")[0], "train anew")
    refused(cli("train", f"resume={finished}", setting), setting.split("=")[0], "train anew")


@pytest.fixture
def run(finished, tmp_path):
    """A copy of a finished run that may be spoilt."""
    import shutil

    return shutil.copytree(finished, tmp_path / "run")


def test_a_checkpoint_of_another_model(cli, run):
    refused(cli("evaluate", f"run={run}", "model.width=16"), "best.pt", "another network")
    refused(cli("train", f"resume={run}", "model.width=16"), "checkpoints", "another network")


def test_a_truncated_checkpoint(cli, run):
    best = run / "checkpoints" / "best.pt"
    best.write_bytes(best.read_bytes()[:5000])
    refused(cli("evaluate", f"run={run}"), "best.pt", "damaged")


def test_a_run_that_stopped_before_it_was_examined(cli, run):
    (run / "checkpoints" / "best.pt").unlink()
    refused(cli("evaluate", f"run={run}"), "best.pt", f"dlthink train resume={run}")
    (run / "checkpoints" / "last.pt").unlink()
    refused(cli("evaluate", f"run={run}"), "best.pt", "no checkpoint")


@pytest.mark.parametrize(
    "part, target",
    [
        ("loss", "os.system"),
        ("model", "evil.Net"),
        ("data", "torch.hub.load"),
        ("optim", "torch.serialization.load"),
        ("metrics", "dlthink.files.cache.os.system"),
        ("trainer", "torch.utils.data.DataLoader"),
    ],
)
def test_a_foreign_target_in_somebody_elses_run(cli, run, tmp_path, part, target):
    (tmp_path / "evil.py").write_text("open('owned', 'w')\nclass Net: pass\n")
    file = run / "config.yaml"
    config = yaml.safe_load(file.read_text())
    config[part] = {"_target_": target}
    file.write_text(yaml.safe_dump(config))
    for words in (
        ["evaluate", f"run={run}"],
        ["predict", f"run={run}", "input=a", "output=b"],
        ["train", f"resume={run}"],
    ):
        refused(cli(*words), part, target.split(".")[0])
    assert not (tmp_path / "owned").exists()


def test_a_foreign_target_hidden_deeper(cli, run, tmp_path):
    file = run / "config.yaml"
    config = yaml.safe_load(file.read_text())
    config["optim"]["betas"] = [{"_target_": "builtins.open", "file": "owned", "mode": "w"}, 0.9]
    file.write_text(yaml.safe_dump(config))
    refused(cli("evaluate", f"run={run}"), "builtins.open")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "data: {}\n"])
def test_a_broken_configuration(cli, run, text):
    (run / "config.yaml").write_text(text)
    refused(cli("evaluate", f"run={run}"), "config.yaml")


# ------------------------------------------------------------------------------------------------------ output folders


def test_an_output_folder_that_cannot_be_written(cli, tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused(cli("train", "hydra.run.dir=file/run", *SMALL), "file/run")
    if os.path.isdir("/proc/self"):
        refused(cli("train", "hydra.run.dir=/proc/self/run", *SMALL), "/proc/self/run")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_folder(cli, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(cli("train", "hydra.run.dir=locked/run", *SMALL), "locked/run")


@pytest.mark.slow
def test_a_full_disk_ends_in_one_line_and_loses_nothing(run, tmp_path):
    """The file system refuses to let a file grow beyond some bytes, as a full disk does."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    before = (tmp_path / "run" / "checkpoints" / "last.pt").read_bytes()
    again = [sys.executable, "-m", "dlthink", "train", "resume=run", "trainer.steps=12"]
    limit = len(before) // 2

    def little_room():
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(again, cwd=tmp_path, env=environment, capture_output=True, text=True, preexec_fn=little_room)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and "saved before" in done.stderr.splitlines()[-1]
    assert (tmp_path / "run" / "checkpoints" / "last.pt").read_bytes() == before
    assert torch.load(tmp_path / "run" / "checkpoints" / "last.pt", weights_only=True)["step"] == 6


@pytest.mark.parametrize(
    "name, verb, says",
    [
        ("checkpoints", "train resume=run trainer.steps=9", "last.pt: there is no checkpoint"),
        ("checkpoints", "evaluate run=run", "best.pt: there is no checkpoint"),
        ("metrics.csv", "train resume=run trainer.steps=9", "metrics.csv"),
        ("provenance.json", "train resume=run trainer.steps=9", "provenance.json"),
        (".lock", "train resume=run trainer.steps=9", ".lock"),
        ("config.yaml", "evaluate run=run", "not the folder of a run"),
    ],
)
def test_a_run_s_folder_in_which_something_else_stands(cli, run, name, verb, says):
    """A folder for a file, a file for a folder."""
    place = run / name
    if place.is_dir():
        shutil.rmtree(place)
        place.write_text("in the way")
    else:
        place.unlink(missing_ok=True)
        place.mkdir()
    refused(cli(*verb.split()), says)


def test_a_run_s_folder_that_may_only_be_read(cli, run, monkeypatch):
    """To its owner: root, who may run this test, could write all the same."""
    opened = os.open

    def denied(path, flags, *more, **named):
        if flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags, *more, **named)

    monkeypatch.setattr("os.open", denied)
    refused(cli("train", "resume=run", "trainer.steps=9"), "run", "Permission denied", "saved before is still there")


def test_a_file_of_ones_own_where_a_run_would_lie(cli, tmp_path):
    (tmp_path / "config.yaml").write_text("mine")
    refused(cli("train", "hydra.run.dir=.", *SMALL), "config.yaml", "another folder")
    assert (tmp_path / "config.yaml").read_text() == "mine"


def test_predict_says_what_is_missing_before_anything_is_loaded(cli, finished, monkeypatch):
    monkeypatch.setitem(sys.modules, "dlthink.runs.folder", None)  # cannot be imported
    run = f"run={finished}"
    refused(cli("predict", run, f"input={__file__}"), "output=", "missing")
    refused(cli("predict", run, f"input={__file__}", "output="), "output=", "missing")
    refused(cli("predict", run, "output=x.csv"), "input=", "missing")
    refused(cli("predict", f"input={__file__}", "output=x.csv"), "run=", "missing")
    refused(cli("predict", run, f"input={__file__}", "output=x.csv", f"figures={__file__}"), "is a file")
    refused(cli("evaluate", run, "output=x.png"), "output=x.png", "x.json")
    refused(cli("compare", "output=table.txt"), "output=table.txt", "table.csv")


def test_predicting_from_a_file_that_is_not_one(cli, finished, tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    refused(cli("predict", f"run={finished}", "input=text.npz", "output=o.csv"), "text.npz")
    np.savez(tmp_path / "keys.npz", a=1)
    refused(cli("predict", f"run={finished}", "input=keys.npz", "output=o.csv"), "keys.npz", "covariates")
    assert not (tmp_path / "o.csv").exists()
    before = (tmp_path / "keys.npz").read_bytes()
    refused(cli("predict", f"run={finished}", "input=keys.npz", "output=./keys.npz"), "keys.npz", "the input itself")
    assert (tmp_path / "keys.npz").read_bytes() == before
