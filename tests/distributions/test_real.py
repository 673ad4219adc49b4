"""The distributions of real numbers against scipy.stats, numerical integrals and sampling."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from dlthink.distributions.gamma import Gamma, log_norm, log_ratio_cost
from dlthink.distributions.huber import LeastFavourable
from dlthink.distributions.laplace import Laplace
from dlthink.distributions.lognormal import LogNormal
from dlthink.distributions.mixture import Mixture
from dlthink.distributions.normal import Normal
from dlthink.distributions.quantiles import Quantiles
from dlthink.distributions.student_t import StudentT, log_normalizer

D = torch.float64


def tensor(*values, dtype=D):
    return torch.tensor(values, dtype=dtype)


def distributions(dtype=D):
    """One of each family, batch [2, 1]."""
    loc, scale = tensor([0.3], [-2.0], dtype=dtype), tensor([0.5], [3.0], dtype=dtype)
    quantiles = tensor([[-2.0, -1.0, 0.5, 0.4, 3.0]], [[0.0, 0.1, 0.2, 0.7, 0.9]], dtype=dtype)
    many = tensor([[0.0], [1.0], [-4.0]], [[2.0], [2.0], [2.5]], dtype=dtype)
    return {
        "normal": Normal(loc, scale),
        "laplace": Laplace(loc, scale),
        "student": StudentT(torch.tensor(3.5, dtype=dtype), loc, scale),
        "lognormal": LogNormal(loc, scale / 4),
        "gamma": Gamma(loc, 4 / scale),
        "huber": LeastFavourable(loc, scale, torch.tensor([0.8], dtype=dtype)),
        "quantiles": Quantiles(quantiles, tensor(0.05, 0.2, 0.5, 0.7, 0.9, dtype=dtype)),
        "mixture": Mixture(Normal(many, 0.2 + many.abs())),
    }


FAMILIES = list(distributions())


@pytest.mark.parametrize("family", FAMILIES)
def test_density_cdf_moments_and_crps_are_of_one_law(family):
    """Each against a numerical integral of log_prob."""
    distribution = distributions()[family]
    std = distribution.stddev
    grid = torch.linspace(-1, 1, 200_001, dtype=D)
    for row in range(2):
        width = 3000 if family == "student" else 40
        x = distribution.mean[row, 0] + std[row, 0] * width * grid**3  # dense in the middle
        f = distribution.log_prob(x[:, None, None])[:, row, 0].exp()
        cdf = integrate.cumulative_trapezoid(f, x, initial=0)
        np.testing.assert_allclose(distribution.cdf(x[:, None, None])[:, row, 0], cdf, atol=3e-5)
        assert float(torch.trapezoid(f * x, x)) == pytest.approx(float(distribution.mean[row, 0]), abs=2e-4)
        second = float(torch.trapezoid(f * (x - distribution.mean[row, 0]) ** 2, x))
        assert second == pytest.approx(float(distribution.variance[row, 0]), rel=2e-2 if family == "student" else 1e-3)
        if hasattr(distribution, "crps"):
            y = distribution.mean[row, 0] + 0.7 * std[row, 0]
            step = (x >= y).double().numpy()
            slow = float(integrate.trapezoid((cdf - step) ** 2, x))
            assert float(distribution.crps(y.reshape(1, 1).expand(2, 1))[row, 0]) == pytest.approx(slow, rel=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, D])
@pytest.mark.parametrize("family", FAMILIES)
def test_icdf_undoes_cdf_far_into_both_tails(family, dtype):
    distribution = distributions(dtype)[family]
    p = torch.tensor([1e-6, 1e-4, 0.01, 0.2, 0.45, 0.5, 0.77, 0.99, 0.9999], dtype=dtype)[:, None, None]
    x = distribution.icdf(p)
    assert x.shape == (9, 2, 1)
    assert x.dtype == dtype
    assert (x.diff(dim=0) > 0).all()
    torch.testing.assert_close(distribution.cdf(x), p.expand_as(x), rtol=2e-4, atol=1e-7)
    assert distribution.icdf(torch.tensor(0.5, dtype=dtype)).shape == (2, 1)
    ends = distribution.icdf(torch.tensor([0.0, 1.0], dtype=dtype)[:, None, None])
    assert (ends[0] == (0 if family in ("lognormal", "gamma") else -math.inf)).all()
    assert (ends[1] == math.inf).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_moved_is_the_law_of_loc_plus_scale_x(family):
    distribution = distributions()[family]
    loc, scale = tensor(5.0), tensor(0.3)
    moved, x = distribution.affine(loc, scale), tensor([0.2], [1.1])
    torch.testing.assert_close(moved.mean, loc + scale * distribution.mean)
    torch.testing.assert_close(moved.stddev, scale * distribution.stddev)
    torch.testing.assert_close(moved.cdf(loc + scale * x), distribution.cdf(x))
    torch.testing.assert_close(moved.log_prob(loc + scale * x), distribution.log_prob(x) - scale.log())
    assert type(moved) is type(distribution)


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_follow_the_cdf(family):
    torch.manual_seed(0)
    distribution = distributions()[family]
    u = distribution.cdf(distribution.sample((4000,)))
    assert u.shape == (4000, 2, 1)
    for row in range(2):
        assert stats.kstest(u[:, row, 0].numpy(), "uniform").pvalue > 1e-3


def test_normal_and_laplace_are_scipy_s_in_the_tails_in_float32():
    x = torch.tensor([-12.0, -6.0, -1.0, 0.0, 2.0, 5.0])
    zero, one = torch.zeros(1), torch.ones(1)
    for distribution, oracle in ((Normal(zero, one), stats.norm), (Laplace(zero, one), stats.laplace)):
        np.testing.assert_allclose(distribution.cdf(x), oracle.cdf(x.double()), rtol=2e-5)
        p = torch.tensor([1e-30, 1e-9, 0.2, 0.9])
        np.testing.assert_allclose(distribution.icdf(p), oracle.ppf(p.double()), rtol=3e-6)


@pytest.mark.parametrize("df", [2.05, 2.5, 4.0, 7.3, 30.0, 200.0, 1e5])
def test_student_s_cdf_and_quantiles_are_scipy_s(df):
    distribution = StudentT(torch.tensor(df, dtype=D), torch.zeros(1, dtype=D), torch.ones(1, dtype=D))
    t = torch.cat((torch.linspace(-8, 8, 999, dtype=D), tensor(-1e3, -40.0, 25.0, 1e4)))
    np.testing.assert_allclose(distribution.cdf(t), stats.t.cdf(t, df), rtol=1e-6, atol=1e-300)
    np.testing.assert_allclose(distribution.cdf(t), stats.t.cdf(t, df), atol=1e-9)
    p = torch.cat((torch.linspace(0.001, 0.999, 777, dtype=D), tensor(1e-25, 1e-12, 1e-6, 1 - 1e-9)))
    np.testing.assert_allclose(distribution.icdf(p), stats.t.ppf(p, df), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(distribution.log_prob(t), stats.t.logpdf(t, df), rtol=1e-9, atol=1e-10)


def test_student_beyond_its_table_is_the_power_law():
    distribution = StudentT(torch.tensor(3.0, dtype=D), torch.zeros(1, dtype=D), torch.ones(1, dtype=D))
    np.testing.assert_allclose(distribution.cdf(tensor(-1e9)), stats.t.cdf(-1e9, 3), rtol=1e-8)
    assert distribution.cdf(tensor(math.nan)).isnan().all()
    assert distribution.cdf(tensor(-math.inf, math.inf)).tolist() == [0, 1]


def test_the_normalizer_is_two_lgammas():
    df = torch.logspace(-0.5, 4, 50, dtype=D, base=10)
    slow = [math.lgamma((v + 1) / 2) - math.lgamma(v / 2) - 0.5 * math.log(math.pi * v) for v in df.tolist()]
    np.testing.assert_allclose(log_normalizer(df), slow, atol=2e-11)


def test_mixture_moments_in_closed_form():
    """Equal parts N(0, 1) and N(4, 9): mean 2, variance (1 + 9) / 2 + 4."""
    distribution = Mixture(Normal(tensor([[0.0], [4.0]]), tensor([[1.0], [3.0]])))
    assert float(distribution.mean) == pytest.approx(2)
    assert float(distribution.variance) == pytest.approx(9)
    assert (float(distribution.aleatoric) ** 2, float(distribution.epistemic)) == (pytest.approx(5), pytest.approx(2))
    slow = math.log(0.5 * stats.norm.pdf(1, 0, 1) + 0.5 * stats.norm.pdf(1, 4, 3))
    assert float(distribution.log_prob(tensor([1.0]))) == pytest.approx(slow)


def test_quantiles_are_met_sorted_and_their_tails_join_without_a_jump():
    levels = tensor(0.1, 0.5, 0.8)
    distribution = Quantiles(tensor([1.0, 0.0, 3.0]), levels)
    torch.testing.assert_close(distribution.icdf(levels[:, None]), tensor([0.0], [1.0], [3.0]))
    inside, outside = distribution.log_prob(tensor(1e-9)), distribution.log_prob(tensor(-1e-9))
    torch.testing.assert_close(inside, outside, rtol=0, atol=1e-6)
    flat = Quantiles(torch.zeros(1, 3), levels.float())
    assert flat.log_prob(torch.tensor([0.0])).isfinite().all()
    assert flat.cdf(torch.tensor([1.0])) == 1


P = np.array([1e-12, 1e-6, 0.01, 0.3, 0.5, 0.9, 0.999, 1 - 1e-9])


@pytest.mark.parametrize("shape", [0.05, 0.7, 1.0, 7.99, 8.01, 30.0, 1e4, 1e8])
def test_gamma_is_scipy_s_in_bulk_and_tails(shape):
    distribution, oracle = Gamma(tensor(1.3), tensor(shape)), stats.gamma(shape, scale=math.exp(1.3) / shape)
    x = oracle.ppf(P)
    np.testing.assert_allclose(distribution.icdf(torch.tensor(P)), x, rtol=1e-9)
    x = torch.tensor(x[x > 1e-200])
    digits = 1e-12 + 1e-16 * shape**1.5
    np.testing.assert_allclose(distribution.log_prob(x), oracle.logpdf(x), rtol=1e-12, atol=100 * digits)
    np.testing.assert_allclose(distribution.cdf(x), oracle.cdf(x), rtol=1e-7 if shape > 1e5 else 1e-9)
    assert float(distribution.mean) == pytest.approx(oracle.mean(), rel=1e-14)
    assert float(distribution.stddev) == pytest.approx(oracle.std(), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-4, 0.01, 0.5, 1.0, 3.0])
def test_lognormal_is_scipy_s_in_bulk_and_tails(scale):
    distribution, oracle = LogNormal(tensor(0.4), tensor(scale)), stats.lognorm(scale, scale=math.exp(0.4))
    x = torch.tensor(oracle.ppf(P))
    np.testing.assert_allclose(distribution.icdf(torch.tensor(P)), x, rtol=1e-9)
    np.testing.assert_allclose(distribution.log_prob(x), oracle.logpdf(x), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(distribution.cdf(x), oracle.cdf(x), rtol=1e-8)
    assert float(distribution.mean) == pytest.approx(oracle.mean(), rel=1e-14)
    assert float(distribution.stddev) == pytest.approx(oracle.std(), rel=1e-7)


@pytest.mark.parametrize("made", [Gamma, LogNormal])
def test_positive_families_end_where_they_start_and_a_wild_mean_stays_a_number(made):
    distribution = made(tensor(0.2), tensor(1.5), tensor(1.0))
    assert distribution.log_prob(tensor(1.0, 0.0, -3.0)).tolist() == [-math.inf] * 3
    assert distribution.cdf(tensor(1.0, -3.0)).tolist() == [0, 0]
    mean = float(distribution.mean)
    at, below = distribution.crps(tensor(1.0, -4.0)).tolist()  # E|X - y| grows by one as y falls by one
    assert below == pytest.approx(at + 5) and mean - 1 > at > 0
    wild = made(torch.tensor([500.0]), torch.tensor([30.0]))
    assert bool(wild.mean.isfinite() and wild.stddev.isfinite())


@pytest.mark.parametrize("made", [Gamma, LogNormal])
def test_widened_keeps_the_mean_of_gamma_and_the_median_of_lognormal(made):
    distribution, factor = made(tensor(0.2), tensor(0.3)), tensor(1.7)
    wide = distribution.widened(factor)
    if made is Gamma:
        torch.testing.assert_close(wide.mean, distribution.mean)
        torch.testing.assert_close(wide.stddev, factor * distribution.stddev)
    else:
        torch.testing.assert_close(wide.icdf(tensor(0.5)), distribution.icdf(tensor(0.5)))
        torch.testing.assert_close(wide.scale, factor * distribution.scale)


def test_pieces_of_the_gamma_density_lose_no_digits_in_float32():
    e = torch.tensor([-30.0, -1.0, -0.31, -0.29, -1e-3, -1e-6, 1e-6, 1e-3, 0.29, 0.31, 1.0, 30.0])
    true = [math.expm1(x) - x if abs(x) > 0.1 else x * x / 2 * (1 + x / 3 + x * x / 12) for x in e.double().tolist()]
    np.testing.assert_allclose(log_ratio_cost(e), true, rtol=1e-6)
    beyond = log_ratio_cost(torch.tensor([20.0, 21.0, 1e4]), ceiling=20.0)
    assert bool(beyond.isfinite().all()) and float(beyond[1] - beyond[0]) == pytest.approx(math.expm1(20), rel=1e-6)
    k = torch.logspace(-6, 12, 200)
    slow = [float(math.lgamma(x) - x * math.log(x) + x) if x < 1e3 else 0.5 * math.log(2 * math.pi / x) + 1 / (12 * x)
            for x in k.double().tolist()]  # fmt: skip
    np.testing.assert_allclose(log_norm(k), slow, rtol=2e-6, atol=2e-6)
