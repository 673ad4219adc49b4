"""What every cost of counts keeps: it is the log score of what it reads out, its slopes are right, it starts well."""

import math

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.losses.counts._count_table import CountTable
from dlthink.losses.counts._counts import CEILING, with_slopes
from dlthink.losses.counts.poisson import Poisson
from tests.losses.counts.made_counts import COSTS, WHERE, build, counts, sample

D = torch.float64
EVERY = [(name, where) for name in COSTS for where in WHERE]
every = pytest.mark.parametrize("name, where", EVERY)


@every
def test_the_cost_is_the_log_score_of_what_is_read_out(name, where):
    loss = build(name, dispersion=where)
    out, k = sample(loss)
    predicted = loss.predict(out)
    slow = sum(
        -float(predicted["distribution"].log_prob(k)[i, j]) for i in range(k.shape[0]) for j in range(k.shape[1])
    )
    assert float(loss(out, k)["nll"].detach()) == pytest.approx(slow / k.numel(), rel=1e-11)
    torch.testing.assert_close(predicted["rate"], predicted["distribution"].mean)
    assert predicted["rate"].shape == k.shape and not predicted["rate"].requires_grad


@every
def test_gradcheck(name, where):
    loss = build(name, dispersion=where)
    out, k = sample(loss, 5, seed=1)
    weights = dict(loss.named_parameters())

    def cost(out, *values):
        named = dict(zip(weights, values, strict=True))
        return torch.func.functional_call(loss, named, (out, k))["nll"]

    assert torch.autograd.gradcheck(cost, (out.requires_grad_(), *weights.values()), eps=1e-5, atol=1e-7, rtol=1e-5)


@every
def test_where_the_dispersion_comes_from(name, where):
    loss = build(name, dispersion=where)
    out, _ = sample(loss)
    assert loss.outputs_per_target == (1 + loss.shapes if where == "network" else 1)
    sizes = {"shared": loss.shapes, "target": 3 * loss.shapes, "network": 0}
    assert sum(weight.numel() for weight in loss.parameters()) == sizes[where]
    _, *raw = loss.parts(out)
    assert len(raw) == loss.shapes
    for one in raw:
        assert one.shape == ((40, 3) if where == "network" else (3,))
        assert where != "shared" or (one == one[0]).all()
        assert where != "target" or len(one.unique()) == 3


@every
def test_out_zero_predicts_the_mean_count(name, where):
    loss = build(name, dispersion=where)
    k = counts()
    loss.prepare(k)
    out = torch.zeros(1, 3 * loss.outputs_per_target, dtype=D)
    tolerance = 1e-9 if where != "shared" else 0.05
    torch.testing.assert_close(loss.predict(out)["rate"][0], k.mean(0), rtol=tolerance, atol=0)


@every
def test_float32_and_bfloat16_are_near_float64(name, where):
    loss = build(name, dispersion=where)
    out, k = sample(loss, seed=3)
    half = out.bfloat16()
    exact = loss(half.double().requires_grad_(), k)["nll"]
    single = build(name, dtype=torch.float32, dispersion=where)
    single.load_state_dict(loss.state_dict())
    for low in (half, half.float()):
        low = low.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=low.dtype == torch.bfloat16):
            nll = single(low, k.float())["nll"]
        nll.backward()
        assert nll.dtype == torch.float32 and low.grad.dtype == low.dtype
        assert float(nll.detach()) == pytest.approx(float(exact.detach()), rel=2e-6)
        assert single.predict(low.detach())["rate"].dtype == torch.float32


@every
@pytest.mark.parametrize("dtype", [torch.float32, D])
def test_extreme_outputs_keep_cost_and_slope_finite(name, where, dtype):
    loss = build(name, 1, dtype, dispersion=where)
    loss.prepare(torch.tensor([[0.0], [3.0], [1.0], [1.0], [0.0], [5.0]], dtype=dtype))
    for value in (-1e4, -100.0, -20.0, 0.0, 19.9, 100.0, 1e4):
        for count in (0.0, 1.0, 5.0):
            out = torch.full((1, loss.outputs_per_target), value, dtype=dtype, requires_grad=True)
            nll = loss(out, torch.full((1, 1), count, dtype=dtype))["nll"]
            nll.backward()
            assert nll.isfinite() and out.grad.isfinite().all(), (value, count)
            assert all(weight.grad.isfinite().all() for weight in loss.parameters())
            predicted = loss.predict(out.detach())
            assert predicted["rate"].isfinite().all()
            assert not predicted["distribution"].log_prob(torch.full((1, 1), count, dtype=dtype)).isnan()


@every
@pytest.mark.parametrize("dtype, near", [(torch.float32, 3e-6), (D, 1e-10)])
def test_counts_of_zero_and_of_ten_thousand(name, where, dtype, near):
    loss = build(name, 1, dtype, dispersion=where)
    k = torch.tensor([[0.0], [10_000.0], [9_000.0], [9_900.0], [10_100.0], [9_700.0]], dtype=dtype)
    loss.prepare(k)
    out = torch.zeros(6, loss.outputs_per_target, dtype=dtype, requires_grad=True)
    nll = loss(out, k)["nll"]
    nll.backward()
    assert nll.isfinite() and out.grad.isfinite().all()
    distribution = loss.predict(out.detach())["distribution"]
    assert float(nll.detach()) == pytest.approx(-float(distribution.log_prob(k.double()).mean()), abs=near * 1e4)


@every
def test_its_memory_is_of_known_shape_and_resumes(name, where):
    loss, again = build(name, dispersion=where), build(name, dispersion=where)
    out, k = sample(loss)
    again.load_state_dict(loss.state_dict())
    assert float(again(out, k)["nll"]) == float(loss(out, k)["nll"])
    assert {tuple(t.shape) for t in build(name, dispersion=where).state_dict().values()} == {
        tuple(t.shape) for t in loss.state_dict().values()
    }


@every
def test_vmap_and_gradients_of_single_samples(name, where):
    loss = build(name, dispersion=where)
    out, k = sample(loss, 6)
    each = torch.func.vmap(lambda o, y: loss(o[None], y[None])["nll"])(out, k)
    torch.testing.assert_close(each.mean(), loss(out, k)["nll"])
    slopes = torch.func.vmap(torch.func.grad(lambda o, y: loss(o[None], y[None])["nll"]))(out, k)
    leaf = out.clone().requires_grad_()
    loss(leaf, k)["nll"].backward()
    torch.testing.assert_close(slopes / 6, leaf.grad)


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize(
    "k, why",
    [
        (torch.zeros(0, 2), "no sample"),
        (torch.tensor([[-1.0, 0]]), "negative"),
        (torch.tensor([[math.nan, 0]]), "not finite"),
        (torch.tensor([[1.5, 0]]), "no whole number"),
    ],
)
def test_prepare_refuses_what_are_no_counts(name, k, why):
    with pytest.raises(BadInput, match=f"loss={name}.*{why}"):
        build(name, 2, torch.float32).prepare(k)


@every
def test_counts_that_are_all_alike_or_never_come_prepare_it_too(name, where):
    loss = build(name, 2, torch.float32, dispersion=where)
    k = torch.tensor([[0.0, 1.0]]).repeat(50, 1)
    loss.prepare(k)
    out = torch.zeros(50, 2 * loss.outputs_per_target, requires_grad=True)
    loss(out, k)["nll"].backward()
    assert out.grad.isfinite().all() and all(t.isfinite().all() for t in loss.state_dict().values())


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("where", ["shared", "target"])
def test_few_counts_are_looked_up_with_the_same_result(name, where):
    loss = build(name, dispersion=where)
    out, k = sample(loss, 60, mean=1.0)
    assert CountTable(k).place is not None and CountTable(k[:1]).place is None and CountTable(10 * k).place is None
    assert CountTable(k + 0.5).place is None

    def slopes(parts):
        leaf, weight = out.clone().requires_grad_(), loss.shift
        total = sum(loss(leaf[part], k[part])["nll"] * len(k[part]) for part in parts) / len(k)
        return total.detach(), *torch.autograd.grad(total, (leaf, weight))

    whole, one_by_one = slopes([slice(0, 60)]), slopes([slice(i, i + 1) for i in range(60)])
    torch.testing.assert_close(whole, one_by_one, rtol=1e-10, atol=1e-12)


def test_a_second_derivative_is_refused():
    loss = Poisson(2)
    out = torch.zeros(3, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(out, torch.ones(3, 2))["nll"], out, create_graph=True)
    with pytest.raises(RuntimeError, match="no second derivative"):
        slope.sum().backward()


def test_poisson_has_single_samples_too():
    loss, k = Poisson(2).double(), torch.tensor([[1.0, 3.0], [0.0, 9.0]], dtype=D)
    out = torch.randn(2, 2, dtype=D)
    slopes = torch.func.vmap(torch.func.grad(lambda o, y: loss(o, y)["nll"]))(out, k)
    torch.testing.assert_close(slopes, (out.exp() - k) / 2)


def test_slopes_are_the_gradient_and_the_value_is_kept_to_the_last_bit():
    x = torch.tensor([0.1, 0.2], requires_grad=True)
    values = torch.tensor([[0.3, 1e-9], [7.0, 3.0]])
    total = with_slopes(values, (x, values))
    total.backward()
    assert total.item() == values.mean().item()
    torch.testing.assert_close(x.grad, values.sum(0) / 4)


@pytest.mark.parametrize("name", COSTS)
def test_beyond_the_ceiling_the_cost_is_its_tangent(name):
    loss, k = build(name, 1), torch.tensor([[3.0]], dtype=D)
    loss.prepare(torch.tensor([[3.0], [2.0], [4.0]], dtype=D))
    loss.log_mean.zero_()

    def at(value):
        out = torch.tensor([[value]], dtype=D, requires_grad=True)
        nll = loss(out, k)["nll"]
        nll.backward()
        return float(nll.detach()), float(out.grad)

    (one, slope), (two, far) = at(CEILING + 1.0), at(CEILING + 3.0)
    assert slope == far and two - one == pytest.approx(2 * slope, rel=1e-9)
