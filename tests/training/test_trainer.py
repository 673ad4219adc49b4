"""The settings of training are checked, and a run by them returns what it wrote."""

import json

import pytest

from dlthink.errors import BadInput
from dlthink.training.trainer import Trainer
from tests.training.toy import fit


@pytest.mark.parametrize(
    "knobs",
    [
        {"batch": 0},
        {"steps": 0},
        {"at_least": 0},
        {"epochs": None, "steps": None},
        {"ema": 1.0},
        {"clip": -1.0},
        {"l2": -0.1},
        {"warmup": 2.5},
    ],
)
def test_bad_knobs(knobs):
    with pytest.raises(BadInput, match=r"trainer\."):
        Trainer(**knobs)


@pytest.mark.parametrize("device", ["privateuseone", "hpu", "meta", "cuda:99"])
def test_a_device_that_is_not_here(device):
    with pytest.raises(BadInput, match=r"trainer\.device=.* cannot be used here \(.+\): use auto or cpu"):
        Trainer(device=device)


@pytest.mark.parametrize("device", ["gpu", "tpu", "cuda:", "0", "", "CPU"])
def test_a_device_that_is_none(device):
    with pytest.raises(BadInput, match=f"trainer.device={device}: no such device; use auto, cpu, or cuda for a GPU"):
        Trainer(device=device)


def test_auto_is_float32_on_a_cpu():
    assert Trainer(device="cpu").precision.name == "fp32"


def test_a_whole_run_returns_what_metrics_json_holds(tmp_path):
    *_, results = fit(tmp_path, steps=4, validate_every=2)
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written.pop("training")["steps"] == 4 and written == results
    assert (tmp_path / "checkpoints" / "best.pt").exists()
