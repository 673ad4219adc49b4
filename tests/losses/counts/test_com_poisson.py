"""The Conway-Maxwell-Poisson cost against slow sums, and its limits: Poisson, geometric, the least scatter there is."""

import math

import numpy as np
import pytest
import torch
from scipy import optimize, special, stats

from dlthink.distributions.com_poisson import ComPoisson as Distribution
from dlthink.distributions.com_poisson import normalizer
from dlthink.losses.counts._counts import PACE
from dlthink.losses.counts.poisson import Poisson
from tests.losses.counts.made_counts import build, sample

D = torch.float64
J = np.arange(60_000.0)
LOG_FACTORIAL = special.gammaln(J + 1)


def slowly(mean, nu):
    """log lambda, log Z and variance by a search over sums of 60,000 terms."""

    def terms(log_rate):
        return J * log_rate - nu * LOG_FACTORIAL

    def excess(log_rate):
        p = np.exp(terms(log_rate) - special.logsumexp(terms(log_rate)))
        return (p * J).sum() - mean

    log_rate = optimize.brentq(excess, -50, min(0.0, 50.0 * nu) if nu == 0 else nu * math.log(mean + 9) + 9, xtol=1e-14)
    p = np.exp(terms(log_rate) - special.logsumexp(terms(log_rate)))
    return log_rate, special.logsumexp(terms(log_rate)), (p * (J - mean) ** 2).sum()


@pytest.mark.parametrize("nu", [0.1, 0.4, 1.0, 1.7, 6.0, 30.0])
@pytest.mark.parametrize("mean", [1e-6, 0.1, 0.5, 1.0, 3.5, 40.0, 900.0, 10_000.0])
def test_the_mean_is_solved_for(mean, nu):
    if mean * nu > 90_000 or (nu < 0.4 and mean > 900):
        pytest.skip("more terms than the slow sum has")
    log_rate, log_z, variance = slowly(mean, nu)
    distribution = Distribution(torch.tensor(mean, dtype=D), torch.tensor(nu, dtype=D))
    k = torch.tensor([0.0, 1.0, round(mean), round(1.2 * mean) + 1], dtype=D)
    slow = k * log_rate - nu * torch.lgamma(k + 1) - log_z
    torch.testing.assert_close(distribution.log_prob(k), slow, rtol=1e-9, atol=1e-8)
    assert float(distribution.variance) == pytest.approx(variance, rel=1e-7)


def test_nu_of_one_is_poisson():
    loss, poisson = build("com_poisson"), Poisson(3).double()
    out, k = sample(loss)
    poisson.prepare(k)
    loss.shift.data.copy_(-loss.start / PACE)
    a, b = out.clone().requires_grad_(), out.clone().requires_grad_()
    one, other = loss(a, k)["nll"], poisson(b, k)["nll"]
    (one + other).backward()
    assert float(one.detach()) == pytest.approx(float(other.detach()), rel=1e-10)
    torch.testing.assert_close(a.grad, b.grad)


def test_nu_near_zero_is_geometric_and_a_large_one_scatters_as_little_as_whole_numbers_can():
    mean, k = torch.tensor([0.3, 2.25], dtype=D), torch.arange(20.0, dtype=D)[:, None]
    geometric = stats.geom(1 / (1 + mean.numpy()), loc=-1)
    np.testing.assert_allclose(
        Distribution(mean, torch.tensor(1e-9, dtype=D)).log_prob(k), geometric.logpmf(k), rtol=1e-5
    )
    least = Distribution(mean, torch.tensor(60.0, dtype=D))
    torch.testing.assert_close(least.variance, torch.tensor([0.3 * 0.7, 0.25 * 0.75], dtype=D), rtol=1e-6, atol=0)


@pytest.mark.parametrize("mean, nu", [(3.0, 2.0), (0.2, 20.0), (300.0, 1.5)])
def test_float32_is_near_float64(mean, nu):
    loss = build("com_poisson", 1, torch.float32)
    k = torch.from_numpy(np.random.default_rng(0).poisson(mean, (300, 1))).float()
    loss.prepare(k)
    loss.shift.data.copy_((math.log(nu) - loss.start) / PACE)
    exact = build("com_poisson", 1)
    exact.load_state_dict(loss.state_dict())
    a = torch.zeros(300, 1, requires_grad=True)
    b = torch.zeros(300, 1, requires_grad=True, dtype=D)
    one, other = loss(a, k)["nll"], exact(b, k.double())["nll"]
    (one + other).backward()
    assert float(one.detach()) == pytest.approx(float(other.detach()), rel=2e-5, abs=2e-6 * mean)
    torch.testing.assert_close(a.grad.double(), b.grad, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("nu", [0.1, 1.0, 8.0, 20.0, 50.0])
def test_few_passes_suffice_in_float32_for_means_between_and_at_whole_numbers(nu):
    log_mean, nu = torch.linspace(-6, 3, 301, dtype=D), torch.tensor([nu], dtype=D)
    exact = normalizer(log_mean, nu, 128, direct=True)
    single = normalizer(log_mean.float(), nu.float(), 128, direct=True)
    torch.testing.assert_close(single.variance.double(), exact.variance, rtol=2e-3, atol=0)
    torch.testing.assert_close(single.log_z.double(), exact.log_z, rtol=1e-4, atol=1e-4)


def test_the_number_of_terms_is_known_again_after_loading():
    loss, again = build("com_poisson", 1), build("com_poisson", 1)
    loss.prepare(torch.tensor([[0.0], [3.0]], dtype=D))
    again.load_state_dict(loss.state_dict())
    assert again.terms == loss.terms == 18
    loss.prepare(torch.tensor([[0.0], [3000.0]], dtype=D))
    assert loss.terms is None
