"""Recalibration makes coverage right where the predicted spread is wrong."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Distribution

from dlthink.calibration.isotonic import frequencies
from dlthink.calibration.maximum_likelihood import highest
from dlthink.calibration.scale import most_likely_factor
from dlthink.distributions.laplace import Laplace
from dlthink.distributions.lognormal import LogNormal
from dlthink.distributions.mixture import Mixture
from dlthink.distributions.normal import Normal
from dlthink.distributions.recalibrated import KNOTS, Recalibrated, identity
from dlthink.losses.reals.gaussian_nll import GaussianNLL
from dlthink.losses.reals.laplace_nll import LaplaceNLL

D = torch.float64


def coverage(distribution: Distribution, y: torch.Tensor, nominal: float) -> float:
    p = torch.tensor([0.5 - nominal / 2, 0.5 + nominal / 2], dtype=y.dtype)[:, None, None]
    low, high = distribution.icdf(p)
    return float(((y >= low) & (y <= high)).double().mean())


def heavy(n=20_000, seed=0, width=1.0):
    """Targets scatter as `width` times Student's t with 3 df about a known mean; the network says spread 1."""
    rng = np.random.default_rng(seed)
    mean = torch.tensor(rng.normal(size=(n, 1)), dtype=torch.float32)
    y = mean + width * torch.tensor(rng.standard_t(3, size=(n, 1)), dtype=torch.float32)
    return torch.cat((mean, torch.zeros(n, 1)), 1), y


@pytest.mark.parametrize("width", [0.1, 0.5, 3.0])
def test_scale_finds_the_factor_of_a_gaussian(width):
    g = torch.Generator().manual_seed(0)
    z = width * torch.randn(20_000, 2, generator=g, dtype=D)
    factor = most_likely_factor(lambda f: Normal(torch.zeros_like(z), f.expand_as(z)), z)
    torch.testing.assert_close(factor, z.square().mean(0).sqrt(), rtol=2e-3, atol=0)
    z[:20] = 1e4  # one in a thousand is wild: the root mean square would be 300
    robust = most_likely_factor(lambda f: Normal(torch.zeros_like(z), f.expand_as(z)), z)
    torch.testing.assert_close(robust, factor, rtol=2e-2, atol=0)


def test_scale_widens_each_target_about_its_own_mean():
    """Wherever the means lie, and whatever the other target needs."""
    g = torch.Generator().manual_seed(3)
    mean, width = 5 * torch.randn(20_000, 2, generator=g, dtype=D) + 30, torch.tensor([0.5, 3.0], dtype=D)
    z = mean + width * torch.randn(20_000, 2, generator=g, dtype=D)
    factor = most_likely_factor(lambda f: Normal(mean, f.expand_as(z)), z)
    torch.testing.assert_close(factor, (z - mean).square().mean(0).sqrt(), rtol=2e-3, atol=0)


def test_scale_corrects_coverage_on_new_data():
    g = torch.Generator().manual_seed(1)
    spread = 0.2 + torch.rand(20_000, 1, generator=g)
    y = 2.5 * spread * torch.distributions.Laplace(0.0, 1.0).icdf(torch.rand(20_000, 1, generator=g))
    out = torch.cat((torch.zeros_like(spread), torch.expm1(spread).log() - math.log(math.e - 1)), 1)
    loss = LaplaceNLL(1, calibrate="scale")
    half = 10_000
    assert coverage(loss.predict(out[half:])["distribution"], y[half:], 0.9) < 0.65
    loss.fit_on_validation(out[:half], y[:half])
    predicted = loss.predict(out[half:])
    assert float(loss.recalibration.factor) == pytest.approx(2.5, rel=0.03)
    for nominal in (0.5, 0.8, 0.9, 0.95):
        assert coverage(predicted["distribution"], y[half:], nominal) == pytest.approx(nominal, abs=0.015)
    torch.testing.assert_close(predicted["std"], loss.recalibration.factor * LaplaceNLL(1).predict(out[half:])["std"])
    torch.testing.assert_close(predicted["mean"], out[half:, :1])


@pytest.mark.parametrize("width, members", [(0.3, None), (1.5, None), pytest.param(1.5, 3, marks=pytest.mark.slow)])
def test_isotonic_corrects_coverage_where_the_family_is_wrong(width, members):
    out, y = heavy(width=width)
    if members:
        out = out[:, None, :] + torch.tensor([-0.1, 0.0, 0.1])[:, None]
    half = 10_000
    plain, loss = GaussianNLL(1), GaussianNLL(1, calibrate="isotonic")
    before = loss.predict(out[half:])["distribution"]
    assert coverage(before, y[half:], 0.9) == coverage(plain.predict(out[half:])["distribution"], y[half:], 0.9)
    assert abs(coverage(before, y[half:], 0.8) - 0.8) > 0.1
    loss.fit_on_validation(out[:half], y[:half])
    predicted = loss.predict(out[half:])
    after = predicted["distribution"]
    for nominal in (0.5, 0.8, 0.9, 0.95, 0.99):
        assert coverage(after, y[half:], nominal) == pytest.approx(nominal, abs=0.015)
    gained = after.log_prob(y[half:]).mean() - plain.predict(out[half:])["distribution"].log_prob(y[half:]).mean()
    assert gained > 0.2
    torch.testing.assert_close(predicted["mean"], plain.predict(out[half:])["mean"])
    assert predicted["std"].isfinite().all()
    if members:
        torch.testing.assert_close(predicted["std"] ** 2, predicted["aleatoric"] ** 2 + predicted["epistemic"] ** 2)


def test_on_calibrated_data_isotonic_changes_little():
    g = torch.Generator().manual_seed(2)
    y = torch.randn(40_000, 1, generator=g)
    out = torch.zeros(40_000, 2)
    plain, loss = GaussianNLL(1), GaussianNLL(1, calibrate="isotonic")
    loss.fit_on_validation(out[:20_000], y[:20_000])
    predicted = loss.predict(out[20_000:])
    lost = plain.predict(out[20_000:])["distribution"].log_prob(y[20_000:]) - predicted["distribution"].log_prob(
        y[20_000:]
    )
    assert float(lost.mean()) < 0.005
    assert float(predicted["std"].mean()) == pytest.approx(1, abs=0.02)


def recalibrated(dtype=D, seed=3):
    out, y = heavy(seed=seed)
    mass = frequencies(Normal(out[:, :1].double(), torch.ones_like(y).double()).cdf(y.double()))
    return Recalibrated(Normal(torch.zeros(2, 1, dtype=D), torch.tensor([[1.0], [2.0]], dtype=D)), mass)


def test_recalibrated_density_cdf_quantiles_and_moments_are_of_one_law():
    distribution = recalibrated()
    x = torch.linspace(-40, 40, 800_001, dtype=D)
    f = distribution.log_prob(x[:, None, None]).exp()
    cdf = distribution.cdf(x[:, None, None])
    mass = torch.cumulative_trapezoid(f, x, dim=0)
    torch.testing.assert_close(mass, cdf[1:], rtol=0, atol=2e-4)
    assert (cdf.diff(dim=0) >= 0).all()
    p = torch.tensor([1e-9, 1e-5, 0.03, 0.4, 0.9, 1 - 1e-6], dtype=D)[:, None, None]
    torch.testing.assert_close(distribution.cdf(distribution.icdf(p)), p.expand(6, 2, 1), rtol=1e-6, atol=1e-12)
    q = distribution.icdf(((torch.arange(400_000, dtype=D) + 0.5) / 400_000)[:, None, None])
    torch.testing.assert_close(distribution.mean, q.mean(0), rtol=0, atol=2e-3)
    torch.testing.assert_close(distribution.stddev, q.std(0), rtol=5e-3, atol=0)
    step = (x[:, None, None] >= 0.6).double()
    slow = torch.trapezoid((cdf - step).square(), x, dim=0)
    torch.testing.assert_close(distribution.crps(torch.full((2, 1), 0.6, dtype=D)), slow, rtol=2e-3, atol=0)


def test_the_spread_of_a_very_skewed_one_is_a_number():
    """Of a log-normal whose log scatters by 4.7 one cell holds all: less Sheppard's correction that was below 0."""
    wide = Recalibrated(LogNormal(torch.zeros(1, dtype=D), torch.tensor([4.7], dtype=D)), identity())
    assert wide.stddev.isfinite().all() and (wide.stddev > 0).all()


def test_an_untouched_map_is_the_identity_in_moments_and_in_float32():
    base = Mixture(Laplace(torch.tensor([[[0.0], [1.0]]], dtype=D), torch.ones(1, 2, 1, dtype=D)))
    distribution = Recalibrated(base, identity())
    torch.testing.assert_close(distribution.mean, base.mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(distribution.stddev, base.stddev, rtol=1e-3, atol=0)
    y = torch.tensor([-30.0, -8.0, 0.0, 9.0, 40.0])[:, None, None]
    assert distribution.log_prob(y).dtype == torch.float32
    torch.testing.assert_close(distribution.log_prob(y), base.log_prob(y.double()).float(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(distribution.cdf(y), base.cdf(y.double()).float(), rtol=1e-5, atol=1e-7)
    assert distribution.icdf(torch.tensor(0.0)).item() == -math.inf
    assert distribution.icdf(torch.tensor(1.0)).item() == math.inf


def test_frequencies_count_and_pass_over_what_is_too_rare():
    u = torch.cat((torch.full((50,), 1e-9), torch.linspace(0.021, 0.979, 450))).double()
    mass = frequencies(u)
    assert mass.shape == (64,)
    assert float(mass.sum()) == pytest.approx(1)
    assert (mass > 0).all()
    assert float(mass[:3].sum()) == pytest.approx(50 / 500, rel=1e-5)  # the tail is resolved
    torch.testing.assert_close(frequencies(u[:19]), identity())


def test_few_targets_between_two_knots_are_no_reason_for_a_bend():
    """9 beside 11 targets: one straight piece over both; 10 beside 10 are two pieces."""
    middle = (KNOTS[:-1] + KNOTS[1:]) / 2
    for few, pieces in ((9, 1), (10, 2)):
        counts = torch.tensor([few, 20 - few, *[30] * (len(middle) - 2)])
        mass = frequencies(middle.repeat_interleave(counts))
        slopes = mass[:2] / KNOTS.diff()[:2].float()
        assert (slopes[0] == pytest.approx(float(slopes[1]))) == (pieces == 1)


def test_golden_section_finds_the_root_mean_square():
    z = torch.tensor(stats.norm.rvs(size=(1000, 2), random_state=0), dtype=D) * torch.tensor([0.003, 50.0])

    def score(s):
        return Normal(torch.zeros_like(z), s.to(z).expand(2)).log_prob(z).mean(0)

    torch.testing.assert_close(highest(score, 1e-6, 1e3), z.square().mean(0).sqrt(), rtol=1e-6, atol=0)


def test_of_a_checkpoint_with_another_kind_everything_else_is_taken_and_it_begins_anew():
    out, y = heavy(200, width=3.0)
    scaled, isotonic = GaussianNLL(1, calibrate="scale"), GaussianNLL(1, calibrate="isotonic")
    scaled.prepare(y)
    scaled.fit_on_validation(out, y)
    isotonic.recalibration.factor.fill_(7.0)
    isotonic.load_state_dict(scaled.state_dict())
    assert torch.equal(isotonic.std, scaled.std) and float(scaled.std) != 1
    assert float(isotonic.recalibration.factor) == 7.0  # as it was
    same = GaussianNLL(1, calibrate="scale")
    same.load_state_dict(scaled.state_dict())
    assert torch.equal(same.recalibration.factor, scaled.recalibration.factor)
    GaussianNLL(1).load_state_dict(scaled.state_dict())
    with pytest.raises(RuntimeError, match="nonsense"):
        same.load_state_dict(scaled.state_dict() | {"nonsense": torch.ones(1)})
