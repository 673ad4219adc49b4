"""Counts of millions: cdf, quantiles and RPS against scipy and sums one by one, in few evaluations."""

import numpy as np
import pytest
import torch
from scipy import stats

from dlthink.distributions.com_poisson import ComPoisson
from dlthink.distributions.generalized_poisson import GeneralizedPoisson
from dlthink.distributions.negative_binomial import NegativeBinomial
from dlthink.distributions.poisson import Poisson
from dlthink.distributions.zero_inflated import ZeroInflated

D = torch.float64
LEVELS = torch.tensor([1e-9, 0.01, 0.2, 0.5, 0.9, 0.999, 1 - 1e-9], dtype=D).view(-1, 1)


def tensor(*values):
    return torch.tensor(values, dtype=D)


FAMILIES = {
    "poisson": lambda: Poisson(tensor(12_000.0)),
    "negative_binomial": lambda: NegativeBinomial(tensor(12_000.0), tensor(0.01)),
    "generalized_poisson": lambda: GeneralizedPoisson(tensor(12_000.0), tensor(2e-4)),
    "generalized_poisson_less": lambda: GeneralizedPoisson(tensor(12_000.0), tensor(-2e-5)),
    "com_poisson": lambda: ComPoisson(tensor(12_000.0), tensor(0.4)),
    "com_poisson_less": lambda: ComPoisson(tensor(12_000.0), tensor(40.0)),
    "zero_inflated": lambda: ZeroInflated(NegativeBinomial(tensor(12_000.0), tensor(1e-3)), tensor(-1.0)),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_equals_sums_one_by_one(family):
    distribution = FAMILIES[family]()
    k = torch.arange(40_000, dtype=D)
    below = distribution.log_prob(k).exp().cumsum(0)
    at = tensor(0, 9_999, 10_000, 10_001, 11_000, 11_990, 12_000, 12_100, 13_000, 30_000)
    torch.testing.assert_close(distribution.cdf(at), below[at.long()], rtol=0, atol=1e-8)
    for y in (0.0, 9_000.0, 11_999.0, 12_100.0, 30_000.0):
        score = (below - (k >= y).to(D)).square().sum()
        torch.testing.assert_close(distribution.crps(tensor(y)), score[None], rtol=1e-6, atol=0)
    levels = LEVELS[1:-1, 0]
    assert (distribution.icdf(levels) - torch.searchsorted(below, levels)).abs().max() <= 1


@pytest.mark.parametrize("mean, dispersion", [(5e6, 1e-7), (5e6, 0.5), (3e5, 3.0), (2.0, 0.5), (5e6, 1e-14)])
def test_negative_binomial_counts_of_0_to_millions_equal_scipys(mean, dispersion):
    distribution = NegativeBinomial(tensor(mean), tensor(dispersion))
    peer = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean))
    if dispersion < 1e-12:
        peer = stats.poisson(mean)
    k = torch.cat((tensor(0, 10_000, 5e6), torch.from_numpy(peer.ppf(LEVELS[:, 0].numpy()))))
    np.testing.assert_allclose(distribution.cdf(k), peer.cdf(k.numpy()), rtol=0, atol=2e-8)
    off = (distribution.icdf(LEVELS[:, 0]).numpy() - peer.ppf(LEVELS[:, 0].numpy())) / peer.std()
    assert abs(off[1:-1]).max() < 1e-4 and abs(off).max() < 0.01


def test_few_places_stand_for_millions_of_counts(monkeypatch):
    asked = []
    plain = NegativeBinomial.log_pmf

    def counted(distribution, k):
        asked.append(max(k.numel(), len(k) * distribution.batch_shape.numel()))
        return plain(distribution, k)

    monkeypatch.setattr(NegativeBinomial, "log_pmf", counted)
    distribution = NegativeBinomial(tensor(5e6, 2e6), tensor(1e-6, 2.0))
    distribution.cdf(tensor(5e6, 3e6))
    distribution.icdf(tensor(0.9, 0.1))
    distribution.crps(tensor(5e6, 1e4))
    assert sum(asked) < 60_000
