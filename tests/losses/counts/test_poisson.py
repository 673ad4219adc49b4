"""The Poisson cost against a slow loop, scipy, closed forms and the course's own equation."""

import math

import pytest
import torch
from scipy import stats

from dlthink.errors import BadInput
from dlthink.losses.counts.poisson import CEILING, FLOOR, Poisson


def sample(n=40, targets=7, dtype=torch.float64, seed=0):
    g = torch.Generator().manual_seed(seed)
    out = torch.randn(n, targets, generator=g, dtype=dtype)
    k = torch.poisson(torch.rand(n, targets, generator=g, dtype=dtype) * 6, generator=g)
    return out, k


def prepared(k):
    loss = Poisson(k.shape[1]).to(k.dtype)
    loss.prepare(k)
    return loss


def test_the_course_s_equation():
    """Discussion 1: NLL = sum over neurons and bins of lambda - k log lambda + log k!"""
    out, k = sample()
    loss = prepared(k)
    rate = loss.predict(out)["rate"]
    equation = 0.0
    for bins in range(len(k)):
        for neuron in range(k.shape[1]):
            lam, count = float(rate[bins, neuron]), int(k[bins, neuron])
            equation += lam - count * math.log(lam) + math.log(math.factorial(count))
    assert float(loss(out, k)["nll"]) * k.numel() == pytest.approx(equation, rel=1e-12)


def test_equals_a_loop_with_lgamma():
    out, k = sample(seed=1)
    loss = prepared(k)
    slow = 0.0
    for i in range(len(k)):
        for j in range(k.shape[1]):
            log_rate = float(out[i, j]) + math.log(sum(float(c) for c in k[:, j]) / len(k))
            slow += math.exp(log_rate) - float(k[i, j]) * log_rate + math.lgamma(float(k[i, j]) + 1)
    assert float(loss(out, k)["nll"]) == pytest.approx(slow / k.numel(), rel=1e-12)


def test_equals_scipy_and_its_own_distribution():
    out, k = sample(seed=2)
    loss = prepared(k)
    predicted = loss.predict(out)
    nll = float(loss(out, k)["nll"])
    assert nll == pytest.approx(-stats.poisson.logpmf(k.numpy(), predicted["rate"].numpy()).mean(), rel=1e-12)
    assert nll == pytest.approx(-float(predicted["distribution"].log_prob(k).mean()), rel=1e-12)


def test_log_factorial_is_exact_where_torch_s_own_loss_uses_stirling():
    k = torch.tensor([[2.0]], dtype=torch.float64)
    loss = Poisson(1).double()
    zero = torch.zeros_like(k)
    exact, torch_s = (
        float(loss(zero, k)["nll"]),
        float(torch.nn.functional.poisson_nll_loss(zero, k, full=True)),
    )
    assert exact == pytest.approx(1 + math.log(2), abs=1e-14)
    assert abs(torch_s - exact) > 0.04


def test_gradient_is_rate_minus_count():
    out, k = sample(seed=3)
    loss = prepared(k)
    out.requires_grad_()
    (3 * loss(out, k)["nll"]).backward()
    with torch.no_grad():
        torch.testing.assert_close(out.grad, 3 * (loss.predict(out)["rate"] - k) / k.numel(), rtol=1e-13, atol=0)


def test_gradcheck():
    out, k = sample(5, 3, seed=4)
    loss = Poisson(3).double()
    assert torch.autograd.gradcheck(lambda o: loss(o, k)["nll"], (out.requires_grad_(),))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [0.0, 1.0, 10_000.0])
@pytest.mark.parametrize("value", [-1e4, -100.0, 0.0, 19.9, 20.1, 100.0, 1e4])
def test_extreme_inputs_keep_cost_and_slope_finite(value, count, dtype):
    loss = Poisson(1).to(dtype)
    out = torch.full((1, 1), value, dtype=dtype, requires_grad=True)
    nll = loss(out, torch.full((1, 1), count, dtype=dtype))["nll"]
    nll.backward()
    assert nll.isfinite()
    assert out.grad.isfinite().all()
    slope = math.exp(min(value, CEILING)) - count
    assert float(out.grad) == pytest.approx(slope, rel=1e-5, abs=1e-30)
    assert loss.predict(out)["rate"].isfinite().all()


@pytest.mark.parametrize("out", [-100.0, -104.0, -1e6, -3e38])
def test_the_rate_keeps_a_floor_so_that_a_count_has_a_finite_log_probability(out):
    loss = Poisson(1)
    predicted = loss.predict(torch.full((1, 1), out))
    assert float(predicted["rate"]) == pytest.approx(math.exp(FLOOR))
    assert float(predicted["distribution"].log_prob(torch.ones(1, 1))) == pytest.approx(FLOOR, abs=1e-4)


def test_beyond_the_ceiling_the_cost_is_its_tangent():
    loss, k = Poisson(1).double(), torch.tensor([[3.0]], dtype=torch.float64)
    at, above = (float(loss(torch.full((1, 1), CEILING + step, dtype=torch.float64), k)["nll"]) for step in (0.0, 2.0))
    assert above - at == pytest.approx(2 * (math.exp(CEILING) - 3), rel=1e-12)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_outputs_are_costed_in_float32(half):
    out, k = sample(dtype=torch.float32, seed=5)
    loss = prepared(k)
    low = out.to(half).requires_grad_()
    with torch.autocast("cpu", half):
        nll = loss(low, k)["nll"]
    nll.backward()
    assert nll.dtype == torch.float32
    assert loss.predict(low)["rate"].dtype == torch.float32
    assert low.grad.dtype == half
    assert float(nll.detach()) == pytest.approx(float(loss(low.detach().float(), k)["nll"]), rel=1e-6)


def test_a_rate_beyond_the_range_of_half_precision():
    out = torch.tensor([[12.0]], dtype=torch.float16)  # exp(12) is infinite there
    assert float(Poisson(1).predict(out)["rate"]) == pytest.approx(math.exp(12), rel=1e-5)


def test_out_zero_predicts_the_mean_count_and_nothing_beats_it():
    _, k = sample(seed=6)
    loss = prepared(k)
    out = torch.zeros_like(k, requires_grad=True)
    torch.testing.assert_close(loss.predict(out)["rate"][0], k.mean(0))
    loss(out, k)["nll"].backward()
    torch.testing.assert_close(out.grad.sum(0), torch.zeros(7, dtype=k.dtype))  # a stationary point of a constant


def test_a_target_that_never_fires_gets_half_an_event():
    k = torch.zeros(200, 2)
    k[:, 1] = 1
    assert prepared(k).predict(torch.zeros(1, 2))["rate"].tolist() == [[pytest.approx(0.5 / 200), 1.0]]


@pytest.mark.parametrize(
    "k",
    [
        torch.zeros(0, 2),
        torch.tensor([[-1.0, 0]]),
        torch.tensor([[math.nan, 0]]),
        torch.tensor([[math.inf, 0]]),
    ],
)
def test_prepare_refuses_what_are_no_counts(k):
    with pytest.raises(BadInput, match="loss=poisson"):
        Poisson(2).prepare(k)


def test_its_memory_is_one_buffer_of_known_shape():
    loss = Poisson(3)
    assert {name: tuple(t.shape) for name, t in loss.state_dict().items()} == {"log_mean": (3,)}
    assert not list(loss.parameters())


def test_compiles():
    out, k = sample(dtype=torch.float32, seed=7)
    loss = prepared(k)
    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    a, b = out.clone().requires_grad_(), out.clone().requires_grad_()
    loss(a, k)["nll"].backward()
    compiled(b, k)["nll"].backward()
    torch.testing.assert_close(a.grad, b.grad)
