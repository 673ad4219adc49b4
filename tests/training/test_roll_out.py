"""An examination may ask the network itself: in training, on resuming, by `evaluate` and from Python, alike."""

import json

import pytest
import torch

import dlthink
from dlthink.metrics.counts.metrics import Counts
from dlthink.training import checkpoint
from dlthink.training.interrupt import Interrupted
from tests.conftest import SMALL
from tests.training.test_resume import start
from tests.training.toy import Error, fit, network, rows, weights

STEPS = 3


class Rolled(Error):
    """RMSE after some steps, in each of which the answer becomes part of what is asked next, with a little noise."""

    best = ("rolled_rmse", "min")

    def __init__(self):
        self.asked = []  # (are gradients kept, how many samples) each time

    def roll_out(self, answer, split, batches):
        ends = []
        for index in batches:
            x, _ = split.take(index)
            for _ in range(STEPS):
                mean = answer(x)["mean"]
                self.asked.append((mean.requires_grad, len(index)))
                x = torch.cat([mean, x[:, 3:]], 1) + 0.1 * torch.randn_like(x)
            ends.append(answer(x)["mean"])
        return {"rolled": torch.cat(ends)}

    def numbers(self, predicted, y, known):
        rolled = {"rolled_rmse": float((predicted["rolled"] - y).square().mean().sqrt())}
        return super().numbers(predicted, y, known) | rolled


def by_hand(model, split):
    torch.manual_seed(0)
    with torch.no_grad():
        x = split.x
        for _ in range(STEPS):
            x = torch.cat([model(x), x[:, 3:]], 1) + 0.1 * torch.randn_like(x)
        return float((model(x) - split.y).square().mean().sqrt())


@pytest.mark.parametrize("knobs", [{}, {"ema": 0.9}], ids=["plain", "averaged weights"])
def test_the_examination_asks_the_weights_that_are_examined(tmp_path, knobs):
    metrics = Rolled()
    run, model, _, results = fit(tmp_path, network(dropout=0.3), metrics=metrics, examine_batch=64, **knobs)
    model.eval()
    for name in ("val", "test"):
        assert results[name]["rolled_rmse"] == pytest.approx(by_hand(model, getattr(run.data, name)), rel=1e-6)
    curve = dict(rows(tmp_path, "val", "rolled_rmse"))
    assert list(curve) == [20, 40] and min(curve.values()) == pytest.approx(results["val"]["rolled_rmse"], rel=1e-6)
    assert dict(rows(tmp_path, "train", "rolled_rmse")).keys() == {20, 40}
    assert {wanted for wanted, _ in metrics.asked} == {False} and run.best.name == "rolled_rmse"


def test_training_goes_on_as_if_nobody_had_asked(tmp_path):
    """Whatever the examination draws, and though it is asked with a network in evaluation mode."""
    models = [
        fit(tmp_path / str(k), network(dropout=0.3), metrics=metrics)[1]
        for k, metrics in enumerate([Rolled(), Error()])
    ]
    saved = [checkpoint.load(tmp_path / str(k) / "checkpoints" / "last.pt") for k in (0, 1)]
    assert torch.equal(*(torch.cat([w.flatten() for w in one["model"].values()]) for one in saved))
    assert models[0].training == models[1].training


def test_stopped_and_resumed_it_finds_the_same(tmp_path):
    spec = {"metrics": Rolled(), "model": lambda: network(dropout=0.3)}
    _, model, _, results = start(tmp_path / "whole", dict(spec))
    with pytest.raises(Interrupted):
        start(tmp_path / "parts", dict(spec), stop_at=23)
    saved, _ = checkpoint.load_last(tmp_path / "parts" / "checkpoints")
    _, resumed, _, again = start(tmp_path / "parts", dict(spec), saved)
    assert torch.equal(weights(model), weights(resumed)) and results == again


def test_evaluate_and_python_find_what_training_found(cli, tmp_path, monkeypatch):
    def roll_out(self, answer, split, batches):
        rates = [answer(split.take(index)[0] * torch.rand(()))["rate"].mean() for index in batches]
        return {"rolled": torch.stack(rates).mean()}

    plain = Counts.numbers
    monkeypatch.setattr(Counts, "roll_out", roll_out, raising=False)
    monkeypatch.setattr(Counts, "numbers", lambda *a: plain(*a) | {"rolled": float(a[1]["rolled"])})
    assert cli("train", "data=spikes", "hydra.run.dir=run", *SMALL)[0] == 0
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())
    code, _, err = cli("evaluate", "run=run", "split=val", "output=val.json")
    assert code == 0, err
    assert json.loads((tmp_path / "val.json").read_text())["rolled"] == found["val"]["rolled"]
    assert dlthink.open_run("run").metrics("test")["rolled"] == found["test"]["rolled"]
    assert cli("train", "resume=run", "trainer.steps=9")[0] == 0
    again = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert again["test"].keys() == found["test"].keys()
