"""The generalized Poisson cost against statsmodels, sums of its probabilities, and its limit."""

import numpy as np
import pytest
import torch

from dlthink.losses.counts._counts import PACE
from dlthink.losses.counts.poisson import Poisson
from tests.losses.counts.made_counts import build, counts, sample

D = torch.float64


def below(n=400, mean=3.0, seed=0):
    """Binomial counts, which scatter less than Poisson: [n, 1]."""
    return torch.from_numpy(np.random.default_rng(seed).binomial(5, mean / 5, (n, 1))).double()


def test_equals_statsmodels():
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    k = counts(200, 1)
    x = np.column_stack([np.ones(200), np.random.default_rng(0).normal(size=200)])
    loss = build("generalized_poisson", 1)
    loss.prepare(k)
    log_mean = torch.from_numpy(x @ [0.3, 0.2])[:, None]
    a = float(loss.numbers(*loss.raw)[0])
    peer = discrete.GeneralizedPoisson(k[:, 0].numpy(), x, p=2).loglikeobs(np.array([0.3, 0.2, a]))
    assert float(loss(log_mean - loss.log_mean, k)["nll"].detach()) == pytest.approx(-peer.mean(), rel=1e-10)


@pytest.mark.parametrize("where", ["shared", "target", "network"])
@pytest.mark.parametrize("raw", [-30.0, -2.0, -1.0, 0.0])
def test_of_fewer_scatter_the_cost_sums_to_one_over_all_counts(raw, where):
    """exp(-cost) over all counts that have a probability, at means from small ones to the ceiling."""
    loss = build("generalized_poisson", 1, dispersion=where)
    loss.prepare(below())
    for weight in loss.parameters():
        weight.data.fill_(raw)
    columns = [[x, raw] if where == "network" else [x] for x in (-5.0, -1.0, 0.0, 0.5, 0.8, 3.0)]
    for out in torch.tensor(columns, dtype=D).unsqueeze(1):
        log_mean, *raw_numbers = loss.parts(out)
        if loss.bounded(log_mean, *loss.numbers(*raw_numbers)) < log_mean:
            continue  # beyond it the cost is no likelihood
        distribution = loss.predict(out)["distribution"]
        k = torch.arange(400.0, dtype=D)[:, None]
        possible = k[(distribution.log_prob(k) > -60)[:, 0]]
        costs = torch.stack([loss(out, one[None])["nll"] for one in possible]).detach()
        assert float(costs.neg().exp().sum()) == pytest.approx(1, abs=1e-9)
        torch.testing.assert_close(costs.neg()[:, None], distribution.log_prob(possible))


def test_it_finds_fewer_scatter_and_says_more_of_it_than_poisson_does():
    k, out = below(2000), torch.zeros(2000, 1, dtype=D)
    loss, poisson = build("generalized_poisson", 1), Poisson(1).double()
    loss.prepare(k)
    poisson.prepare(k)
    search = torch.optim.LBFGS(loss.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def cost():
        search.zero_grad()
        nll = loss(out, k)["nll"]
        nll.backward()
        return nll

    search.step(cost)
    distribution = loss.predict(out)["distribution"]
    assert float(loss(out, k)["nll"].detach()) < float(poisson(out, k)["nll"]) - 0.1
    assert float(distribution.variance[0]) == pytest.approx(float(k.var()), rel=0.1)
    assert float(distribution.mean[0]) == pytest.approx(3, rel=0.03)


def test_without_dispersion_it_is_poisson():
    loss, poisson = build("generalized_poisson"), Poisson(3).double()
    out, k = sample(loss)
    poisson.prepare(k)
    loss.shift.data.copy_((-loss.bound.log() - loss.start) / PACE)
    a, b = out.clone().requires_grad_(), out.clone().requires_grad_()
    one, other = loss(a, k)["nll"], poisson(b, k)["nll"]
    (one + other).backward()
    assert float(one.detach()) == pytest.approx(float(other.detach()), rel=1e-12)
    torch.testing.assert_close(a.grad, b.grad)


def test_every_training_count_and_the_next_have_a_probability_however_little_they_scatter():
    loss = build("generalized_poisson", 1)
    k = torch.tensor([[0.0], [1.0], [7.0]], dtype=D)
    loss.prepare(k)
    loss.shift.data.fill_(-1e4)
    distribution = loss.predict(torch.zeros(1, 1, dtype=D))["distribution"]
    assert distribution.log_prob(torch.arange(9.0)[:, None]).isfinite().all()
