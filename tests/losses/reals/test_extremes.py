"""Spreads of 1e-6 and 1e6 std: cost and gradient in float32 are those of closed forms in float64."""

import math
from itertools import product

import pytest
import torch
from scipy import special, stats

from dlthink.losses.reals._spread import FLOOR
from dlthink.losses.reals.natural_gaussian import FLOOR as PRECISION_FLOOR
from tests.losses.reals.made_outputs import build

ROOT_PI = math.sqrt(math.pi)
DF = 4


def gaussian(e, s):
    return stats.norm.logpdf(e, 0, s), e / s**2, 1 / s - e**2 / s**3


def laplace(e, s):
    sign = (e > 0) - (e < 0)
    return -abs(e) / s - math.log(2 * s), sign / s, 1 / s - abs(e) / s**2


def student(e, s):
    pull = (DF + 1) * e / (DF * s**2 + e**2)
    return stats.t.logpdf(e, DF, 0, s), pull, 1 / s - e * pull / s


def normal_crps(e, s):
    z = e / s
    value = e * (2 * special.ndtr(z) - 1) + s * (2 * stats.norm.pdf(z) - 1 / ROOT_PI)
    return -value, 2 * special.ndtr(z) - 1, 2 * stats.norm.pdf(z) - 1 / ROOT_PI


def laplace_crps(e, s):
    z, sign = abs(e) / s, (e > 0) - (e < 0)
    return -(abs(e) + s * math.exp(-z) - 0.75 * s), -sign * math.expm1(-z), math.exp(-z) * (1 + z) - 0.75


# -cost, d cost / d e, d cost / d s for a residual e = z - mean
FORMS = {
    "gaussian_nll": gaussian,
    "laplace_nll": laplace,
    "student_t_fixed": student,
    "crps": normal_crps,
    "crps_laplace": laplace_crps,
}


def link_at(link, spread):
    """The float32 answer that gives this spread, and the spread and its slope there, in float64."""
    value = (spread - FLOOR) / (1 - FLOOR)
    one = math.log(math.e - 1)
    inverse = {
        "softplus": value + math.log(-math.expm1(-value)) - one,
        "exp": math.log(value),
        "square": math.sqrt(value) - 1,
    }
    out = torch.tensor(inverse[link], dtype=torch.float32)
    x = float(out)
    forward, slope = {
        "softplus": lambda: (max(x + one, 0) + math.log1p(math.exp(-abs(x + one))), special.expit(x + one)),
        "exp": lambda: (math.exp(x), math.exp(x)),
        "square": lambda: ((x + 1) ** 2, 2 * (x + 1)),
    }[link]()
    return out, FLOOR + (1 - FLOOR) * forward, (1 - FLOOR) * slope


@pytest.mark.parametrize("link", ["softplus", "exp", "square"])
@pytest.mark.parametrize("name", list(FORMS))
def test_value_and_gradient(name, link):
    for spread, e in product((1e-6, 1.0, 1e6), (0.0, 1.0, -1.0)):
        is_the_closed_form(name, link, spread, e)


def is_the_closed_form(name, link, spread, e):
    raw, s, slope = link_at(link, spread)
    assert s == pytest.approx(spread, rel=1e-3)
    out = torch.stack((torch.zeros(()), raw)).reshape(1, 2).requires_grad_()
    (cost,) = build(name, targets=1, dtype=torch.float32, spread=link)(out, torch.full((1, 1), e)).values()
    cost.backward()
    log_score, by_error, by_spread = FORMS[name](e, s)
    assert float(cost.detach()) == pytest.approx(-log_score, rel=1e-5, abs=1e-6)
    assert float(out.grad[0, 0]) == pytest.approx(-by_error, rel=1e-5, abs=1e-7)
    assert float(out.grad[0, 1]) == pytest.approx(by_spread * slope, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("e", [0.0, 1.0])
@pytest.mark.parametrize("spread", [1e-6, 1e6])
@pytest.mark.parametrize("name", ["beta_nll", "faithful"])
def test_where_gradients_stop(name, spread, e):
    raw, s, slope = link_at("exp", spread)
    out = torch.stack((torch.zeros(()), raw)).reshape(1, 2).requires_grad_()
    terms = build(name, targets=1, dtype=torch.float32, spread="exp")(out, torch.full((1, 1), e))
    sum(terms.values()).backward()
    log_score, by_error, by_spread = gaussian(e, s)
    if name == "beta_nll":
        assert float(terms["beta_nll"].detach()) == pytest.approx(-s * log_score, rel=1e-5)
        expected = (-s * by_error, s * by_spread * slope)
    else:
        assert float(terms["nll"].detach()) == pytest.approx(-log_score, rel=1e-5)
        expected = (-e, by_spread * slope)
    assert out.grad[0].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("e", [0.0, 1.0])
@pytest.mark.parametrize("spread", [1e-6, 1.0, 1e6])
def test_natural_parameters(spread, e):
    target = spread**-2 - PRECISION_FLOOR
    one = math.log(math.e - 1)
    raw = torch.tensor(target + math.log(-math.expm1(-target)) - one if target < 30 else target - one)
    x = float(raw) + one
    p = PRECISION_FLOOR + max(x, 0) + math.log1p(math.exp(-abs(x)))
    out = torch.stack((torch.zeros(()), raw)).reshape(1, 2).requires_grad_()
    cost = build("natural_gaussian", targets=1, dtype=torch.float32)(out, torch.full((1, 1), e))["nll"]
    cost.backward()
    assert float(cost.detach()) == pytest.approx(-stats.norm.logpdf(e, 0, p**-0.5), rel=1e-5)
    # eta1 = 0: the cost is p e^2 / 2 - log(p) / 2 + constant, and its slope by eta1 is -e
    assert out.grad[0].tolist() == pytest.approx([-e, (0.5 * e**2 - 0.5 / p) * special.expit(x)], rel=1e-4, abs=1e-7)
