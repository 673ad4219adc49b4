"""How counts scatter: PIT, KS test, RPS and dispersion against scipy and loops, and the sentence made of them."""

import numpy as np
import pytest
import torch
from scipy import stats

from dlthink.distributions.com_poisson import ComPoisson
from dlthink.distributions.negative_binomial import NegativeBinomial
from dlthink.distributions.poisson import Poisson
from dlthink.distributions.zero_inflated import ZeroInflated
from dlthink.metrics.counts.metrics import Counts
from dlthink.metrics.counts.noise import Noise, kolmogorov
from dlthink.metrics.counts.suggestion import suggestion
from dlthink.metrics.counts.table import TableCounts

UNITS = [str(unit) for unit in range(6)]


def means(n=4000, units=6, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.exp(0.6 * torch.randn(n, units, generator=g, dtype=torch.float64) + 0.2)


def drawn(distribution, seed=0):
    torch.manual_seed(1000 + seed)  # not that of the means: a stream must not be drawn twice
    return distribution.sample().double()


def said(distribution, truth, seed=0):
    return suggestion(Noise(distribution, drawn(truth, seed)), UNITS, "unit")


def test_the_pit_lies_between_the_two_ends_of_its_count_and_is_uniform_where_the_law_is_right():
    mean = means()
    distribution = NegativeBinomial(mean, torch.tensor(0.5, dtype=torch.float64))
    k = drawn(distribution)
    noise = Noise(distribution, k)
    peer = stats.nbinom(2.0, 1 / (1 + 0.5 * mean.numpy()))
    assert (noise.pit.numpy() <= peer.cdf(k.numpy()) + 1e-12).all()
    assert (noise.pit.numpy() >= peer.cdf(k.numpy() - 1) - 1e-12).all()
    assert noise.pit_passes == 1.0 and torch.equal(noise.pit, Noise(distribution, k).pit)
    assert Noise(Poisson(mean), k).pit_passes == 0.0


@pytest.mark.parametrize("largest, told", [(4096, 0), (3, 1)])
def test_scores_that_a_distribution_without_a_cdf_leaves_unknown_are_told(largest, told, monkeypatch):
    monkeypatch.setattr("dlthink.distributions.tabulated.LARGEST", largest)
    mean = means(200)
    k = drawn(Poisson(mean))
    predicted = {"rate": mean, "distribution": torch.distributions.Poisson(mean, validate_args=False)}
    for of in (Counts(UNITS, 0.1), TableCounts(UNITS)):
        found = of.remarks(predicted, k, {})
        assert len(found) == told and all("Poisson has no cdf" in line and "read out" in line for line in found)
        assert np.isnan(of.numbers(predicted, k, {})["rps"]) == bool(told)
        assert of.remarks({"rate": mean}, k, {}) == []


def test_whether_there_is_a_cdf_is_not_found_out_by_working_it_out(monkeypatch):
    mean = means()
    monkeypatch.setattr(Poisson, "cdf", None)
    assert Counts(UNITS, 0.1).remarks({"rate": mean, "distribution": Poisson(mean)}, drawn(Poisson(mean)), {}) == []


def test_the_ks_test_is_scipy_s():
    mean = means(500)
    noise = Noise(Poisson(1.05 * mean), drawn(Poisson(mean)))
    peer = [stats.kstest(noise.pit[:, unit].numpy(), "uniform").pvalue for unit in range(6)]
    np.testing.assert_allclose(noise.pit_p, peer, rtol=0.1, atol=0.005)
    few = means(20, 200)
    noise = Noise(Poisson(few), drawn(Poisson(few)))
    peer = [stats.kstest(noise.pit[:, unit].numpy(), "uniform").pvalue for unit in range(200)]
    np.testing.assert_allclose(noise.pit_p, peer, atol=0.022)  # 0.06 off by the limit of many rows
    x = torch.linspace(0.05, 3, 60, dtype=torch.float64)
    np.testing.assert_allclose(kolmogorov(x), stats.kstwobign.sf(x.numpy()), atol=1e-9)


def test_a_unit_passes_from_one_percent_on():
    noise = Noise(Poisson(means(4, 4)), torch.ones(4, 4, dtype=torch.float64))
    noise.pit_p = torch.tensor([0.009, 0.011, 0.04, 0.5])
    assert noise.pit_passes == 0.75


def test_a_law_of_torch_s_own_without_a_cdf_has_the_same_pit():
    mean = means(300)
    k = drawn(Poisson(mean))
    foreign = torch.distributions.Poisson(mean, validate_args=False)
    known = Noise.of({"distribution": foreign}, None, k)
    torch.testing.assert_close(known.pit, Noise(Poisson(mean), k).pit)
    assert known.pit_passes == 1.0 and known.rps == pytest.approx(Noise(Poisson(mean), k).rps)
    some = known.of({"distribution": foreign}, None, k).thinned(60)
    assert some.rps == pytest.approx(Noise(Poisson(mean), k).thinned(60).rps)


def test_rps_dispersion_and_shares_equal_loops():
    mean = means(60)
    distribution = NegativeBinomial(mean, torch.tensor(0.5, dtype=torch.float64))
    k = drawn(distribution)
    noise, peer = Noise(distribution, k), stats.nbinom(2.0, 1 / (1 + 0.5 * mean.numpy()))
    j = np.arange(400)[:, None, None]
    slow = ((peer.cdf(j) - (j >= k.numpy())) ** 2).sum(0).mean()
    assert noise.rps == pytest.approx(slow, rel=1e-7)
    np.testing.assert_allclose(noise.pearson, ((k.numpy() - peer.mean()) ** 2 / peer.var()).mean(0))
    np.testing.assert_allclose(noise.shares(2, 5), peer.pmf(j[:6]).mean(1)[:, 2])


def test_many_predictions_are_thinned_to_pairs_of_rows():
    mean = means(90_000, 2)
    distribution = Poisson(mean)
    noise = Noise.of(
        {"distribution": distribution}, pytest.fail, drawn(distribution).float()
    )  # a rate that is not needed isn't made
    assert noise.flat and len(noise.k) == 45_000 and noise.k.dtype == torch.float64
    side_by_side = mean.unflatten(0, (-1, 4))[:, :2].flatten(0, 1)
    torch.testing.assert_close(noise.mean, side_by_side)
    assert noise.pit.shape == (45_000, 2) and noise.pit_passes == 1.0


def test_the_examination_scores_the_predicted_law():
    mean = means()
    distribution = NegativeBinomial(mean, torch.tensor(0.5, dtype=torch.float64))
    k = drawn(distribution)
    own = Counts(UNITS, 0.05).numbers({"rate": mean, "distribution": distribution}, k, {})
    plain = Counts(UNITS, 0.05).numbers({"rate": mean, "distribution": Poisson(mean)}, k, {})
    gain = distribution.log_prob(k).sum() - Poisson(k.mean(0).expand_as(k)).log_prob(k).sum()
    assert own["bits_per_spike_own"] == pytest.approx(float(gain / np.log(2) / k.sum()))
    assert plain["bits_per_spike_own"] == pytest.approx(plain["bits_per_spike"])
    assert own["bits_per_spike_own"] > plain["bits_per_spike_own"] + 0.05 and own["rps"] < plain["rps"]
    assert own["pit_passes"] == 1 and plain["pit_passes"] == 0
    assert own["pearson_dispersion"] == pytest.approx(1, abs=0.06) and plain["pearson_dispersion"] > 1.3
    assert own["bits_per_spike"] == plain["bits_per_spike"]
    assert Counts(UNITS, 0.05).numbers({"rate": mean}, k, {})["rps"] == pytest.approx(plain["rps"])


def test_where_the_law_is_right_nothing_is_said():
    mean = means()
    half = torch.tensor(0.5, dtype=torch.float64)
    for distribution in (Poisson(mean), NegativeBinomial(mean, half), ComPoisson(mean, 4 * half)):
        assert [said(distribution, distribution, seed) for seed in range(5)] == [None] * 5


def test_units_that_scatter_more_are_named():
    mean = means()
    dispersion = torch.tensor([0.0, 0.0, 0.0, 0.6, 0.0, 0.9], dtype=torch.float64)
    line = said(Poisson(mean), NegativeBinomial(mean, dispersion))
    assert line.startswith("units 3 and 5 scatter more than Poisson (")
    assert line.endswith("the variance); try loss=negative_binomial")


def test_units_that_scatter_less_and_those_with_zeros_of_their_own():
    mean = means()
    less = said(Poisson(mean), ComPoisson(mean, torch.tensor(3.0, dtype=torch.float64)))
    assert less.startswith("all 6 units scatter less than Poisson (0.") and "loss=com_poisson" in less
    zeros = said(Poisson(0.7 * 4 * mean), ZeroInflated(Poisson(4 * mean), torch.tensor(-0.85, dtype=torch.float64)))
    assert "more zeros than a negative binomial" in zeros and zeros.endswith("loss=zero_inflated_negative_binomial")


def test_what_even_a_negative_binomial_does_not_say():
    mean = means()
    one, half = torch.tensor(1.5, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    more = said(NegativeBinomial(mean, half), NegativeBinomial(mean, one))
    assert "scatter more than predicted" in more and "loss.dispersion=network" in more
    less = said(NegativeBinomial(mean, half), Poisson(mean))
    assert "scatter less than predicted" in less and "loss=com_poisson" in less


def test_examinations_say_it_in_their_own_words():
    mean = means()
    k = drawn(NegativeBinomial(mean, torch.tensor(1.0, dtype=torch.float64)))
    read = {"rate": mean, "distribution": Poisson(mean)}
    assert "all 6 units scatter more" in Counts(UNITS, 0.05).suggestions(read, k, {})[0]
    table = TableCounts(UNITS)
    assert "all 6 targets scatter more" in table.suggestions(read, k, {})[0]
    numbers = table.numbers(read, k, {})
    assert {"bits_per_event_own", "rps", "pit_passes", "pearson_dispersion"} <= set(numbers)
    for examination in (Counts(UNITS, 0.05), table):
        assert set(examination.final_figures(read, k, {})) == {"pit", "dispersion", "counts"}


def test_figures_of_odd_answers_do_not_end_a_run():
    k = torch.zeros(50, 6)
    silent = {"rate": torch.full((50, 6), 1e-9), "distribution": Poisson(torch.full((50, 6), 1e-9))}
    assert set(Counts(UNITS, 0.05).final_figures(silent, k, {})) == {"pit", "dispersion", "counts"}
    one = Counts(["a"], 0.05)
    assert set(one.final_figures({"mean": torch.full((50, 1), -1.0)}, k[:, :1] + 1, {})) == {
        "pit",
        "dispersion",
        "counts",
    }
