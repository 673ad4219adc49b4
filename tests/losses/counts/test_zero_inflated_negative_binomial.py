"""The zero-inflated negative binomial cost against statsmodels and its limits."""

import numpy as np
import pytest
import torch

from tests.losses.counts.made_counts import build, counts, sample


def test_equals_statsmodels():
    models = pytest.importorskip("statsmodels.discrete.count_model")
    k = counts(200, 1)
    x = np.column_stack([np.ones(200), np.random.default_rng(0).normal(size=200)])
    loss = build("zero_inflated_negative_binomial", 1, dispersion="target")
    loss.prepare(k)
    log_mean = torch.from_numpy(x @ [0.3, 0.2])[:, None]
    log_dispersion, logit = loss.raw.detach()[:, 0].tolist()
    peer = models.ZeroInflatedNegativeBinomialP(k[:, 0].numpy(), x, p=2)
    obs = peer.loglikeobs(np.array([logit, 0.3, 0.2, np.exp(log_dispersion)]))
    assert float(loss(log_mean - loss.log_mean, k)["nll"].detach()) == pytest.approx(-obs.mean(), rel=1e-9)


def test_without_inflation_it_is_negative_binomial_without_dispersion_too_poisson():
    loss = build("zero_inflated_negative_binomial")
    out, k = sample(loss)
    loss.shift.data[1] = -90.0
    one = build("negative_binomial")
    one.load_state_dict({"log_mean": loss.log_mean, "start": loss.start[:1], "shift": loss.shift[:1].detach()})
    torch.testing.assert_close(loss(out, k)["nll"], one(out, k)["nll"])
    other = build("zero_inflated_poisson")
    loss.shift.data[0], loss.shift.data[1] = -90.0, 0.3
    other.load_state_dict({"log_mean": loss.log_mean, "start": loss.start[1:], "shift": loss.shift[1:].detach()})
    torch.testing.assert_close(loss(out, k)["nll"], other(out, k)["nll"], rtol=1e-5, atol=0)


def test_it_starts_between_dispersion_and_zeros():
    loss = build("zero_inflated_negative_binomial", 1)
    k = counts(4000, 1)
    loss.prepare(k)
    distribution = loss.predict(torch.zeros(1, 1, dtype=torch.float64))["distribution"]
    assert float(distribution.mean) == pytest.approx(float(k.mean()))
    assert float(distribution.variance) == pytest.approx(float(k.var()), rel=0.25)
