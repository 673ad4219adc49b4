"""`precision=auto` on a CPU: the quicker format is chosen once, on copies, and kept."""

from functools import partial

import pytest
import torch
from torch import nn

from dlthink.training import checkpoint, precision_trial, rng
from dlthink.training.interrupt import Interrupted
from dlthink.training.precision import Precision
from tests.training.test_players import Adversarial
from tests.training.test_resume import same, start, whole_state
from tests.training.toy import fit, network, weights

ADAM = partial(torch.optim.Adam, lr=1e-2)
SPEC = dict(precision="auto", steps=100, validate_every=50)


@pytest.fixture
def clock(monkeypatch):
    """Seconds of a step as told here, by format: `clock(fp32=3.0, bf16=1.0)`."""
    asked = []

    def tell(**seconds):
        def told(step, batch):
            step([batch])
            out, _ = precision_trial.Step(step.model, step.players, step.scaler, watched=True)([batch]).seen
            asked.append("bf16" if "forward" in vars(step.model) else "fp32")  # one wrapped in autocast
            assert out.dtype == torch.float32
            return seconds[asked[-1]]

        monkeypatch.setattr(precision_trial, "_seconds", told)
        return asked

    return tell


@pytest.mark.parametrize("bf16, name", [(1.0, "bf16"), (1.9, "fp32"), (30.0, "fp32")])
def test_the_quicker_one_is_taken_and_told(tmp_path, clock, capsys, bf16, name):
    asked = clock(fp32=2.0, bf16=bf16)
    run, *_ = start(tmp_path, SPEC)
    assert run.precision.name == name
    line = f"note: trainer.precision=auto: {name}, as a step takes 2 CPU s in fp32 and {bf16:.2g} in bf16 here\n"
    assert asked.count("bf16") == (1 if bf16 == 30 else 1 + precision_trial.TIMES)  # of a CPU without it, one is enough
    assert capsys.readouterr().out.count(line) == 1


@pytest.mark.parametrize("precision, bf16", [("bf16", 1.0), ("fp32", 3.0)])
def test_the_run_is_as_if_nobody_had_asked(tmp_path, clock, precision, bf16):
    asked = clock(fp32=2.0, bf16=bf16)
    spec = SPEC | {"model": lambda: network(dropout=0.3)}
    start(tmp_path / "auto", spec)
    assert asked.count("bf16") == 1 + precision_trial.TIMES
    start(tmp_path / "said", spec | {"precision": precision})
    one, other = whole_state(tmp_path / "auto"), whole_state(tmp_path / "said")
    assert [key for key in one if not same(one[key], other[key])] == []


def test_copies_learn_and_the_network_and_the_cost_with_its_memory_do_not(clock):
    clock(fp32=2.0, bf16=1.0)
    model, loss = network(dropout=0.5), Adversarial()
    model.add_module("last", nn.BatchNorm1d(3))
    before = weights(model), weights(loss), rng.state(), list(loss.pool.kept)
    x, y = torch.randn(32, 5), torch.randn(32, 3)
    rng.restore(before[2])
    draw = lambda: (x + torch.rand(1), y)  # noqa: E731
    assert precision_trial.quickest(Precision("auto", "cpu"), model, loss, ADAM, draw)[0] == "bf16"
    assert torch.equal(before[0], weights(model)) and torch.equal(before[1], weights(loss))
    assert same(before[2], rng.state()) and loss.pool.kept == before[3] == []
    assert "forward" not in vars(model)


def test_it_is_kept_on_resuming_whatever_is_quicker_then(tmp_path, clock):
    clock(fp32=2.0, bf16=1.0)
    start(tmp_path / "whole", SPEC)
    with pytest.raises(Interrupted):
        start(tmp_path / "parts", SPEC, stop_at=37)
    saved, _ = checkpoint.load_last(tmp_path / "parts" / "checkpoints")
    asked = len(clock(fp32=1.0, bf16=9.0))
    run, *_ = start(tmp_path / "parts", SPEC, saved)
    assert run.precision.name == "bf16" and len(clock()) == asked
    one, other = whole_state(tmp_path / "whole"), whole_state(tmp_path / "parts")
    assert [key for key in one if not same(one[key], other[key])] == []


class Uncopied(nn.Linear):
    def __deepcopy__(self, memo):
        raise RuntimeError("only one of its kind")


class Wide(nn.Linear):
    def forward(self, x):
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError('"wide" not implemented for BFloat16')
        return super().forward(x)


@pytest.mark.parametrize(
    "spec",
    [
        dict(model=lambda: Uncopied(5, 3)),
        dict(model=lambda: Wide(5, 3)),
        dict(steps=precision_trial.LONG - 1),
        dict(optim=partial(torch.optim.LBFGS, max_iter=2), batch=None),
        dict(precision="fp32"),
    ],
    ids=["cannot be copied", "not in bfloat16", "short", "searches", "said"],
)
def test_float32_where_it_cannot_be_asked_or_nothing_is_won(tmp_path, clock, capsys, spec):
    clock(fp32=2.0, bf16=1.0)
    run, *_ = start(tmp_path, SPEC | spec)
    assert run.precision.name == "fp32" and "precision" not in capsys.readouterr().out


def test_steps_that_are_quick_anyway_are_not_tried_in_another(tmp_path, clock):
    asked = clock(fp32=precision_trial.SLOW / 2, bf16=0.0)
    run, *_ = fit(tmp_path, **SPEC)
    assert run.precision.name == "fp32" and asked == ["fp32"]


def test_who_examines_a_run_takes_what_it_chose():
    auto, said = Precision("auto", "cpu"), Precision("fp32", "cpu")
    chosen = {"precision": "bf16", "device": "cpu"}
    assert auto.of_run(chosen).name == "bf16" and said.of_run(chosen).name == "fp32"
    assert auto.of_run({"precision": "bf16", "device": "cuda"}).name == "fp32"
    assert auto.of_run({}).name == "fp32" and auto.of_run({"precision": ["x"], "device": "cpu"}).name == "fp32"
