"""The negative binomial cost against scipy, statsmodels and its limit."""

import numpy as np
import pytest
import torch
from scipy import stats

from dlthink.distributions.negative_binomial import NegativeBinomial as Distribution
from dlthink.losses.counts.negative_binomial import LEAST, NegativeBinomial
from dlthink.losses.counts.poisson import Poisson
from tests.losses.counts.made_counts import build, sample

D = torch.float64


def test_equals_scipy():
    loss = build("negative_binomial", dispersion="network")
    out, k = sample(loss)
    log_mean, raw = loss.parts(out)
    mean, r = log_mean.exp().numpy(), (-raw).exp().numpy()
    assert float(loss(out, k)["nll"]) == pytest.approx(-stats.nbinom.logpmf(k, r, r / (r + mean)).mean(), rel=1e-12)


def test_the_fit_is_statsmodels_s():
    """The same optimum and weights as NegativeBinomial (NB2) of statsmodels, to 1e-6 per row."""
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3))
    k = rng.poisson(np.exp(x @ [0.5, -0.3, 0.1] + 0.2) * rng.gamma(2, 0.5, 600))
    fit = discrete.NegativeBinomial(k, np.column_stack([np.ones(600), x])).fit(disp=0, maxiter=200)
    loss = NegativeBinomial(1).double()
    y = torch.from_numpy(k).double()[:, None]
    loss.prepare(y)
    linear = torch.nn.Linear(3, 1).double()
    search = torch.optim.LBFGS([*linear.parameters(), *loss.parameters()], max_iter=200, line_search_fn="strong_wolfe")

    def cost():
        search.zero_grad()
        nll = loss(linear(torch.from_numpy(x)), y)["nll"]
        nll.backward()
        return nll

    search.step(cost)
    assert -float(cost().detach()) == pytest.approx(fit.llf / 600, abs=1e-6)
    found = [float(linear.bias + loss.log_mean), *linear.weight[0].tolist(), float(loss.raw.exp())]
    np.testing.assert_allclose(found, fit.params, atol=2e-3)


def test_at_its_least_dispersion_it_is_poisson():
    loss, poisson = build("negative_binomial"), Poisson(3).double()
    out, k = sample(loss)
    poisson.prepare(k)
    loss.shift.data.fill_(2 * LEAST)
    a, b = out.clone().requires_grad_(), out.clone().requires_grad_()
    one, other = loss(a, k)["nll"], poisson(b, k)["nll"]
    (one + other).backward()
    assert float(one.detach()) == pytest.approx(float(other.detach()), abs=1e-4)
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-3, atol=1e-6)


def test_training_starts_at_the_moments_of_the_counts():
    loss = build("negative_binomial", 1)
    k = torch.from_numpy(np.random.default_rng(1).negative_binomial(2.0, 0.25, (50_000, 1))).double()
    loss.prepare(k)
    assert float(loss.start.exp()) == pytest.approx(0.5, rel=0.05)


def test_it_says_more_of_counts_that_scatter_than_poisson_does():
    k = torch.from_numpy(np.random.default_rng(2).negative_binomial(0.5, 0.2, (2000, 1))).double()
    loss, poisson, out = build("negative_binomial", 1), Poisson(1).double(), torch.zeros(2000, 1, dtype=D)
    loss.prepare(k)
    poisson.prepare(k)
    assert float(loss(out, k)["nll"].detach()) < float(poisson(out, k)["nll"]) - 0.3


def test_what_it_learns_goes_as_fast_as_a_network_learns_the_mean():
    """The moments it starts with hold the changes of the mean; 400 steps of Adam as it is typed must undo that."""
    torch.manual_seed(0)
    log_mean = 1 + 0.7 * torch.randn(1000, 2)
    loss = build("negative_binomial", 2, torch.float32)
    k = Distribution(log_mean.exp(), torch.tensor([0.3, 0.5])).sample()
    loss.prepare(k)
    assert (loss.raw.detach().exp()[0] > 0.7).all()
    adam = torch.optim.Adam(loss.parameters(), lr=1e-3)
    for _ in range(400):
        adam.zero_grad()
        loss(log_mean - loss.log_mean, k)["nll"].backward()
        adam.step()
    assert loss.raw.detach().exp()[0].tolist() == pytest.approx([0.3, 0.5], rel=0.4)
