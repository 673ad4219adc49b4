"""dlthink.losses.reals.quantile against sklearn's pinball; its quantiles never cross."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import mean_pinball_loss

from dlthink.errors import BadInput
from tests.losses.reals.made_outputs import build, sample, standardized


def test_equals_sklearn_level_by_level():
    loss = build("quantile", levels=[0.75, 0.125, 0.5])
    out, y = sample(loss)
    z = standardized(y)
    levels = [0.125, 0.5, 0.75]
    assert loss.levels.tolist() == levels
    slow = 0.0
    for j in range(2):
        for k, p in enumerate(levels):
            q = out[:, 3 * j + k] + float(loss.start[k])
            slow += mean_pinball_loss(z[:, j], q, alpha=p)
    assert float(loss(out, y)["pinball"]) == pytest.approx(slow / 6, rel=1e-12)


def test_out_zero_is_the_standard_gaussian_at_its_levels():
    loss = build("quantile", targets=1, dtype=torch.float32)
    distribution = loss.predict(torch.zeros(1, loss.outputs_per_target))["distribution"]
    p = loss.levels[:, None, None]
    np.testing.assert_allclose(distribution.icdf(p), stats.norm.ppf(p), rtol=1e-5)
    assert float(distribution.stddev) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("members", [None, 3])
def test_quantiles_never_cross_when_read(members):
    loss = build("quantile", dtype=torch.float32)
    out, y = sample(loss, members=members, seed=1)
    out = 5 * out  # far out of order
    distribution = loss.predict(out)["distribution"]
    p = torch.linspace(0.001, 0.999, 200)[:, None, None]
    assert (distribution.icdf(p).diff(dim=0) >= 0).all()
    grid = torch.linspace(float(y.min()), float(y.max()), 300)[:, None, None].expand(300, *y.shape)
    assert (distribution.cdf(grid).diff(dim=0) >= 0).all()


def test_the_mean_is_the_integral_of_the_quantile_function():
    loss = build("quantile", targets=1)
    out, _ = sample(loss, 3, seed=2)
    predicted = loss.predict(out)
    p = ((torch.arange(1_000_000, dtype=torch.float64) + 0.5) / 1_000_000)[:, None, None]
    q = predicted["distribution"].icdf(p)
    torch.testing.assert_close(predicted["mean"], q.mean(0), rtol=1e-5, atol=0)
    torch.testing.assert_close(predicted["std"], q.std(0), rtol=1e-3, atol=0)


def test_it_finds_the_quantiles_of_its_targets():
    y = torch.tensor(np.random.default_rng(0).gamma(2.0, size=(4000, 1)))
    loss = build("quantile", targets=1)
    loss.prepare(y)
    out = torch.zeros(loss.outputs_per_target, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([out], lr=0.02)
    for _ in range(400):
        optimizer.zero_grad()
        loss(out.expand(len(y), -1), y)["pinball"].backward()
        optimizer.step()
    distribution = loss.predict(out.detach()[None])["distribution"]
    np.testing.assert_allclose(
        distribution.icdf(loss.levels[:, None, None])[:, 0, 0], np.quantile(y, loss.levels), atol=0.06
    )


def test_the_width_follows_the_levels():
    assert build("quantile").outputs_per_target == 9
    assert build("quantile_few").outputs_per_target == 3


@pytest.mark.parametrize("levels", [[], [0.5], [0.2, 0.2], [0.0, 0.5], [0.5, 1.0], [-0.1, 0.5]])
def test_refuses_levels_that_are_none(levels):
    with pytest.raises(BadInput, match="levels"):
        build("quantile", levels=levels)
