"""Averaged weights."""

import pytest
import torch

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
