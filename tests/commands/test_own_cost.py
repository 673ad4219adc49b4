"""A cost of one's own that goes wrong only while it trains, or at its end, is told in one line, by the command line."""

import json
import sys

import pytest
import torch

from tests.conftest import SMALL, refused

COUNTS = """
import torch
from torch import nn


class {name}(nn.Module):
    targets = {{"counts"}}
    outputs_per_target = 1

    def __init__(self):
        super().__init__()
        self.asked = 0

    def forward(self, out, y):
        self.asked += self.training
        {forward}

    def predict(self, out):
        return {{"rate": {rate}}}
"""
FACES = ["data=faces", "data.identities=30", "data.photos_each=4", "data.size=24", "data.people=6", "data.photos=2"]
FACES += ["model.width=8", "trainer=smoke", "trainer.device=cpu", "trainer.batch=12", "trainer.steps=12"]
EMBEDDING = """
import torch
from torch import nn
from torch.nn.functional import normalize


class Mine(nn.Module):
    targets = {{"identities"}}
    outputs_per_target = 16

    def forward(self, out, y):
        e = normalize(out, dim=1)
        d = 2 - 2 * e @ e.T
        same = (y[:, None] == y[None]).float()
        {forward}

    def predict(self, out):
        return {{"embedding": normalize(out, dim=1)}}
"""


@pytest.fixture
def own(tmp_path, tmp_path_factory, monkeypatch):
    """`own("mine", forward, rate)`: writes mine.py, a cost of counts; forgotten after the test."""
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))

    def write(file, forward, rate="out.exp()", form=COUNTS, name="Mine"):
        (tmp_path / f"{file}.py").write_text(form.format(forward=forward, rate=rate, name=name))

    yield write
    for file in ("mine", "two"):
        sys.modules.pop(file, None)


def notes(result):
    code, out, err = result
    assert code == 0, err
    return [line for line in out.splitlines() if line.startswith("note: ")]


SIGNS = {
    "the sign": ("return {'nll': (y * out - out.exp()).mean()}", "out.exp()"),
    "the sign, bounded": ("return {'e': -(out.exp() - y).square().clamp(max=9).mean()}", "out.exp()"),
    "what is read": ("return {'nll': (out.exp() - y * out).mean()}", "(-3 * out).exp()"),
}


@pytest.mark.parametrize(
    "forward, rate", [pytest.param(*SIGNS[key], id=key, marks=[pytest.mark.slow] * ("," in key)) for key in SIGNS]
)
def test_a_wrong_sign_is_told_at_the_end(cli, own, forward, rate):
    own("mine", forward, rate)
    told = notes(cli("train", "loss=mine", *SMALL, "trainer.steps=12", "optim.lr=0.02"))[-1]
    assert "the cost fell from" in told and "on training samples far worse than a guess of the mean rate" in told
    assert told.endswith("Has the cost the wrong sign, or does it ask for something else?")
    assert "penalty" not in told  # which would not help here


def test_a_right_cost_that_has_hardly_begun_is_not_blamed(cli, own):
    """From a rate of exp(3) a few steps lead down, and not yet below a constant guess."""
    own("mine", "return {'nll': ((out + 3).exp() - y * (out + 3)).mean()}", "(out + 3).exp()")
    words = ["loss=mine", *SMALL]
    told = notes(cli("train", *words, "trainer.steps=12", "optim.lr=0.01", "hydra.run.dir=run"))[-1]
    assert "on training samples far worse" in told and "log_score has become better on them: train longer" in told
    # a resumed run knows where it began
    again = notes(cli("train", "resume=run", "trainer.steps=15", "allow=mine"))[-1]
    assert again.split(" to ")[0] == told.split(" to ")[0] and "train longer" in again
    assert not any(
        "cost fell" in note
        for note in notes(cli("train", *words, "optim.lr=0.1", "trainer.steps=120", "trainer.validate_every=60"))
    )


def test_a_sweep_of_ones_own_cost_goes_on_where_a_run_was_interrupted(cli, own, tmp_path):
    """What its own command names needs no further word."""
    own("mine", "return {'nll': (out.exp() - y * out).mean()}", "out.exp()")
    assert cli("train", "-m", "loss=mine", "seed=0,1", *SMALL, "trainer.steps=4", "into=sweep")[0] == 0
    metrics = tmp_path / "sweep" / "0-seed=0" / "metrics.json"
    before = metrics.read_text()
    metrics.unlink()  # its checkpoint is there, its end is not
    code, _, err = cli("train", "-m", "resume=sweep")
    assert code == 0, err
    assert metrics.read_text() == before


def test_an_embedding_of_ones_own_that_collapses_is_told(cli, own, tmp_path):
    own("mine", "return {'d': (d * same).mean()}", form=EMBEDDING)
    said = notes(cli("train", "loss=mine", *FACES, "trainer.validate_every=12", "hydra.run.dir=run"))
    (told,) = [line for line in said if line.startswith("note: test: the embedding has collapsed to a point")]
    assert "try loss=triplet" in told
    # thresholds that the cost does not read are in the checkpoint, and examined
    saved = torch.load(tmp_path / "run" / "checkpoints" / "best.pt", weights_only=True)
    assert saved["fitted"].keys() == {"threshold", "accuracy_threshold"}
    assert "far_at_threshold" in json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]


LATER = {
    "the cost": "out.sub(1e3).sqrt().mean() if self.asked > 4 else 0",
    "its gradient": "(out * 0).abs().sqrt().mean() if self.asked > 3 else 0",
}


@pytest.mark.parametrize("more", LATER.values(), ids=LATER.keys())
def test_what_is_no_longer_finite_names_step_and_term_and_what_to_try(cli, own, more):
    own("mine", f"return {{'nll': (out.exp() - y * out).mean() + ({more})}}")
    code, _, err = cli("train", "loss=mine", *SMALL)
    assert code == 1 and "Traceback" not in err
    told = err.splitlines()[-1]
    for word in (
        "step 5: the term nll is nan on the batch of training samples",
        "checkpoints keeps",
        "smaller optim.lr",
    ):
        assert word in told


def test_a_mistake_that_only_a_later_step_meets(cli, own):
    own("mine", "if self.asked > 4: y.nowhere()\n        return {'nll': (out.exp() - y * out).mean()}")
    code, _, err = cli("train", "loss=mine", *SMALL)
    assert code == 2 and "dlthink: mine.py:16: AttributeError: " in err.splitlines()[-1] and "Traceback" not in err


def test_rates_that_are_no_longer_finite_are_examined_all_the_same(cli, own):
    own("mine", "return {'nll': (out.exp() - y * out).mean()}", "out.exp() / (self.asked < 4)")
    code, out, err = cli("train", "loss=mine", *SMALL, "trainer.validate_every=2")
    assert code == 0, err
    assert "log_score is nan: it never counts as the best" in err and "not finite 2 times" in out


def test_files_that_cannot_be_meant(cli, own):
    """Names that Python or dlthink has already, several costs in one file, a file named as no choice is."""
    right = "return {'nll': (out.exp() - y * out).mean()}"
    for name in ("json", "random", "numpy", "torch", "dlthink", "tests"):
        own(name, right)
        refused(cli("train", f"loss={name}", *SMALL), f"{name}.py: {name} is the name of another module", f"my_{name}")
    for name in ("class", "3cost", "my-cost"):
        own(name, right)
        refused(cli("train", f"loss={name}", *SMALL), f"{name}.py: {name} is no name that Python can import")
    own("poisson", right)
    refused(cli("train", "loss=poisson", *SMALL), "loss=poisson comes with dlthink", "another name")


def test_several_costs_in_one_file(cli, own, tmp_path):
    own("both", "return {'nll': (out.exp() - y * out).mean()}", name="One")
    text = (tmp_path / "both.py").read_text()
    (tmp_path / "both.py").write_text(text + text.replace("One", "Two"))
    refused(cli("train", "loss=both", *SMALL), "both.py: holds 2 costs, One (line 6) and Two (line ", "keep one")
    (tmp_path / "both.py").rename(tmp_path / "two.py")
    assert cli("train", "loss=two", *SMALL, "hydra.run.dir=run")[0] == 0
    assert "_target_: two.Two" in (tmp_path / "run" / "config.yaml").read_text()


def test_a_file_named_as_no_choice_is(cli, own, tmp_path):
    own("mine", "return {'nll': (out.exp() - y * out).mean()}")
    refused(cli("train", "loss=./mine"), "loss=./mine", "without its folder, loss=mine")
    refused(cli("train", "loss=mine.Mine"), "loss=mine.Mine", "lies in mine.py: write loss=mine")
    (tmp_path / "costs").mkdir()
    (tmp_path / "mine.py").rename(tmp_path / "costs" / "mine.py")
    refused(cli("train", "loss=costs/mine"), "loss=costs/mine", f"go to {tmp_path / 'costs'} and write loss=mine")


def test_a_file_that_ends_the_program(cli, own, tmp_path):
    """A parser of arguments at the top of a script, say."""
    own("mine", "return {'nll': (out.exp() - y * out).mean()}")
    with (tmp_path / "mine.py").open("a") as file:
        file.write("\nimport sys\n\nsys.exit(3)\n")
    refused(cli("train", "loss=mine", *SMALL), "mine.py:23: it ends the program", "__main__")
