"""dlthink.losses.reals.huber against a slow loop, and its distribution against numerical integrals."""

import math

import pytest
import torch
from scipy import integrate, optimize, stats

from dlthink.distributions.huber import LeastFavourable
from dlthink.errors import BadInput
from tests.losses.reals.made_outputs import build, sample, standardized


def rho(e, delta):
    return 0.5 * e * e if abs(e) <= delta else delta * (abs(e) - 0.5 * delta)


@pytest.mark.parametrize("delta", [0.1, 1.0, 3.0])
def test_equals_a_loop(delta):
    loss = build("huber", delta=delta)
    out, y = sample(loss)
    z = standardized(y)
    slow = sum(rho(float(out[i, j] - z[i, j]), delta) for i in range(40) for j in range(2))
    assert float(loss(out, y)["huber"]) == pytest.approx(slow / 80, rel=1e-12)


@pytest.mark.parametrize("k", [0.3, 1.0, 4.0])
def test_its_law_is_the_normalized_exponential_of_minus_the_cost(k):
    whole, _ = integrate.quad(lambda r: math.exp(-rho(r, k)), -80, 80, points=[-k, k], limit=200)
    second, _ = integrate.quad(lambda r: r * r * math.exp(-rho(r, k)), -80, 80, points=[-k, k], limit=200)
    distribution = LeastFavourable(*(torch.tensor([v], dtype=torch.float64) for v in (1.0, 2.0, k)))
    for r in (-5.0, -0.5, 0.0, 2.0):
        x = torch.tensor([1.0 + 2.0 * r], dtype=torch.float64)
        assert float(distribution.log_prob(x)) == pytest.approx(-rho(r, k) - math.log(2 * whole), rel=1e-9)
        below, _ = integrate.quad(lambda t: math.exp(-rho(t, k)), -80, r, points=[-k, k] if r > k else [-k], limit=200)
        assert float(distribution.cdf(x)) == pytest.approx(below / whole, rel=1e-6)
    assert float(distribution.variance) == pytest.approx(4 * second / whole, rel=1e-6)


def test_its_global_spread_is_the_most_likely():
    loss = build("huber", targets=1, delta=1.0)
    out, y = sample(loss, 200, seed=1)
    loss.fit_on_validation(out, y)
    e = (out - standardized(y)).flatten()

    def cost(log_s):
        s = math.exp(log_s)
        distribution = LeastFavourable(*(torch.tensor(v, dtype=torch.float64) for v in (0.0, s, 1 / s)))
        return -float(distribution.log_prob(e).mean())

    best = optimize.minimize_scalar(cost, bounds=(-5, 5), method="bounded", options={"xatol": 1e-8})
    assert float(loss.spread) == pytest.approx(math.exp(best.x), rel=1e-5)


def test_a_large_delta_is_a_gaussian():
    distribution = LeastFavourable(*(torch.tensor([v]) for v in (0.0, 1e-3, 1e3)))
    x = torch.tensor([-2e-3, 0.0, 1e-3])
    torch.testing.assert_close(distribution.log_prob(x), torch.as_tensor(stats.norm.logpdf(x, 0, 1e-3)).float())
    assert float(distribution.stddev) == pytest.approx(1e-3, rel=1e-5)


@pytest.mark.parametrize("delta", [0.0, -1.0, math.inf])
def test_refuses_a_corner_that_is_none(delta):
    with pytest.raises(BadInput, match="delta"):
        build("huber", delta=delta)
