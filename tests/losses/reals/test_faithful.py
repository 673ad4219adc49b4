"""dlthink.losses.reals.faithful: the mean learns by the squared error alone, the spread without moving it."""

import pytest
import torch
from scipy import stats

from dlthink.errors import BadInput
from tests.losses.reals.made_outputs import build, sample, standardized


def test_equals_a_loop():
    loss = build("faithful")
    out, y = sample(loss)
    mean, spread = loss.mean_and_spread(out)
    z = standardized(y)
    terms = loss(out, y)
    square = sum(0.5 * float(z[i, j] - mean[i, j]) ** 2 for i in range(40) for j in range(2))
    assert float(terms["half_square"]) == pytest.approx(square / 80, rel=1e-12)
    assert float(terms["nll"]) == pytest.approx(-stats.norm.logpdf(z, mean, spread).mean(), rel=1e-12)


def test_the_mean_s_gradient_is_that_of_the_squared_error_and_the_spread_s_that_of_the_likelihood():
    loss, nll = build("faithful"), build("gaussian_nll")
    out, y = sample(loss, seed=1)
    nll.prepare(y)
    a, b = out.clone().requires_grad_(), out.clone().requires_grad_()
    sum(loss(a, y).values()).backward()
    nll(b, y)["nll"].backward()
    by_mean, by_spread = loss.columns(a.grad)
    mean, _ = loss.columns(out)
    torch.testing.assert_close(by_mean, (mean - standardized(y)) / 80)
    torch.testing.assert_close(by_spread, loss.columns(b.grad)[1])


def test_it_names_the_column_that_must_not_shape_the_network():
    loss = build("faithful")
    assert loss.detached == (1,)
    assert loss.outputs_per_target == 2


def test_a_network_s_outputs_are_refused_until_somebody_has_stopped_the_gradient():
    loss = build("faithful")
    out, y = sample(loss)
    of_a_network = out.clone().requires_grad_() * 1
    with pytest.raises(BadInput, match="its spread must not shape the network"):
        loss(of_a_network, y)
    loss.gradient_stopped = True
    assert loss(of_a_network, y)["nll"].requires_grad
