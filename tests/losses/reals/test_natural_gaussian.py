"""dlthink.losses.reals.natural_gaussian against scipy and the formula of its paper."""

import math

import pytest
import torch
from scipy import stats

from tests.losses.reals.made_outputs import build, sample, standardized


def test_equals_scipy_row_by_row():
    loss = build("natural_gaussian")
    out, y = sample(loss)
    z = standardized(y)
    slow = 0.0
    for i in range(40):
        for j in range(2):
            eta1, p = float(out[i, 2 * j]), math.log1p((math.e - 1) * math.exp(float(out[i, 2 * j + 1])))
            slow -= stats.norm.logpdf(float(z[i, j]), eta1 / p, p**-0.5)
    assert float(loss(out, y)["nll"]) == pytest.approx(slow / 80, rel=1e-12)


def test_equals_the_formula_of_the_paper():
    loss = build("natural_gaussian")
    out, y = sample(loss, seed=1)
    eta1, p = loss.natural(out)
    eta2, z = -0.5 * p, standardized(y)
    log_density = eta1 * z + eta2 * z**2 + eta1**2 / (4 * eta2) + 0.5 * (-2 * eta2).log() - 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(loss(out, y)["nll"], -log_density.mean())


def test_it_is_convex_in_its_natural_parameters():
    """Jensen on random pairs: in eta1 and the precision itself."""
    g = torch.Generator().manual_seed(0)
    eta, p = torch.randn(2, 1000, generator=g).double(), torch.rand(2, 1000, generator=g).double() + 0.01

    def cost(eta, p):
        loss = build("natural_gaussian", targets=1)
        raw = torch.expm1(p).log() - math.log(math.e - 1)
        return torch.stack(
            [loss(torch.stack((a, b))[None], torch.ones(1, 1))["nll"] for a, b in zip(eta, raw, strict=True)]
        )

    middle = cost(eta.mean(0), p.mean(0))
    assert (middle <= 0.5 * (cost(eta[0], p[0]) + cost(eta[1], p[1])) + 1e-9).all()


@pytest.mark.parametrize("value", [-1e3, 1e3])
def test_extreme_answers_keep_cost_and_slope_finite(value):
    out = torch.tensor([[1.0, value], [value, value]], requires_grad=True)
    cost = build("natural_gaussian", targets=1, dtype=torch.float32)(out, torch.tensor([[0.0], [1.0]]))["nll"]
    cost.backward()
    assert cost.isfinite()
    assert out.grad.isfinite().all()
