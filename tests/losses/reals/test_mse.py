"""The squared error against a slow loop, sklearn and closed forms."""

import math

import pytest
import torch
from scipy import stats
from sklearn.metrics import mean_squared_error, r2_score

from dlthink.errors import BadInput
from dlthink.losses.reals.mse import MSE


def sample(n=40, targets=5, dtype=torch.float64, seed=0):
    g = torch.Generator().manual_seed(seed)
    out = torch.randn(n, targets, generator=g, dtype=dtype)
    y = 100 + 30 * torch.randn(n, targets, generator=g, dtype=dtype) * torch.arange(1, targets + 1)
    return out, y


def prepared(y):
    loss = MSE(y.shape[1]).to(y.dtype)
    loss.prepare(y)
    return loss


def test_equals_a_loop():
    out, y = sample()
    slow = 0.0
    for j in range(y.shape[1]):
        column = [float(v) for v in y[:, j]]
        mean = sum(column) / len(column)
        std = math.sqrt(sum((v - mean) ** 2 for v in column) / len(column))
        slow += sum((float(out[i, j]) - (v - mean) / std) ** 2 for i, v in enumerate(column))
    assert float(prepared(y)(out, y)["mse"]) == pytest.approx(slow / y.numel(), rel=1e-12)


def test_unprepared_it_is_the_plain_squared_error():
    out, y = sample(seed=1)
    assert float(MSE(5).double()(out, y)["mse"]) == pytest.approx(mean_squared_error(y, out), rel=1e-12)


def test_on_training_data_it_is_one_minus_r2_of_what_it_reads_out():
    out, y = sample(seed=2)
    loss = prepared(y)
    r2 = r2_score(y, loss.predict(out)["mean"], multioutput="uniform_average")
    assert float(loss(out, y)["mse"]) == pytest.approx(1 - r2, rel=1e-12)


def test_gradient_in_closed_form_and_gradcheck():
    out, y = sample(6, 3, seed=3)
    loss = prepared(y)
    out.requires_grad_()
    loss(out, y)["mse"].backward()
    torch.testing.assert_close(out.grad, 2 * (out.detach() - (y - y.mean(0)) / y.std(0, correction=0)) / y.numel())
    assert torch.autograd.gradcheck(lambda o: loss(o, y)["mse"], (out,))


def test_out_zero_predicts_the_mean_in_the_units_of_y():
    _, y = sample(seed=4)
    loss = prepared(y)
    zero = torch.zeros_like(y)
    torch.testing.assert_close(loss.predict(zero)["mean"], y.mean(0).expand_as(y))
    torch.testing.assert_close(loss.predict(zero + 1)["mean"][0], y.mean(0) + y.std(0, correction=0))
    assert float(loss(zero, y)["mse"]) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_a_constant_target_is_only_shifted(constant):
    y = torch.full((1000, 1), constant)
    loss = prepared(y)
    assert float(loss.std) == 1
    assert float(loss(torch.zeros(1000, 1), y)["mse"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("value", [-1e4, 1e4])
def test_extreme_outputs_keep_a_finite_slope(value):
    out = torch.full((1, 1), value, requires_grad=True)
    cost = MSE(1)(out, torch.full((1, 1), 10_000.0))["mse"]
    cost.backward()
    assert cost.isfinite()
    assert out.grad.isfinite().all()


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_outputs_are_costed_in_float32(half):
    out, y = sample(dtype=torch.float32, seed=5)
    loss = prepared(y)
    low = (300 * out).to(half).requires_grad_()  # squared, it leaves the range of float16
    with torch.autocast("cpu", half):
        cost = loss(low, y)["mse"]
    cost.backward()
    assert cost.dtype == torch.float32
    assert low.grad.dtype == half
    assert float(cost.detach()) == pytest.approx(float(loss(low.detach().float(), y)["mse"]), rel=1e-6)


@pytest.mark.parametrize("y", [torch.zeros(0, 2), torch.tensor([[math.nan, 0]]), torch.tensor([[math.inf, 0]])])
def test_prepare_refuses_what_has_no_mean(y):
    with pytest.raises(BadInput, match="loss=mse"):
        MSE(2).prepare(y)


def test_its_global_spread_is_the_root_mean_squared_residual_on_validation():
    out, y = sample(seed=6)
    loss = prepared(y)
    loss.fit_on_validation(out, y)
    rms = (out - (y - y.mean(0)) / y.std(0, correction=0)).square().mean(0).sqrt()
    torch.testing.assert_close(loss.spread, rms, rtol=1e-6, atol=0)
    predicted = loss.predict(out)
    torch.testing.assert_close(predicted["std"], (rms * loss.std).expand_as(y), rtol=1e-6, atol=0)
    slow = stats.norm.logpdf(y, predicted["mean"], predicted["std"])
    assert float(predicted["distribution"].log_prob(y).mean()) == pytest.approx(slow.mean(), rel=1e-12)


def test_of_an_ensemble_the_mixture_has_the_right_spread():
    g = torch.Generator().manual_seed(7)
    y = torch.randn(20_000, 1, generator=g)
    out = 0.6 * torch.randn(20_000, 5, 1, generator=g)  # members that disagree: not all of the residual is noise
    loss = MSE(1)
    loss.fit_on_validation(out, y)
    middle = out.mean(1)
    assert float(loss.predict(out)["std"].square().mean()) == pytest.approx(
        float((y - middle).square().mean()), rel=0.1
    )


def test_it_fits_counts_and_reals_and_its_buffers_have_their_shape():
    assert MSE.targets == {"counts", "reals"}
    shapes = {name: tuple(t.shape) for name, t in MSE(4).state_dict().items()}
    assert shapes == {"mean": (4,), "std": (4,), "spread": (4,)}
    widened = {name: tuple(t.shape) for name, t in MSE(4, calibrate="isotonic").recalibration.state_dict().items()}
    assert widened == {"factor": (4,), "mass": (64,)}
