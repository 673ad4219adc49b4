"""dlthink.losses.reals.laplace_nll against scipy."""

import math

import pytest
import torch
from scipy import stats

from tests.losses.reals.made_outputs import build, sample, standardized


def test_equals_scipy_row_by_row():
    loss = build("laplace_nll", spread="square")
    out, y = sample(loss)
    z = standardized(y)
    slow = 0.0
    for i in range(40):
        for j in range(2):
            b = 1e-7 + (1 - 1e-7) * (float(out[i, 2 * j + 1]) + 1) ** 2
            slow -= stats.laplace.logpdf(float(z[i, j]), float(out[i, 2 * j]), b)
    assert float(loss(out, y)["nll"]) == pytest.approx(slow / 80, rel=1e-12)


def test_the_std_it_reads_out_is_the_scale_times_root_two():
    loss = build("laplace_nll")
    out, y = sample(loss, seed=1)
    _, scale = loss.mean_and_spread(out)
    torch.testing.assert_close(loss.predict(out)["std"], math.sqrt(2) * scale * y.std(0, correction=0))
