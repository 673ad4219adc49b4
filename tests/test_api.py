"""From Python: docs/python.md runs as printed; `fit` trains what the command line trains; refusals are a line."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import dlthink
from dlthink.errors import BadInput
from tests.conftest import REPOSITORY, SMALL

PAGE = (REPOSITORY / "docs" / "python.md").read_text()


class Squares(nn.Module):
    targets = {"counts"}
    outputs_per_target = 1

    def __init__(self, weight: float = 1.0, names: tuple = ("a",)):
        super().__init__()
        self.weight = weight

    def forward(self, out, y):
        return {"squares": self.weight * (out.exp() - y).square().mean()}

    def predict(self, out):
        return {"rate": out.exp()}


@pytest.mark.slow
def test_the_page_runs_as_printed(tmp_path):
    """All its blocks as one script, trained for less: classes live in `__main__`, as a notebook's do."""
    code = "".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
    code = code.replace("trainer.epochs=5", "trainer.epochs=1").replace("data.minutes=4", "data.minutes=2")
    undrawn = "from dlthink.training.logger import Logger\nLogger.figures = lambda *_: None\n"
    (tmp_path / "page.py").write_text(undrawn + code)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout and (tmp_path / "calibration.png").exists()


def test_fit_is_what_the_command_line_trains(cli, tmp_path):
    code, _, err = cli("train", "loss=mse", "data=spikes", *SMALL, "hydra.run.dir=typed")
    assert code == 0, err
    experiment = dlthink.compose("loss=mse", "data=spikes", *SMALL)
    torch.rand(7)  # what a notebook draws in between changes nothing
    run = experiment.fit(tmp_path / "composed")
    typed, composed = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("typed", "composed"))
    assert typed == composed
    assert run.metrics("test") == pytest.approx(typed["test"])
    code, _, err = cli("evaluate", "run=composed", "output=again.json")
    assert code == 0 and json.loads((tmp_path / "again.json").read_text()) == typed["test"], err
    again = dlthink.open_run(tmp_path / "composed")
    assert np.array_equal(again.predict("val")["mean"], run.predict("val")["mean"])
    assert again.targets().shape == again.predict()["mean"].shape
    assert again.distribution().log_prob(torch.as_tensor(again.targets())).isfinite().all()


def test_a_class_of_ones_own_with_its_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = dlthink.compose("data=spikes", "loss.weight=3", *SMALL, loss=Squares)
    assert experiment.loss.weight == 3 and experiment.config.loss._target_ == f"{__name__}.Squares"
    run = experiment.fit()
    assert run.folder.parent.parent.name == "outputs" and "bits_per_spike" in run.metrics()
    assert dlthink.open_run(run.folder, allow="tests").metrics() == run.metrics()
    with pytest.raises(BadInput, match="allow=tests"):
        dlthink.open_run(run.folder)
    with pytest.raises(BadInput, match="holds a run already"):
        experiment.fit(run.folder)


@pytest.mark.parametrize(
    "words, match",
    [
        (("loss=mse2",), "mse2"),
        (("data=spikes", "loss.beta=1"), "beta"),
        (("trainer.epochs=ten",), "epochs"),
        (("loss=triplet",), "costs that fit"),
    ],
)
def test_refusals_are_those_of_the_command_line(words, match):
    with pytest.raises(BadInput, match=match) as caught:
        dlthink.compose(*words)
    assert "\n" not in str(caught.value)


def test_a_class_that_cannot_be_found_again_is_refused():
    class Local(Squares):
        pass

    with pytest.raises(BadInput, match="top of a module"):
        dlthink.compose("data=spikes", loss=Local)


def test_a_split_that_is_none_and_an_attribute_that_is_none(tmp_path):
    with pytest.raises(AttributeError, match="no attribute fit"):
        dlthink.fit  # noqa: B018
    run = dlthink.compose("data=spikes", *SMALL).fit(tmp_path / "run")
    with pytest.raises(BadInput, match="train, val or test"):
        run.metrics("validation")
