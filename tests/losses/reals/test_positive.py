"""Costs of targets above 0 against scipy; what they refuse; recalibration that stays above 0."""

import math

import pytest
import torch
from scipy import stats

from dlthink.errors import BadInput
from dlthink.losses.reals.gamma import GammaNLL
from dlthink.losses.reals.lognormal import LogNormalNLL
from tests.losses.reals.made_outputs import best_answer, build, sample

BOTH = pytest.mark.parametrize("name", ["lognormal", "gamma"])
OWN = {"lognormal": LogNormalNLL, "gamma": GammaNLL}


def test_lognormal_equals_scipy_row_by_row():
    loss = build("lognormal", spread="exp")
    out, y = sample(loss)
    log_y, slow = y.log(), 0.0
    for i in range(40):
        for j in range(2):
            m, s = float(log_y[:, j].mean()), float(log_y[:, j].std(correction=0))
            spread = s * (1e-7 + (1 - 1e-7) * math.exp(float(out[i, 2 * j + 1])))
            law = stats.lognorm(spread, scale=math.exp(m + s * float(out[i, 2 * j])))
            slow -= law.logpdf(float(y[i, j])) + math.log(float(y[:, j].std(correction=0)))
    assert float(loss(out, y)["nll"]) == pytest.approx(slow / 80, rel=1e-12)


def test_gamma_equals_scipy_row_by_row():
    loss = build("gamma", spread="exp")
    out, y = sample(loss)
    slow = 0.0
    for i in range(40):
        for j in range(2):
            mean, std = float(y[:, j].mean()), float(y[:, j].std(correction=0))
            unit = math.sqrt(math.log1p((std / mean) ** 2))
            k = (unit * (1e-7 + (1 - 1e-7) * math.exp(float(out[i, 2 * j + 1])))) ** -2
            law = stats.gamma(k, scale=mean * math.exp(unit * float(out[i, 2 * j])) / k)
            slow -= law.logpdf(float(y[i, j])) + math.log(std)
    assert float(loss(out, y)["nll"]) == pytest.approx(slow / 80, rel=1e-12)


@BOTH
def test_float32_and_answers_in_bfloat16_are_near_float64(name):
    exact, single = build(name), build(name, dtype=torch.float32)
    out, y = sample(exact, n=400)
    rough = out.bfloat16()
    single.prepare(y.float())
    true, near = rough.double().requires_grad_(), rough.float().requires_grad_()
    a, b = exact(true, y)["nll"], single(near, y.float())["nll"]
    a.backward()
    b.backward()
    assert float(b) == pytest.approx(float(a), rel=1e-5)
    torch.testing.assert_close(near.grad.double(), true.grad, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(single(rough, y.float())["nll"], b.detach())


@BOTH
def test_a_target_of_zero_or_below_is_named_and_counted(name):
    loss = OWN[name](2, target_names=["price", "area"])
    y = torch.rand(50, 2) + 0.1
    assert loss.misfit(y) is None
    y[3, 1], y[7, 1], y[9, 1], y[9, 0] = 0.0, -2.5, math.nan, math.nan
    said = "area is 0 or below in 2 of 50 rows (the least -2.5)"
    assert said in loss.misfit(y)
    with pytest.raises(BadInput, match=f"^loss={name}: area is 0 or below in 2 of 50 rows"):
        loss.prepare(y)
    assert "the target is 0" in OWN[name](1).misfit(torch.zeros(3, 1))
    assert "target 1 is 0" in OWN[name](2).misfit(torch.tensor([[1.0, 0.0]]))


@BOTH
@pytest.mark.parametrize("calibrate", ["none", "scale", "isotonic", "conformal"])
@pytest.mark.parametrize("members", [None, 3])
def test_whatever_the_recalibration_nothing_lies_below_zero(name, calibrate, members):
    plain, loss = build(name), build(name, calibrate=calibrate)
    out, y = sample(loss, n=300, members=members)
    plain.prepare(y)
    out = 0.1 * out - 1  # too sure
    loss.fit_on_validation(out, y)
    read = loss.predict(out)
    if name == "gamma" or calibrate in ("none", "conformal"):  # else it follows from median and spread
        torch.testing.assert_close(read["mean"], plain.predict(out)["mean"])
    low, high = (read["distribution"].icdf(torch.full_like(y, p)) for p in (0.05, 0.95))
    assert bool((low > 0).all() and (high > low).all() and read["std"].isfinite().all())
    inside = ((y >= low) & (y <= high)).double().mean()
    if calibrate != "none":
        assert float(inside) == pytest.approx(0.9, abs=0.08)  # of another family
    if members:
        torch.testing.assert_close(read["aleatoric"] ** 2 + read["epistemic"] ** 2, read["std"] ** 2)


@BOTH
def test_another_unit_changes_nothing(name):
    loss, other = build(name), build(name)
    out, y = sample(loss)
    other.prepare(1e-3 * y)
    torch.testing.assert_close(loss(out, y)["nll"], other(out, 1e-3 * y)["nll"])
    a, b = loss.predict(out), other.predict(out)
    torch.testing.assert_close(1e-3 * a["std"], b["std"])


def test_gamma_finds_mean_and_shape_that_scipy_fits():
    y = torch.tensor(stats.gamma(2.5, scale=3.0).rvs(4000, random_state=0))[:, None]
    loss = build("gamma", targets=1, spread="exp")
    loss.prepare(y)
    out = best_answer(loss, y)
    shape, _, scale = stats.gamma.fit(y.numpy().ravel(), floc=0)
    read = loss.predict(out[None])
    assert float(read["mean"]) == pytest.approx(shape * scale, rel=1e-4)
    assert float(read["std"]) == pytest.approx(math.sqrt(shape) * scale, rel=1e-3)
