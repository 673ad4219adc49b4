"""Conformal intervals: ranks by a slow loop, crepes, coverage on new data whatever the network says."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from dlthink.calibration.conformal import quantiles_of
from dlthink.calibration.conformity import LEVELS, SHARES, NormalizedResidual, QuantileError
from dlthink.losses.reals.crps import CRPS
from dlthink.losses.reals.gaussian_nll import GaussianNLL
from dlthink.losses.reals.mse import MSE
from dlthink.losses.reals.quantile import Quantile


def wrong(n, seed, targets=1):
    """Targets whose noise has heavy tails and depends on x; the network says it depends the other way."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.5, 2, (n, targets))
    out = np.stack([rng.normal(size=(n, targets)), 1 - x], -1).reshape(n, -1)
    y = out[:, ::2] + 0.7 * x * rng.standard_t(4, size=(n, targets))
    return torch.tensor(out).float(), torch.tensor(y).float()


def interval(read, share):
    ends = [torch.full_like(read["mean"], 0.5 + side * share / 2) for side in (-1, 1)]
    return [read["distribution"].icdf(end) for end in ends]


@pytest.mark.parametrize("n", [9, 100, 2000])
def test_ranks_are_those_of_a_slow_loop(n):
    scores = torch.rand(n, 2, len(SHARES), dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    scores[: n // 3, 1] = math.nan
    found = quantiles_of(scores, NormalizedResidual)
    for target in range(2):
        for place, share in enumerate(SHARES.tolist()):
            known = sorted(s for s in scores[:, target, place].tolist() if not math.isnan(s))
            rank = math.ceil(round((len(known) + 1) * share, 9))
            if rank <= len(known):
                last, reached = share, known[rank - 1]
                assert found[target, place] == reached
            else:
                wider = stats.norm.ppf((1 + share) / 2) / stats.norm.ppf((1 + last) / 2)
                assert float(found[target, place]) == pytest.approx(reached * wider)


def test_intervals_are_those_of_crepes():
    crepes = pytest.importorskip("crepes")
    out, y = wrong(500, 0)
    new, _ = wrong(50, 1)
    plain, loss = GaussianNLL(1), GaussianNLL(1, calibrate="conformal")
    loss.fit_on_validation(out, y)
    said, later = plain.predict(out), plain.predict(new)
    theirs = crepes.ConformalRegressor().fit((y - said["mean"]).numpy()[:, 0], sigmas=said["std"].numpy()[:, 0])
    for share in (0.5, 0.8, 0.9, 0.95):
        ends = theirs.predict_int(later["mean"].numpy()[:, 0], sigmas=later["std"].numpy()[:, 0], confidence=share)
        ours = torch.cat(interval(loss.predict(new), share), 1)
        np.testing.assert_allclose(ours.numpy(), ends, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "make, members",
    [
        (GaussianNLL, False),
        (GaussianNLL, True),
        (MSE, False),
        (Quantile, False),
        pytest.param(CRPS, False, marks=pytest.mark.slow),
        pytest.param(Quantile, True, marks=pytest.mark.slow),
    ],
)
def test_coverage_holds_on_new_data(make, members):
    loss = make(1, calibrate="conformal")
    (out, y), (new, later) = wrong(4000, 0), wrong(4000, 1)
    if make is MSE:
        out, new = out[:, :1], new[:, :1]
    if make is Quantile:
        out, new = (one[:, :1].expand(-1, 9) for one in (out, new))
    if members:
        out, new = (torch.stack([one, one + 0.3], 1) for one in (out, new))
    loss.fit_on_validation(out, y)
    read = loss.predict(new)
    for share in (0.5, 0.8, 0.9, 0.95):
        low, high = interval(read, share)
        assert float(((later >= low) & (later <= high)).double().mean()) == pytest.approx(share, abs=0.02)
    assert torch.allclose(read["mean"], make(1).predict(new)["mean"], atol=1e-5)
    assert read["distribution"].log_prob(later).isfinite().all()


def test_each_target_has_its_own_and_what_is_missing_is_passed_over():
    out, y = wrong(1000, 0, targets=2)
    y[:, 1] *= 1.0
    y[:300, 1] = math.nan
    loss, alone = GaussianNLL(2, calibrate="conformal"), GaussianNLL(1, calibrate="conformal")
    loss.fit_on_validation(out, y)
    alone.fit_on_validation(out[300:, 2:], y[300:, 1:])
    assert torch.allclose(loss.recalibration.conformity[1], alone.recalibration.conformity[0])
    assert not torch.allclose(loss.recalibration.conformity[0], loss.recalibration.conformity[1])


def test_conformalized_quantiles_equal_a_slow_loop():
    loss = Quantile(1, levels=[0.05, 0.5, 0.95], calibrate="conformal")
    out, y = torch.randn(60, 3, generator=torch.Generator().manual_seed(0)), torch.linspace(-3, 3, 60)[:, None]
    loss.fit_on_validation(out, y)
    said = loss.distribution(out.double())
    low, high = (said.icdf(torch.full((60, 1), level, dtype=torch.float64)) for level in (0.05, 0.95))
    errors = sorted(max(float(a - b), float(b - c)) for a, b, c in zip(low, y, high, strict=True))
    shift = errors[math.ceil(61 * 0.9) - 1]
    assert float(loss.recalibration.conformity[0, SHARES.tolist().index(0.9)]) == pytest.approx(shift, rel=1e-5)
    ends = interval(loss.predict(out), 0.9)
    assert torch.allclose(ends[0], (low - shift).float(), atol=1e-4)
    assert torch.allclose(ends[1], (high + shift).float(), atol=1e-4)
    assert loss.conformity is QuantileError and len(LEVELS) == 2 * len(SHARES)


def test_before_anything_is_fitted_and_with_nothing_to_fit():
    out, y = wrong(50, 0)
    loss = GaussianNLL(1, calibrate="conformal")
    low, high = interval(loss.predict(out), 0.9)
    plain = interval(GaussianNLL(1).predict(out), 0.9)
    assert torch.allclose(low, plain[0], atol=1e-4) and torch.allclose(high, plain[1], atol=1e-4)
    before = loss.recalibration.conformity.clone()
    loss.fit_on_validation(out[:0], y[:0])
    assert torch.equal(loss.recalibration.conformity, before)
    assert set(loss.state_dict()) - set(GaussianNLL(1).state_dict()) == {"recalibration.conformity"}


@pytest.mark.parametrize("make", [GaussianNLL, Quantile])
def test_few_samples_of_validation_leave_a_density_beyond_them(make):
    """Of 30 none tells where 98 % lie: where the widest intervals were alike, log densities of -10,000 stood beyond."""
    loss, g = make(1, calibrate="conformal"), torch.Generator().manual_seed(0)
    fitted, later = (1.5 * torch.randn(n, 1, generator=g) for n in (30, 5000))
    width = loss.outputs_per_target
    loss.fit_on_validation(torch.zeros(30, width), fitted)
    distribution = loss.predict(torch.zeros(5000, width))["distribution"]
    assert float(-distribution.log_prob(later).mean()) < 2.2  # the true one has 1.82
    ends = [float(distribution.icdf(torch.full((5000, 1), level))[0]) for level in (0.95, 0.975, 0.99, 0.995)]
    assert all(b - a > 0.1 for a, b in pairwise(ends))
