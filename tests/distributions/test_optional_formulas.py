"""Distributions that know less than dlthink's own: beyond their support, as tables, by integrals; against scipy."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import distributions as torch_s

from dlthink.distributions.integrated import Integrated
from dlthink.distributions.negative_binomial import NegativeBinomial
from dlthink.distributions.numerical_fallback import completed
from dlthink.distributions.optional_formulas import log_prob
from dlthink.distributions.poisson import Poisson
from dlthink.distributions.tabulated import tabulated


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_beyond_its_support_a_value_has_no_probability():
    tosses, k = torch_s.Binomial(torch.tensor([3.0, 9.0]), probs=torch.tensor([0.5, 0.2])), torch.tensor([4.0, 4.0])
    said = log_prob(tosses, k)
    assert said[0] == -torch.inf and float(said[1]) == pytest.approx(stats.binom(9, 0.2).logpmf(4), rel=1e-5)
    assert (log_prob(tosses, torch.tensor([0.5, -1.0])) == -torch.inf).all()
    assert log_prob(torch_s.Gamma(numbers(2.0), numbers(1.0)), numbers(-1.0)) == -torch.inf


def test_a_table_is_the_distribution():
    mean, y = numbers([0.3, 6.0], [2.0, 20.0]), numbers([1, 3], [0, 25])
    few = NegativeBinomial(mean, numbers(0.05))
    for foreign, own in (
        (torch_s.Poisson(mean), Poisson(mean)),
        (torch_s.Poisson(mean.float()), Poisson(mean.float())),
        (torch_s.NegativeBinomial(20.0, mean / (20 + mean)), few),
    ):
        table = tabulated(foreign, mean.shape)
        for name in ("cdf", "crps", "log_prob"):
            torch.testing.assert_close(getattr(table, name)(y), getattr(own, name)(y), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(table.variance, own.variance.double(), rtol=1e-5, atol=0)
        some = tabulated(foreign, mean.shape, torch.tensor([3, 0]))
        torch.testing.assert_close(some.mean[:, 0], mean.flatten()[[3, 0]], rtol=1e-5, atol=0)


def test_a_distribution_that_no_table_holds_has_none(monkeypatch):
    monkeypatch.setattr("dlthink.distributions.tabulated.LARGEST", 20)
    monkeypatch.setattr("dlthink.distributions.tabulated.CELLS", 20)
    assert tabulated(torch_s.Poisson(numbers(30)), torch.Size((1,))) is None
    assert tabulated(object(), torch.Size((1,))) is None
    assert tabulated(torch_s.Poisson(numbers(1, 1, 1)), torch.Size((3,))) is None
    classes = tabulated(torch_s.Categorical(logits=torch.zeros(2, 5)), torch.Size((2,)))
    assert classes.mean.tolist() == [2, 2] and classes.variance.tolist() == pytest.approx([2, 2])


@pytest.mark.parametrize(
    "distribution, peer",
    [
        (torch_s.StudentT(numbers(3, 9), numbers(100, 0), numbers(2, 1)), stats.t([3, 9], [100, 0], [2, 1])),
        (torch_s.Gamma(numbers(0.3, 50), numbers(1, 2)), stats.gamma([0.3, 50], scale=[1, 0.5])),
        (torch_s.Beta(numbers(0.5, 9), numbers(0.4, 2)), stats.beta([0.5, 9], [0.4, 2])),
    ],
)
def test_an_integral_is_the_distribution(distribution, peer):
    integral, y = Integrated(distribution), torch.as_tensor(peer.ppf([0.2, 0.7]))
    np.testing.assert_allclose(integral.cdf(y), [0.2, 0.7], atol=5e-4)
    p = np.array([0.05, 0.5, 0.95])[:, None]
    np.testing.assert_allclose(
        integral.icdf(torch.as_tensor(p)).numpy() / peer.std(), peer.ppf(p) / peer.std(), atol=0.01
    )
    levels = (np.arange(4000) + 0.5)[:, None] / 4000
    q = peer.ppf(levels)
    slow = (2 * (levels - (y.numpy() < q)) * (y.numpy() - q)).mean(0)
    np.testing.assert_allclose(integral.crps(y), slow, rtol=0.01)


def test_what_a_family_has_itself_is_not_integrated():
    gamma, y = torch_s.Gamma(numbers(0.3, 50), numbers(1, 2)), numbers(0.2, 30)
    found = completed(gamma, y.shape)
    assert torch.equal(found.cdf(y), gamma.cdf(y)) and torch.equal(found.icdf(y / 90), Integrated(gamma).icdf(y / 90))
    assert torch.equal(found.log_prob(y), gamma.log_prob(y)) and torch.equal(found.stddev, gamma.stddev)
    for whole in (torch_s.Normal(0.0, 1.0), torch_s.Cauchy(0.0, 1.0), Poisson(y), None, object()):
        assert completed(whole, y.shape, whole=None) is whole


def test_what_cannot_be_integrated_is_nan():
    assert Integrated(torch_s.Cauchy(numbers(0), numbers(1))).cdf(numbers(0)).isnan().all()
    needles = torch_s.MixtureSameFamily(
        torch_s.Categorical(logits=torch.zeros(1, 2)), torch_s.Normal(numbers([[-1, 1]])[0], numbers([[1e-4, 1e-4]])[0])
    )
    assert Integrated(needles).crps(numbers(0)).isnan().all()
