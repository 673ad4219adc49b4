"""dlthink.losses.reals.crps against the integral that defines it."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from tests.losses.reals.made_outputs import build, sample, standardized


@pytest.mark.parametrize("family, oracle", [("normal", stats.norm), ("laplace", stats.laplace)])
def test_equals_the_integral(family, oracle):
    loss = build("crps", family=family)
    out, y = sample(loss, 6)
    mean, spread = loss.mean_and_spread(out)
    z = standardized(y)
    slow = 0.0
    for m, s, t in zip(*(x.flatten().tolist() for x in (mean, spread, z)), strict=True):
        left, _ = integrate.quad(lambda x, m=m, s=s: oracle.cdf(x, m, s) ** 2, -np.inf, t)
        right, _ = integrate.quad(lambda x, m=m, s=s: oracle.sf(x, m, s) ** 2, t, np.inf)
        slow += left + right
    assert float(loss(out, y)["crps"]) == pytest.approx(slow / 12, rel=1e-6)


@pytest.mark.parametrize("family", ["normal", "laplace"])
def test_equals_that_of_the_distribution_it_reads_out(family):
    loss = build("crps", family=family)
    out, y = sample(loss, seed=1)
    own = (loss.predict(out)["distribution"].crps(y) / loss.std).mean()
    torch.testing.assert_close(loss(out, y)["crps"], own)


@pytest.mark.parametrize("family", ["normal", "laplace"])
def test_without_spread_it_is_the_absolute_error(family):
    loss = build("crps", family=family, targets=1)
    out = torch.tensor([[0.5, -40.0]], dtype=torch.float64)
    assert float(loss(out, torch.zeros(1, 1).double())["crps"]) == pytest.approx(0.5, rel=1e-6)
