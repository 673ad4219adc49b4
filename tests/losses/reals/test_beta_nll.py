"""dlthink.losses.reals.beta_nll against a slow loop and the gradients of its paper."""

import pytest
import torch
from scipy import stats

from dlthink.errors import BadInput
from tests.losses.reals.made_outputs import build, sample, standardized


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_equals_a_loop(beta):
    loss = build("beta_nll", beta=beta)
    out, y = sample(loss)
    mean, spread = loss.mean_and_spread(out)
    z = standardized(y)
    slow = 0.0
    for i in range(40):
        for j in range(2):
            s = float(spread[i, j])
            slow -= (s * s) ** beta * stats.norm.logpdf(float(z[i, j]), float(mean[i, j]), s)
    assert float(loss(out, y)["beta_nll"]) == pytest.approx(slow / 80, rel=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_gradients_are_those_of_the_paper(beta):
    """Seitzer 2022: by the mean (mean - z) / var^(1 - beta), by the variance (var - e^2) / (2 var^(2 - beta))."""
    loss = build("beta_nll", beta=beta, spread="exp")
    out, y = sample(loss, seed=1)
    out.requires_grad_()
    loss(out, y)["beta_nll"].backward()
    mean, spread = (t.detach() for t in loss.mean_and_spread(out))
    var, e = spread.square(), standardized(y) - mean
    by_mean, by_raw = loss.columns(out.grad)
    torch.testing.assert_close(by_mean, -e / var ** (1 - beta) / 80)
    by_var = (var - e.square()) / (2 * var ** (2 - beta)) / 80
    torch.testing.assert_close(by_raw, by_var * 2 * spread * (spread - 1e-7))


@pytest.mark.parametrize("beta", [-0.1, 1.1])
def test_refuses_another_beta(beta):
    with pytest.raises(BadInput, match="beta"):
        build("beta_nll", beta=beta)
