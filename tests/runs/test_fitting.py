"""A configuration and a checkpoint that do not belong together: one line, and no memory beyond the checkpoint's."""

import shutil

import numpy as np
import pytest
import torch
import yaml

from dlthink.config import build
from dlthink.errors import BadInput
from dlthink.runs.folder import open_run
from dlthink.training import checkpoint
from tests.conftest import refused


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


@pytest.mark.parametrize(
    "setting",
    [
        {"width": 10**8},
        {"width": 10**5},
        pytest.param({"depth": 10**9}, marks=pytest.mark.slow),
        pytest.param({"width": 1, "depth": 10**6}, marks=pytest.mark.slow),
    ],
)
def test_a_network_far_beyond_its_weights(cli, run, setting):
    file = run / "config.yaml"
    config = yaml.safe_load(file.read_text())
    config["model"] |= setting
    file.write_text(yaml.safe_dump(config))
    for words in (
        ["evaluate", f"run={run}"],
        ["train", f"resume={run}"],
        ["predict", f"run={run}", "input=a", "output=b"],
    ):
        code, out, err = cli(*words)
        refused((code, out, err))
        assert "far fewer weights" in err or "memory" in err  # whichever is noticed first


def test_weights_are_refused_before_they_are_made(run, monkeypatch):
    """Zeros of 10^10 targets would fill 40 GB before a hook on a cost's tensors is asked."""
    opened = open_run(str(run))
    saved = opened.best()
    monkeypatch.setattr(checkpoint, "MORE", 1000)
    with pytest.raises(BadInput, match="far fewer weights"):
        build.networks(opened.config, saved["facts"] | {"n_targets": 10**6}, saved)
    assert build.networks(opened.config, saved["facts"], saved)[0].log_mean.shape == (saved["facts"]["n_targets"],)


def write(run, change):
    for name in ("best", "last"):
        path = run / "checkpoints" / f"{name}.pt"
        state = torch.load(path, weights_only=True)
        change(state)
        torch.save(state, path)


STATES = {
    "too many targets": lambda state: state["facts"].update(n_targets=10**12),
    "targets that are no number": lambda state: state["facts"].update(n_targets="4"),
    "no targets": lambda state: state["facts"].update(n_targets=0),
    "a window without end": lambda state: state["facts"].update(window=10**9),
    "no facts": lambda state: state["facts"].clear(),
}
PREPARED = {
    "nothing": lambda state: state["data"].clear(),
    "units that are none": lambda state: state["data"].update(units=3),
    "a mean of others": lambda state: state["data"].update(mean=torch.zeros(3)),
    "a mean that is a word": lambda state: state["data"].update(mean="x"),
    "names of others": lambda state: state["data"].update(covariates=["x"] * 12),
}
WEIGHTS = {
    "none": lambda state: state["model"].clear(),
    "another cost's": lambda state: state["loss"].update(x=torch.zeros(1)),
    "an average that is none": lambda state: state.update(ema=3),
    "an average of something else": lambda state: state.update(ema={"a": 1}),
}


@pytest.mark.parametrize("change", STATES.values(), ids=STATES)
def test_facts_of_other_data(cli, run, change):
    write(run, change)
    refused(cli("predict", f"run={run}", "input=a", "output=b"))


@pytest.mark.parametrize("change", PREPARED.values(), ids=PREPARED)
def test_data_prepared_otherwise(cli, run, change):
    write(run, change)
    refused(cli("evaluate", f"run={run}"))
    refused(cli("train", f"resume={run}"))


def test_units_that_are_none_end_predict_in_one_line(cli, run, tmp_path):
    write(run, PREPARED["units that are none"])
    state = torch.load(run / "checkpoints" / "best.pt", weights_only=True)["data"]
    names = state["covariates"]
    own = dict(covariates=np.zeros((900, len(names))), covariate_times=np.arange(900) / 20, covariate_names=names)
    np.savez(tmp_path / "own.npz", **own)
    refused(cli("predict", f"run={run}", "input=own.npz", "output=o.csv"), "best.pt")
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("change", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_of_something_else(cli, run, change):
    write(run, change)
    refused(cli("evaluate", f"run={run}"), "best.pt")
