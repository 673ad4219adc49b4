"""dlthink.losses.reals.student_t against scipy; its degrees of freedom learn."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from dlthink.errors import BadInput
from tests.losses.reals.made_outputs import best_answer, build, sample, standardized


@pytest.mark.parametrize("df", [None, 2.5, 4.0, 300.0])
def test_equals_scipy_row_by_row(df):
    loss = build("student_t", df=df)
    out, y = sample(loss)
    mean, scale = loss.mean_and_spread(out)
    z = standardized(y)
    slow = 0.0
    for i in range(40):
        for j in range(2):
            slow -= stats.t.logpdf(float(z[i, j]), df or float(loss.df.detach()), float(mean[i, j]), float(scale[i, j]))
    assert float(loss(out, y)["nll"].detach()) == pytest.approx(slow / 80, rel=1e-10)
    std = loss.predict(out)["std"]
    torch.testing.assert_close(std, torch.as_tensor(stats.t.std(df or float(loss.df.detach()))) * scale * loss.std)


def test_unless_given_df_is_one_weight_that_starts_at_five():
    loss = build("student_t")
    assert float(loss.df.detach()) == pytest.approx(5)
    assert [tuple(p.shape) for p in loss.parameters()] == [()]
    assert not list(build("student_t", df=3.0).parameters())
    assert float(build("student_t", df=3.0).df) == 3


def test_gradient_by_df_is_a_finite_difference():
    loss = build("student_t")
    out, y = sample(loss, seed=1)
    loss(out, y)["nll"].backward()
    costs = []
    for step in (-1e-6, 1e-6):
        with torch.no_grad():
            loss.freedom += step
            costs.append(float(loss(out, y)["nll"]))
            loss.freedom -= step
    assert float(loss.freedom.grad) == pytest.approx((costs[1] - costs[0]) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("df", [3.0, pytest.param(8.0, marks=pytest.mark.slow)])
def test_it_learns_the_degrees_of_freedom_of_its_targets(df):
    y = torch.tensor(np.random.default_rng(0).standard_t(df, size=(20_000, 1)))
    loss = build("student_t", targets=1)
    loss.prepare(y)
    out = best_answer(loss, y, loss.freedom)
    fitted, _, scale = stats.t.fit(y.numpy().ravel())
    assert float(loss.df.detach()) == pytest.approx(fitted, rel=1e-2)
    assert float(loss.mean_and_spread(out[None])[1] * loss.std) == pytest.approx(scale, rel=1e-2)


@pytest.mark.parametrize("df", [2.0, 0.5, math.inf, math.nan])
def test_refuses_a_df_without_variance(df):
    with pytest.raises(BadInput, match="df"):
        build("student_t", df=df)
