"""Targets that nobody has measured, nan in y: every cost is that of what is known, and learns from it alone."""

import math

import pytest
import torch

from dlthink.errors import BadInput
from tests.losses.reals.made_outputs import COSTS, build, sample

ALL = pytest.mark.parametrize("name", list(COSTS))
MEMBERS = pytest.mark.parametrize("members", [None, 3])


def with_gaps(y):
    """Some of the first target, more of the second, and one sample of which nothing is known."""
    y = y.clone()
    y[::5, 0] = y[1::2, 1] = y[3] = math.nan
    return y


def one_by_one(loss, name, out, y):
    """The terms as means over a list of single values, each asked of a cost of one target."""
    found = {}
    for target in range(y.shape[1]):
        single = build(name, targets=1)
        for own, whole in zip(single.buffers(), loss.buffers(), strict=True):
            if own.shape != whole.shape:
                own.copy_(whole[target])
        width = loss.outputs_per_target
        for row in (~y[:, target].isnan()).nonzero()[:, 0].tolist():
            answer = out[row : row + 1, ..., target * width : (target + 1) * width]
            for term, value in single.eval()(answer, y[row : row + 1, target : target + 1]).items():
                found.setdefault(term, []).append(value)
    return {term: torch.stack(values).mean() for term, values in found.items()}


@ALL
@MEMBERS
@pytest.mark.parametrize("training", [True, False])
def test_the_cost_is_the_mean_over_what_is_known(name, members, training):
    loss = build(name)
    out, y = sample(loss, 15, members)
    y = with_gaps(y)
    loss.prepare(y)
    loss.train(training)
    terms, slow = loss(out, y), one_by_one(loss, name, out, y)
    assert terms.keys() == slow.keys()
    for term in terms:
        torch.testing.assert_close(terms[term], slow[term])


@ALL
@MEMBERS
def test_what_is_missing_teaches_nothing(name, members):
    loss = build(name)
    out, y = sample(loss, 15, members)
    y = with_gaps(y)
    loss.prepare(y)
    loss.gradient_stopped = True  # which faithful asks for
    sum(loss(out.requires_grad_(), y).values()).backward()
    slope = out.grad.unflatten(-1, (2, loss.outputs_per_target)).abs().sum(-1)
    slope = slope if members is None else slope.sum(1)
    assert slope.isfinite().all()
    assert torch.equal(slope == 0, y.isnan())


@ALL
def test_a_batch_of_which_nothing_is_known_costs_nothing(name):
    loss = build(name)
    out, y = sample(loss, 4)
    loss.gradient_stopped = True
    loss.gaps = True
    terms = loss(out.requires_grad_(), torch.full_like(y, math.nan))
    assert all(value == 0 for value in terms.values())
    sum(terms.values()).backward()
    assert not out.grad.any()


@ALL
@pytest.mark.parametrize("members, calibrate", [(None, "none"), (3, "scale")])
def test_each_target_is_fitted_on_its_own_rows(name, members, calibrate):
    loss = build(name, calibrate=calibrate)
    out, y = sample(loss, 60, members)
    y = with_gaps(y)
    loss.prepare(y)
    loss.fit_on_validation(out, y)
    width = loss.outputs_per_target
    for target in (0, 1):
        known = ~y[:, target].isnan()
        single = build(name, targets=1, calibrate=calibrate)
        single.prepare(y[known, target : target + 1])
        torch.testing.assert_close(single.mean[0], loss.mean[target])
        torch.testing.assert_close(single.std[0], loss.std[target])
        single.fit_on_validation(out[known][..., target * width : (target + 1) * width], y[known, target : target + 1])
        if calibrate == "scale":
            factors = single.recalibration.factor[0], loss.recalibration.factor[target]
            torch.testing.assert_close(*factors, rtol=1e-5, atol=0)
        if hasattr(loss, "spread") and isinstance(loss.spread, torch.Tensor):
            torch.testing.assert_close(single.spread[0], loss.spread[target], rtol=1e-5, atol=0)


@ALL
def test_isotonic_frequencies_are_those_of_what_is_known(name):
    loss, complete = build(name, calibrate="isotonic"), build(name, calibrate="isotonic")
    out, y = sample(loss, 200)
    complete.prepare(y)
    out = torch.cat([0.3 * out, torch.randn_like(out)])
    complete.fit_on_validation(out[:200], y)
    loss.fit_on_validation(out, torch.cat([y, torch.full_like(y, math.nan)]))
    torch.testing.assert_close(loss.recalibration.mass, complete.recalibration.mass)
    assert not torch.equal(loss.recalibration.mass, build(name, calibrate="isotonic").recalibration.mass)


@ALL
def test_a_target_that_validation_lacks_keeps_its_spread(name):
    loss = build(name, calibrate="scale")
    out, y = sample(loss, 30)
    y[:, 1] = math.nan
    loss.fit_on_validation(out, y)
    assert loss.recalibration.factor[1] == 1 != loss.recalibration.factor[0]
    assert all(value.isfinite().all() for value in loss.predict(out).values() if isinstance(value, torch.Tensor))


def test_a_target_without_any_value_is_refused():
    loss = build("mse")
    with pytest.raises(BadInput, match="target 1 has no value in training"):
        loss.prepare(torch.tensor([[1.0, math.nan], [2.0, math.nan]], dtype=torch.float64))


def test_a_target_that_never_changes_where_it_is_known():
    loss = build("mse")
    loss.prepare(torch.tensor([[1.0, math.nan], [2.0, 7.0], [4.0, 7.0]], dtype=torch.float64))
    assert loss.std[1] == 1 and loss.mean[1] == 7


def test_complete_targets_cost_what_they_cost_without_a_look_at_gaps():
    loss = build("gaussian_nll")
    out, y = sample(loss)
    assert not loss.gaps
    quick = loss(out, y)["nll"]
    loss.gaps = True
    torch.testing.assert_close(loss(out, y)["nll"], quick)
