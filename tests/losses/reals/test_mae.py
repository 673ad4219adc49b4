"""dlthink.losses.reals.mae against a slow loop and scipy."""

import pytest
import torch
from scipy import stats

from tests.losses.reals.made_outputs import build, sample, standardized


def test_equals_a_loop():
    loss = build("mae")
    out, y = sample(loss)
    z = standardized(y)
    slow = sum(abs(float(out[i, j]) - float(z[i, j])) for i in range(40) for j in range(2))
    assert float(loss(out, y)["mae"]) == pytest.approx(slow / 80, rel=1e-12)


def test_its_global_law_is_a_laplace_with_the_mean_absolute_residual():
    loss = build("mae")
    out, y = sample(loss, seed=1)
    loss.fit_on_validation(out, y)
    scale = (out - standardized(y)).abs().mean(0)
    torch.testing.assert_close(loss.spread, scale, rtol=1e-6, atol=0)
    predicted = loss.predict(out)
    slow = stats.laplace.logpdf(y, predicted["mean"], loss.std * scale)
    torch.testing.assert_close(predicted["distribution"].log_prob(y), torch.as_tensor(slow), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(predicted["std"], (2**0.5 * loss.std * scale).expand_as(y), rtol=1e-6, atol=0)
