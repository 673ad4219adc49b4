"""The expected log likelihood against a loop, Monte Carlo, the exact cost, and its own moments."""

import math

import numpy as np
import pytest
import torch

from dlthink.errors import BadInput
from dlthink.losses.counts.poisson import Poisson
from dlthink.losses.counts.poisson_expected import PoissonExpected


def gaussian(n=4_000, p=6, units=2, seed=0):
    """Covariates of some covariance, weights and a log rate: x [n, p], w [p, units], counts [n, units]."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, p, generator=g, dtype=torch.float64) @ (torch.randn(p, p, generator=g, dtype=torch.float64) / 3)
    w = 0.4 * torch.randn(p, units, generator=g, dtype=torch.float64)
    return x, w, torch.poisson((x @ w - 0.5).exp(), generator=g)


def prepared(kind, y):
    loss = kind(y.shape[1]).double()
    loss.prepare(y)
    return loss


def test_equals_a_loop():
    x, w, y = gaussian(200)
    loss = prepared(PoissonExpected, y)
    out, total = x @ w, 0.0
    for unit in range(2):
        log_rate = [float(out[i, unit] + math.log(y[:, unit].mean())) for i in range(200)]
        m = sum(log_rate) / 200
        v = sum((a - m) ** 2 for a in log_rate) / 200
        total += math.exp(m + v / 2)
        for a, k in zip(log_rate, y[:, unit].tolist(), strict=True):
            total += (math.lgamma(k + 1) - k * a) / 200
    assert float(loss(out, y)["nll"]) == pytest.approx(total / 2, rel=1e-12)
    torch.autograd.gradcheck(lambda out: loss(out, y[:20])["nll"], out[:20].clone().requires_grad_())


def test_of_gaussian_covariates_it_is_the_exact_cost():
    x, w, y = gaussian(200_000)
    for kind in (0.0, 1.0, 1.5):
        own, exact = (float(prepared(cost, y)(kind * x @ w, y)["nll"]) for cost in (PoissonExpected, Poisson))
        assert own == pytest.approx(exact, rel=0.01)
    heavy = torch.distributions.StudentT(3.0).sample((200_000, 1)).double()
    own, exact = (float(prepared(cost, y[:, :1])(heavy, y[:, :1])["nll"]) for cost in (PoissonExpected, Poisson))
    assert abs(own / exact - 1) > 0.5  # of anything else it is not


def test_its_optimum_is_the_exact_one_to_one_percent():
    x, _, y = gaussian()
    found = {}
    for cost in (Poisson, PoissonExpected):
        loss, linear = prepared(cost, y), torch.nn.Linear(6, 2).double()
        search = torch.optim.LBFGS(linear.parameters(), max_iter=100, line_search_fn="strong_wolfe")

        def asked(loss=loss, linear=linear, search=search):
            search.zero_grad()
            value = loss(linear(x), y)["nll"]
            value.backward()
            return value

        search.step(asked)
        found[cost] = float(prepared(Poisson, y)(linear(x), y)["nll"].detach())
    assert found[Poisson] <= found[PoissonExpected] <= found[Poisson] * 1.01


def test_far_out_it_stays_finite_and_keeps_a_slope():
    y = torch.ones(50, 1)
    loss = PoissonExpected(1)
    loss.prepare(y)
    out = (30 * torch.randn(50, 1, generator=torch.Generator().manual_seed(0))).requires_grad_()
    value = loss(out, y)["nll"]
    value.backward()
    assert value.isfinite() and out.grad.isfinite().all() and (out.grad * out).sum() > 0


def test_reads_out_what_poisson_does_and_refuses_what_it_refuses():
    _, _, y = gaussian(100)
    loss, peer = prepared(PoissonExpected, y), prepared(Poisson, y)
    out = torch.randn(5, 2, dtype=torch.float64)
    np.testing.assert_array_equal(loss.predict(out)["rate"], peer.predict(out)["rate"])
    with pytest.raises(BadInput, match="loss=poisson_expected"):
        loss.prepare(-y)
