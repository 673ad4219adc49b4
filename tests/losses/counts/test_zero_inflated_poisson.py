"""The zero-inflated Poisson cost against statsmodels, a slow loop, and its limit."""

import math

import numpy as np
import pytest
import torch

from dlthink.losses.counts.poisson import Poisson
from tests.losses.counts.made_counts import build, counts, sample

D = torch.float64


def test_equals_statsmodels():
    models = pytest.importorskip("statsmodels.discrete.count_model")
    k = counts(200, 1)
    x = np.column_stack([np.ones(200), np.random.default_rng(0).normal(size=200)])
    loss = build("zero_inflated_poisson", 1, dispersion="network")
    loss.prepare(k)
    out = torch.from_numpy(x @ np.array([[0.3, -0.5], [0.2, 0.4]]))
    out = out - torch.stack([loss.log_mean, loss.start[0]], -1)
    peer = models.ZeroInflatedPoisson(k[:, 0].numpy(), x, exog_infl=x)
    obs = peer.loglikeobs(np.array([-0.5, 0.4, 0.3, 0.2]))  # those of the zeros first
    assert float(loss(out, k)["nll"].detach()) == pytest.approx(-obs.mean(), rel=1e-10)


def test_equals_a_loop():
    loss = build("zero_inflated_poisson")
    out, k = sample(loss)
    log_mean, logit = (one.detach() for one in loss.parts(out))
    slow = 0.0
    for i in range(40):
        for j in range(3):
            mu, pi = math.exp(log_mean[i, j]), 1 / (1 + math.exp(-logit[j]))
            p = (1 - pi) * math.exp(-mu) * mu ** int(k[i, j]) / math.factorial(int(k[i, j]))
            slow -= math.log(p + pi * bool(k[i, j] == 0))
    assert float(loss(out, k)["nll"].detach()) == pytest.approx(slow / 120, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, D])
def test_without_inflation_it_is_poisson(dtype):
    loss, poisson = build("zero_inflated_poisson", dtype=dtype), Poisson(3).to(dtype)
    out, k = sample(loss)
    poisson.load_state_dict({"log_mean": loss.log_mean})
    loss.shift.data.fill_(-80.0)
    torch.testing.assert_close(loss(out, k)["nll"].detach(), poisson(out, k)["nll"])
    torch.testing.assert_close(loss.predict(out)["rate"], poisson.predict(out)["rate"])


def test_it_finds_the_share_of_zeros():
    rng = np.random.default_rng(0)
    k = torch.from_numpy(rng.poisson(4.0, (5000, 1)) * (rng.random((5000, 1)) < 0.7)).double()
    loss = build("zero_inflated_poisson", 1)
    loss.prepare(k)
    assert float(loss.start.sigmoid()) == pytest.approx(0.3, abs=0.03)
    assert float(loss.predict(torch.zeros(1, 1, dtype=D))["distribution"].base.mean) == pytest.approx(4, abs=0.15)
