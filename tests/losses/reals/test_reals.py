"""What every cost of real numbers must do, whatever its formula."""

import math

import pytest
import torch
from torch.distributions import Distribution

from dlthink.errors import BadInput
from dlthink.losses.reals._reals import Reals
from dlthink.losses.reals._spread import WithSpread
from tests.losses.reals.made_outputs import COSTS, build, sample

ALL = pytest.mark.parametrize("name", list(COSTS))
LIKELIHOODS = ["gaussian_nll", "natural_gaussian", "laplace_nll", "student_t", "student_t_fixed", "lognormal", "gamma"]
COMPILED = {"student_t", "crps_laplace"}  # a likelihood and another: a compiler takes its time
LINKED = [name for name, (kind, _) in COSTS.items() if issubclass(kind, WithSpread)]


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize("members", [None, 3])
def test_a_likelihood_is_the_log_score_of_what_it_reads_out(name, members):
    """In nats per standardized target: the log of std makes the difference. One member at a time."""
    loss = build(name)
    out, y = sample(loss, members=members)
    each = [out] if members is None else out.unbind(1)
    scores = [loss.predict(o)["distribution"].log_prob(y).add(loss.std.log()).mean() for o in each]
    torch.testing.assert_close(loss(out, y)["nll"], -torch.stack(scores).mean())


@ALL
def test_the_cost_of_an_ensemble_is_the_mean_over_its_members(name):
    loss = build(name)
    out, y = sample(loss, members=3)
    together, alone = loss(out, y), [loss(o, y) for o in out.unbind(1)]
    for term, value in together.items():
        torch.testing.assert_close(value, torch.stack([a[term] for a in alone]).mean())


@ALL
def test_gradcheck(name):
    loss = build(name, spread="exp") if name in LINKED else build(name)
    out, y = sample(loss, 5)

    def cost(o):
        return sum(loss(o, y).values())

    if name in ("beta_nll", "faithful"):  # no gradient passes where a finite difference does: see their own tests
        return
    assert torch.autograd.gradcheck(cost, (out.requires_grad_(),))


@ALL
@pytest.mark.parametrize("members", [None, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("calibrate", ["none", pytest.param("scale", marks=pytest.mark.slow), "isotonic", "conformal"])
def test_read_keeps_its_promises(name, members, calibrate):
    loss = build(name, dtype=torch.float32, calibrate=calibrate)
    out, y = sample(loss, 60, members)
    loss.fit_on_validation(0.1 * out, y)
    predicted = loss.predict(out)
    names = {"mean", "std", "distribution"} | ({"aleatoric", "epistemic"} if members else set())
    assert set(predicted) == names
    for key in names - {"distribution"}:
        assert (predicted[key].shape, predicted[key].dtype) == ((60, 2), torch.float32), key
    distribution = predicted["distribution"]
    assert isinstance(distribution, Distribution)
    assert distribution.batch_shape == (60, 2)
    torch.testing.assert_close(distribution.stddev.float(), predicted["std"], rtol=1e-4, atol=0)
    if calibrate in ("none", "scale"):
        torch.testing.assert_close(distribution.mean, predicted["mean"], rtol=1e-4, atol=1e-3)
    for tensor in (distribution.log_prob(y), distribution.cdf(y), distribution.sample()):
        assert tensor.shape == (60, 2)
        assert tensor.isfinite().all()
    p = torch.tensor([0.05, 0.5, 0.95])[:, None, None]
    assert distribution.icdf(p).shape == (3, 60, 2)
    torch.testing.assert_close(distribution.cdf(distribution.icdf(p)), p.expand(3, 60, 2), rtol=0, atol=2e-4)
    assert distribution.icdf(torch.tensor(0.5)).shape == (60, 2)
    if members:
        torch.testing.assert_close(
            predicted["std"] ** 2, predicted["aleatoric"] ** 2 + predicted["epistemic"] ** 2, rtol=1e-4, atol=0
        )
        means = torch.stack([loss.predict(o)["mean"] for o in out.unbind(1)])
        torch.testing.assert_close(predicted["mean"], means.mean(0), rtol=1e-5, atol=1e-3)
        if calibrate == "none":
            torch.testing.assert_close(predicted["epistemic"], means.std(0, correction=0), rtol=1e-4, atol=1e-3)
            within = torch.stack([loss.predict(o)["std"] for o in out.unbind(1)])
            torch.testing.assert_close(predicted["aleatoric"], within.square().mean(0).sqrt(), rtol=1e-4, atol=0)


@ALL
def test_out_zero_predicts_the_training_mean_with_spread_one(name):
    loss = build(name)
    out, y = sample(loss)
    predicted = loss.predict(torch.zeros_like(out))
    if name == "quantile_few":  # lopsided levels
        assert (predicted["mean"] - y.mean(0)).abs().max() < 0.2 * loss.std.max()
        return
    if name == "lognormal":
        median = predicted["distribution"].icdf(torch.full_like(y, 0.5))
        torch.testing.assert_close(median, y.log().mean(0).exp().expand_as(y))
        return
    torch.testing.assert_close(predicted["mean"], y.mean(0).expand_as(y))
    if name in ("gaussian_nll", "beta_nll", "faithful", "natural_gaussian", "crps", "mse"):
        torch.testing.assert_close(predicted["std"], loss.std.expand_as(y))


@ALL
@pytest.mark.parametrize("calibrate", ["none", "isotonic", "conformal"])
def test_what_was_fitted_is_in_the_state_and_loads_strictly(name, calibrate):
    loss = build(name, dtype=torch.float32, calibrate=calibrate)
    out, y = sample(loss, 100)
    fresh = build(name, dtype=torch.float32, calibrate=calibrate)
    shapes = {key: tuple(t.shape) for key, t in fresh.state_dict().items()}
    loss.fit_on_validation(0.3 * out, y)
    assert {key: tuple(t.shape) for key, t in loss.state_dict().items()} == shapes
    fresh.load_state_dict(loss.state_dict())
    for a, b in ((loss, fresh), (loss, build(name, dtype=torch.float32, calibrate=calibrate))):
        same = torch.equal(a.predict(out)["distribution"].log_prob(y), b.predict(out)["distribution"].log_prob(y))
        assert same == (b is fresh)


@ALL
def test_settling_twice_is_settling_once(name):
    loss = build(name, dtype=torch.float32, calibrate="isotonic")
    out, y = sample(loss, 100)
    loss.fit_on_validation(out, y)
    once = {key: value.clone() for key, value in loss.state_dict().items()}
    loss.fit_on_validation(out, y)
    for key, value in loss.state_dict().items():
        torch.testing.assert_close(value, once[key], rtol=0, atol=0)


@ALL
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_outputs_are_costed_in_float32(name, half):
    loss = build(name, dtype=torch.float32)
    out, y = sample(loss)
    low = out.to(half).requires_grad_()
    with torch.autocast("cpu", half):
        terms = loss(low, y)
    sum(terms.values()).backward()
    assert low.grad.dtype == half
    assert loss.predict(low.detach())["mean"].dtype == torch.float32
    for term, value in loss(low.detach().float(), y).items():
        assert terms[term].dtype == torch.float32
        assert float(terms[term].detach()) == pytest.approx(float(value.detach()), rel=1e-5)


@ALL
def test_prepare_refuses_what_has_no_mean_and_names_the_cost(name):
    for y in (torch.zeros(0, 2), torch.tensor([[math.nan, 0]]), torch.tensor([[math.inf, 0]])):
        with pytest.raises(BadInput, match=f"loss={COSTS[name][0].__module__.split('.')[-1]}"):
            build(name).prepare(y)


@pytest.mark.parametrize(
    "name", [one if one in COMPILED else pytest.param(one, marks=pytest.mark.slow) for one in COSTS]
)
def test_compiles_in_one_graph(name):
    loss = build(name, dtype=torch.float32)
    out, y = sample(loss)
    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    a, b = out.clone().requires_grad_(), out.clone().requires_grad_()
    sum(loss(a, y).values()).backward()
    sum(compiled(b, y).values()).backward()
    torch.testing.assert_close(a.grad, b.grad)


@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("link", ["softplus", "exp", "square", "raw"])
def test_the_spread_s_link(name, link):
    loss = build(name, spread=link, targets=1)
    raw = torch.tensor([-3.0, -0.5, 0.0, 2.0], dtype=torch.float64)
    _, spread = loss.mean_and_spread(torch.stack((torch.zeros_like(raw), raw), 1))
    formula = {
        "softplus": [math.log1p((math.e - 1) * math.exp(r)) for r in raw.tolist()],
        "exp": raw.exp().tolist(),
        "square": [(r + 1) ** 2 for r in raw.tolist()],
        "raw": raw.tolist(),
    }
    assert spread.flatten().tolist() == pytest.approx(formula[link], rel=1e-5)
    if link != "raw":
        assert float(spread[2]) == 1
    assert hasattr(loss, "advice") == (link == "raw")


@pytest.mark.parametrize("name", [name for name in LINKED if not name.startswith("crps")])
def test_a_raw_negative_spread_fails_visibly(name):
    loss = build(name, spread="raw", targets=1, dtype=torch.float32)
    terms = loss(torch.tensor([[0.0, -0.2]]), torch.zeros(1, 1))
    assert any(value.isnan() for value in terms.values())
    assert "negative" in loss.advice
    loss.predict(torch.tensor([[0.0, -0.2]]))  # the rehearsal must get this far


def test_a_raw_negative_spread_makes_the_crps_fall_below_zero():
    for name in ("crps", "crps_laplace"):
        loss = build(name, spread="raw", targets=1)
        assert float(loss(torch.tensor([[0.0, -100.0]]).double(), torch.zeros(1, 1).double())["crps"]) < -10


@pytest.mark.parametrize("link", ["softplus", "exp", "square"])
@pytest.mark.parametrize("name", LINKED)
def test_extreme_answers_keep_cost_and_slope_finite(name, link):
    loss = build(name, spread=link, targets=1, dtype=torch.float32)
    for value in (-1e4, -100.0, -1.0, 100.0, 1e4):
        out = torch.tensor([[0.5, value], [value / 100, value]], requires_grad=True)
        terms = loss(out, torch.tensor([[0.01], [100.0]]))
        sum(terms.values()).backward()
        assert all(term.isfinite() for term in terms.values()), value
        assert out.grad.isfinite().all(), value


def test_every_cost_of_reals_is_on_the_list():
    def below(kind):
        return {k for sub in kind.__subclasses__() for k in {sub} | below(sub)}

    public = {k for k in below(Reals) if not k.__module__.split(".")[-1].startswith("_")}
    assert {k for k in public if k.__module__.startswith("dlthink")} == {kind for kind, _ in COSTS.values()}
    assert all("reals" in kind.targets for kind in public)
