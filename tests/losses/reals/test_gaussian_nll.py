"""dlthink.losses.reals.gaussian_nll against scipy and torch's own."""

import math

import pytest
import torch
from scipy import stats

from tests.losses.reals.made_outputs import build, sample, standardized


def test_equals_scipy_row_by_row():
    loss = build("gaussian_nll", spread="exp")
    out, y = sample(loss)
    z = standardized(y)
    slow = 0.0
    for i in range(40):
        for j in range(2):  # mean and spread of one target lie side by side
            mean, spread = float(out[i, 2 * j]), 1e-7 + (1 - 1e-7) * math.exp(float(out[i, 2 * j + 1]))
            slow -= stats.norm.logpdf(float(z[i, j]), mean, spread)
    assert float(loss(out, y)["nll"]) == pytest.approx(slow / 80, rel=1e-12)


def test_equals_torch_s_own():
    loss = build("gaussian_nll", targets=1)
    out, y = sample(loss, seed=1)
    _, spread = loss.mean_and_spread(out)
    own = torch.nn.functional.gaussian_nll_loss(out[:, :1], standardized(y), spread.square(), full=True, eps=1e-30)
    torch.testing.assert_close(loss(out, y)["nll"], own)


def test_in_the_units_of_y():
    loss = build("gaussian_nll")
    out, y = sample(loss, seed=2)
    predicted = loss.predict(out)
    mean, spread = loss.mean_and_spread(out)
    torch.testing.assert_close(predicted["mean"], y.mean(0) + y.std(0, correction=0) * mean)
    torch.testing.assert_close(predicted["std"], y.std(0, correction=0) * spread)
