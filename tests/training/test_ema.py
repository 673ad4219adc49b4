"""Averaged weights."""

import pytest
import torch

from dlthink.training.ema import EMA
from tests.training.toy import Squared, fit, network, weights


def test_ema_is_what_is_examined(tmp_path):
    run, model, _, results = fit(tmp_path, ema=0.9, steps=20, validate_every=20)
    saved = torch.load(tmp_path / "checkpoints" / "best.pt", weights_only=True)
    raw = network()
    raw.load_state_dict(saved["model"])
    averaged = network()
    averaged.load_state_dict(saved["ema"])
    assert not torch.equal(weights(raw), weights(averaged))
    x, y = run.test.x, run.test.y
    assert results["test"]["rmse"] == pytest.approx((averaged(x) - y).square().mean().sqrt().item(), rel=1e-6)
    assert torch.equal(weights(model), weights(averaged))


def test_ema_equals_its_formula(tmp_path):
    path, kept = [], Squared.forward
    model = network()

    class Watch(Squared):
        def forward(self, out, y):
            if self.training:
                path.append(weights(model))
            return kept(self, out, y)

    fit(tmp_path, model, Watch(), ema=0.5, steps=20, validate_every=20)
    last = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)
    mean, after = path[0], [*path[1:], torch.cat([t.double().flatten() for t in last["model"].values()])]
    for step, now in enumerate(after, start=1):
        decay = min(0.5, step / (step + 9))
        mean = decay * mean + (1 - decay) * now
    torch.testing.assert_close(
        torch.cat([t.double().flatten() for t in last["ema"].values()]), mean, rtol=1e-4, atol=1e-6
    )


def test_whole_numbers_are_those_of_the_network_and_the_network_comes_back():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    average, batch = EMA(model, 0.9), torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    for step in (1, 2, 3):
        model(batch)
        average.update(step)
    assert int(average.weights["1.num_batches_tracked"]) == int(model[1].num_batches_tracked) == 3
    trained = weights(model)
    with torch.no_grad():
        model[0].weight.add_(1.0)
    moved = weights(model)
    with average.in_place():
        assert torch.equal(model[0].weight, average.weights["0.weight"]) and not torch.equal(weights(model), moved)
    assert torch.equal(weights(model), moved) and not torch.equal(moved, trained)
