"""The distributions of counts against scipy.stats, sums of their probabilities, and sampling."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from dlthink.distributions.categorical_counts import CategoricalCounts
from dlthink.distributions.com_poisson import ComPoisson
from dlthink.distributions.generalized_poisson import GeneralizedPoisson
from dlthink.distributions.negative_binomial import NegativeBinomial
from dlthink.distributions.poisson import Poisson
from dlthink.distributions.zero_inflated import ZeroInflated

D = torch.float64


def tensor(*values, dtype=D):
    return torch.tensor(values, dtype=dtype)


def distributions(dtype=D, rounded=D):
    """One of each family, batch [3, 2]; rounded: the numbers are those of this type."""

    def of(*values):
        return tensor(*values, dtype=rounded).to(dtype)

    mean = of([0.02, 0.3], [1.7, 4.0], [11.0, 60.0])
    few = of([0.02, 0.3], [1.7, 2.0], [0.5, 4.0])
    logits = torch.randn(3, 2, 9, generator=torch.Generator().manual_seed(0), dtype=D).to(rounded).to(dtype)
    return {
        "poisson": Poisson(mean),
        "negative_binomial": NegativeBinomial(mean, of(0.2, 1.5)),
        "generalized_poisson": GeneralizedPoisson(mean, of(0.05, 0.1)),
        "generalized_poisson_less": GeneralizedPoisson(few, of(-0.24, -0.11)),
        "com_poisson": ComPoisson(mean, of(0.4, 2.5)),
        "zero_inflated_poisson": ZeroInflated(Poisson(mean), of(-2.0, 1.0)),
        "zero_inflated": ZeroInflated(NegativeBinomial(mean, of(0.2)), of(-2.0, 1.0)),
        "categorical": CategoricalCounts(logits),
        "categorical_with_a_tail": CategoricalCounts(logits, of(0.5, 0.01)),
    }


def peers():
    """The same families in scipy, by float64 arrays of their parameters."""
    return {
        "poisson": lambda rate: stats.poisson(rate),
        "negative_binomial": lambda mean, dispersion: stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean)),
    }


FAMILIES = list(distributions())


def grid(distribution, most=3000):
    """Counts [most, 1, 1] and their probabilities [most, 3, 2]."""
    k = torch.arange(most, dtype=D).view(-1, 1, 1)
    return k, distribution.log_prob(k).exp()


@pytest.mark.parametrize("family", FAMILIES)
def test_probabilities_sum_to_one_and_have_the_stated_moments(family):
    distribution = distributions()[family]
    k, pmf = grid(distribution)
    mean = (k * pmf).sum(0)
    torch.testing.assert_close(pmf.sum(0), torch.ones(3, 2, dtype=D), rtol=0, atol=1e-11)
    torch.testing.assert_close(distribution.mean, mean, rtol=1e-10, atol=0)
    torch.testing.assert_close(distribution.variance, ((k - mean).square() * pmf).sum(0), rtol=1e-9, atol=0)
    assert distribution.stddev.dtype == D and distribution.batch_shape == (3, 2)


def test_poisson_counts_of_millions_need_no_sum():
    rate, k = tensor(2e4, 5e6, 5e6, 1e12), tensor(20_100, 5e6 - 3000, 5e6 + 1000, 1e12 + 1e6)
    np.testing.assert_allclose(Poisson(rate).cdf(k), stats.poisson(rate.numpy()).cdf(k.numpy()), atol=1e-8)


@pytest.mark.parametrize("family", list(peers()))
def test_equals_scipy_in_the_bulk_and_the_tails(family):
    distribution = distributions()[family]
    peer = peers()[family](*(one.numpy() for one in distribution.parameters))
    k = tensor(*range(12), 20, 50, 200, 1000, 10_000).view(-1, 1, 1)
    np.testing.assert_allclose(distribution.log_prob(k), peer.logpmf(k.numpy()), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(distribution.cdf(k), peer.cdf(k.numpy()), rtol=1e-11)
    p = tensor(1e-9, 0.01, 0.2, 0.5, 0.9, 0.999, 1 - 1e-9).view(-1, 1, 1)
    np.testing.assert_array_equal(distribution.icdf(p), peer.ppf(p.numpy()))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_cdf_and_the_rps_are_sums_of_the_probabilities(family):
    distribution = distributions()[family]
    k, pmf = grid(distribution)
    below = pmf.cumsum(0)
    at = torch.arange(40).view(-1, 1, 1)
    torch.testing.assert_close(distribution.cdf(at.to(D)), below[:40], rtol=1e-11, atol=0)
    for y in (0, 1, 5, 90, 2999):
        score = (below - (k >= y).to(D)).square().sum(0)
        torch.testing.assert_close(distribution.crps(tensor(float(y))), score, rtol=1e-9, atol=1e-9)
    apart = tensor(0.5, 2.5, 7.9).view(-1, 1, 1)  # between whole numbers the cdf is flat
    assert torch.equal(distribution.cdf(apart), distribution.cdf(apart.floor()))
    assert (distribution.cdf(tensor(-0.5)) == 0).all() and (distribution.log_prob(tensor(-1.0)) == -math.inf).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_icdf_is_the_smallest_count_that_reaches_p(family):
    distribution = distributions()[family]
    p = torch.linspace(0.001, 0.9999, 57, dtype=D).view(-1, 1, 1)
    k = distribution.icdf(p)
    assert (distribution.cdf(k) >= p - 1e-12).all() and (distribution.cdf(k - 1) < p).all() and (k == k.floor()).all()
    ends = distribution.icdf(tensor(0.0, 1.0).view(-1, 1, 1))
    assert (ends[0] == 0).all() and (ends[1] == math.inf).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_have_its_probabilities(family):
    torch.manual_seed(0)
    distribution = distributions()[family]
    drawn = distribution.sample((6_000,))
    assert drawn.shape == (6_000, 3, 2) and drawn.dtype == D and (drawn >= 0).all()
    for row in range(3):
        for column in range(2):
            k = drawn[:, row, column]
            seen = torch.bincount(k.long(), minlength=200)[:200].double()
            pmf = distribution.log_prob(torch.arange(200.0, dtype=D).view(-1, 1, 1)).exp()[:, row, column]
            often = 6_000 * pmf >= 8
            chi2 = ((seen - 6_000 * pmf).square() / (6_000 * pmf))[often].sum()
            assert stats.chi2.sf(float(chi2), int(often.sum())) > 1e-4


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_low_precision_parameters_give_what_float64_gives_of_them(family, dtype):
    low, same = distributions(dtype, dtype)[family], distributions(D, dtype)[family]
    k = tensor(0.0, 1.0, 7.0, 100.0, 10_000.0).view(-1, 1, 1)
    torch.testing.assert_close(low.log_prob(k), same.log_prob(k))
    single = low.log_prob(k.float())
    assert single.dtype == torch.float32 and low.cdf(k.float()).dtype == torch.float32
    torch.testing.assert_close(single, same.log_prob(k).float(), rtol=1e-6, atol=0)
    torch.testing.assert_close(low.crps(k.float()), same.crps(k).float(), rtol=1e-6, atol=1e-6)
    assert low.mean.dtype == dtype and low.sample().dtype == dtype and low.sample().shape == (3, 2)


@pytest.mark.parametrize("mean", [1e-6, 1.0, 10_000.0])
def test_a_negative_binomial_without_dispersion_is_poisson(mean):
    k = tensor(0.0, 1.0, 30.0, 9_900.0, 10_000.0)
    poisson = Poisson(tensor(mean))
    for dispersion in (0.0, 1e-300, 1e-14, 1e-10):
        distribution = NegativeBinomial(tensor(mean), tensor(dispersion))
        torch.testing.assert_close(
            distribution.log_prob(k), poisson.log_prob(k), rtol=1e-6, atol=0.01 * dispersion**0.5 + 1e-6
        )
        torch.testing.assert_close(distribution.variance, poisson.variance, rtol=1e-5, atol=0)
    assert NegativeBinomial(tensor(mean), tensor(0.0)).sample((9,)).isfinite().all()


def test_a_law_broadcasts_with_what_it_is_asked():
    distribution = NegativeBinomial(tensor([0.5], [3.0], [9.0]), tensor(0.1, 2.0))
    k = torch.arange(6, dtype=D).view(3, 2)
    each = [[NegativeBinomial(m, d) for d in tensor(0.1, 2.0)] for m in tensor(0.5, 3.0, 9.0)]
    for name in ("cdf", "log_prob", "crps"):
        alone = torch.stack([torch.stack([getattr(each[i][j], name)(k[i, j]) for j in range(2)]) for i in range(3)])
        torch.testing.assert_close(getattr(distribution, name)(k), alone)
    torch.testing.assert_close(distribution.icdf(k / 6)[2, 1], each[2][1].icdf(tensor(5 / 6))[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_many_are_asked_some_at_a_time_in_the_same_type(family, monkeypatch):
    distribution, k = distributions(torch.float32)[family], torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 7.0]])
    whole = distribution.log_prob(k)
    monkeypatch.setattr("dlthink.distributions.count.LARGE", 4)
    parts = distributions(torch.float32)[family].log_prob(k)
    assert parts.dtype == whole.dtype == torch.float32
    torch.testing.assert_close(parts, whole)
