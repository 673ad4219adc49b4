"""The examination of counts against slow loops, scipy and sklearn."""

import json
import math

import pytest
import torch
from scipy import stats
from sklearn.metrics import d2_tweedie_score, mean_poisson_deviance

from dlthink.distributions.poisson import Poisson
from dlthink.metrics.counts.metrics import Counts

LAW = {
    "log_score",
    "bits_per_spike_own",
    "rps",
    "pit_passes",
    "pearson_dispersion",
}  # of the whole predicted distribution
NAMES = {"bits_per_spike", "bits_per_spike_median", "bits_per_spike_min", "d2", "floored"} | LAW


def sample(n=300, units=6, seed=0):
    """True rates, counts drawn from them, and a prediction that is good but not perfect."""
    g = torch.Generator().manual_seed(seed)
    true = torch.exp(0.8 * torch.randn(n, units, generator=g) - 0.5)
    predicted = true * torch.exp(0.3 * torch.randn(n, units, generator=g))
    return true, torch.poisson(true, generator=g), predicted


def counts(units=6, **knobs):
    return Counts([str(unit) for unit in range(units)], 0.05, **knobs)


def test_bits_per_spike_equals_a_loop():
    _, y, predicted = sample()
    gains, spikes, each = 0.0, 0, []
    for unit in range(6):
        k = [int(v) for v in y[:, unit]]
        mean = sum(k) / len(k)
        gain = 0.0
        for count, rate in zip(k, predicted[:, unit].tolist(), strict=True):
            gain += (count * math.log(rate) - rate) - (count * math.log(mean) - mean)
        each.append(gain / math.log(2) / sum(k))
        gains, spikes = gains + gain, spikes + sum(k)
    numbers = counts().numbers({"rate": predicted}, y, {})
    assert numbers["bits_per_spike"] == pytest.approx(gains / math.log(2) / spikes, rel=1e-10)
    assert numbers["bits_per_spike_median"] == pytest.approx((sorted(each)[2] + sorted(each)[3]) / 2, rel=1e-10)
    assert numbers["bits_per_spike_min"] == pytest.approx(min(each), rel=1e-10)
    assert counts().per_unit({"rate": predicted}, y)["bits_per_spike"].tolist() == pytest.approx(each, rel=1e-10)


def test_d2_equals_sklearn_per_unit_and_in_total():
    _, y, predicted = sample(seed=1)
    k, rate = y.double().numpy(), predicted.double().numpy()
    each = [d2_tweedie_score(k[:, unit], rate[:, unit], power=1) for unit in range(6)]
    assert counts().per_unit({"rate": predicted}, y)["d2"].tolist() == pytest.approx(each, rel=1e-10)
    left = sum(mean_poisson_deviance(k[:, unit], rate[:, unit]) for unit in range(6))
    null = sum(mean_poisson_deviance(k[:, unit], [k[:, unit].mean()] * len(k)) for unit in range(6))
    assert counts().numbers({"rate": predicted}, y, {})["d2"] == pytest.approx(1 - left / null, rel=1e-10)


def test_log_score_equals_scipy():
    _, y, predicted = sample(seed=2)
    expected = stats.poisson.logpmf(y.double().numpy(), predicted.double().numpy()).mean()
    assert counts().numbers({"rate": predicted}, y, {})["log_score"] == pytest.approx(expected, rel=1e-10)
    given = {"rate": predicted, "distribution": torch.distributions.Poisson(predicted)}
    assert counts().numbers(given, y, {})["log_score"] == pytest.approx(expected, rel=1e-6)


def test_a_given_distribution_is_the_one_that_is_scored():
    _, y, predicted = sample(seed=3)
    wide = torch.distributions.NegativeBinomial(2.0, logits=(predicted / 2.0).log())  # mean: predicted
    plain, given = (
        counts().numbers(predicted, y, {})
        for predicted in ({"rate": predicted}, {"rate": predicted, "distribution": wide})
    )
    p = (2.0 / (2.0 + predicted)).double().numpy()
    assert given["log_score"] == pytest.approx(stats.nbinom.logpmf(y.numpy(), 2.0, p).mean(), rel=1e-6)
    assert {name: given[name] for name in NAMES - LAW} == {name: plain[name] for name in NAMES - LAW}


def test_a_continuous_distribution_is_ignored_for_a_density_is_no_probability():
    _, y, predicted = sample(seed=14)
    narrow = torch.distributions.Normal(predicted, 1e-3)  # a density of 400 at its mean
    given = counts().numbers({"mean": predicted, "distribution": narrow}, y, {})
    assert given == counts().numbers({"mean": predicted}, y, {})


def test_a_distribution_that_does_not_say_what_it_is_for_is_scored():
    class Bare(torch.distributions.Distribution):
        def log_prob(self, value):
            return torch.full_like(value, -0.5)

    _, y, predicted = sample(seed=15)
    bare = Bare(validate_args=False)
    assert counts().numbers({"mean": predicted, "distribution": bare}, y, {})["log_score"] == -0.5


def test_the_mean_of_the_bins_scores_zero():
    _, y, _ = sample(seed=4)
    numbers = counts().numbers({"mean": y.double().mean(0).expand_as(y)}, y, {})
    for name in ("bits_per_spike", "bits_per_spike_median", "bits_per_spike_min", "d2"):
        assert numbers[name] == pytest.approx(0, abs=1e-12)


def test_the_oracle_shares_all_of_its_own_score_and_others_less():
    true, y, predicted = sample(5000, seed=5)
    oracle = counts().numbers({"rate": true}, y, {"rate": true})
    worse = counts().numbers({"rate": predicted}, y, {"rate": true})
    assert oracle["oracle_share"] == 1.0
    assert worse["oracle_share"] == pytest.approx(worse["bits_per_spike"] / oracle["bits_per_spike"], rel=1e-12)
    assert worse["oracle_share"] < 0.97
    assert worse["log_score"] < oracle["log_score"]


def test_regret_is_what_the_true_law_knew_better():
    true, y, predicted = sample(5000, seed=5)
    known = {"rate": true, "log_prob": Poisson(true).log_prob(y)}
    assert counts().numbers({"rate": true}, y, known)["regret"] == pytest.approx(0, abs=1e-7)
    worse = counts().numbers({"rate": predicted}, y, known)
    slow = stats.poisson.logpmf(y.numpy(), true.numpy()).mean() - worse["log_score"]
    assert worse["regret"] == pytest.approx(slow, rel=1e-4) and worse["regret"] > 0.01


def test_names_are_always_the_same_and_go_into_json():
    true, y, predicted = sample(seed=6)
    known, unknown = (counts().numbers({"rate": predicted}, y, truth) for truth in ({"rate": true}, {}))
    assert set(unknown) == NAMES
    assert set(known) == NAMES | {"oracle_share"}
    assert json.loads(json.dumps(known)) == known
    assert Counts.best[0] in NAMES


@pytest.mark.parametrize("low", [-3.0, 0.0, 1e-9])
def test_low_and_negative_means_are_raised_to_the_floor_and_counted(low):
    _, y, predicted = sample(seed=7)
    broken = predicted.clone()
    broken[:30, 2] = low
    numbers = counts().numbers({"mean": broken}, y, {})
    raised = predicted.double()
    raised[:30, 2] = 0.01 * y[:, 2].double().mean()
    by_hand = counts().numbers({"mean": raised}, y, {})
    assert numbers["floored"] == pytest.approx(30 / y.numel(), rel=1e-12)
    for name in NAMES - {"floored"}:
        assert math.isfinite(numbers[name])
        assert numbers[name] == pytest.approx(by_hand[name], rel=1e-12)


def test_a_mean_at_the_floor_counts_as_floored():
    _, y, _ = sample(seed=13)
    at = 0.01 * y.double().mean(0).expand_as(y)
    assert counts().numbers({"mean": at}, y, {})["floored"] == 1
    assert counts().numbers({"mean": at * 1.001}, y, {})["floored"] == 0


def test_the_floor_is_a_knob_and_nothing_is_raised_without_need():
    _, y, predicted = sample(seed=8)
    assert counts().numbers({"rate": predicted}, y, {})["floored"] == 0
    assert counts(floor=1e9).numbers({"rate": predicted}, y, {})["floored"] == 1


def test_a_silent_unit_costs_what_is_predicted_for_it_and_has_no_score_of_its_own():
    _, y, predicted = sample(seed=9)
    without = counts(5).numbers({"rate": predicted[:, 1:]}, y[:, 1:], {})
    y[:, 0] = 0
    numbers = counts().numbers({"rate": predicted}, y, {})
    lost = float(predicted[:, 0].double().sum()) / math.log(2) / float(y.sum())
    assert numbers["bits_per_spike"] == pytest.approx(without["bits_per_spike"] - lost, rel=1e-10)
    assert numbers["bits_per_spike_median"] == without["bits_per_spike_median"]
    assert numbers["bits_per_spike_min"] == without["bits_per_spike_min"]
    each = counts().per_unit({"rate": predicted}, y)
    assert all(each[name].isnan().tolist() == [True] + [False] * 5 for name in each)


def test_a_silent_unit_with_negative_means_stays_finite():
    y = torch.zeros(10, 2)
    y[3:5, 1] = 1
    numbers = counts(2).numbers({"mean": torch.full((10, 2), -0.1)}, y, {})
    assert all(math.isfinite(value) for value in numbers.values())
    assert numbers["floored"] == 1


def test_no_spike_at_all_is_undefined_and_not_a_crash():
    numbers = counts(2).numbers({"rate": torch.full((10, 2), 0.1)}, torch.zeros(10, 2), {"rate": torch.ones(10, 2)})
    undefined = {name for name, value in numbers.items() if math.isnan(value)}
    assert undefined == {
        "bits_per_spike",
        "bits_per_spike_median",
        "bits_per_spike_min",
        "bits_per_spike_own",
        "d2",
        "oracle_share",
    }
    assert numbers["log_score"] == pytest.approx(-0.1)


def test_one_unit():
    true, y, predicted = sample(units=1, seed=10)
    numbers = counts(1).numbers({"rate": predicted}, y, {"rate": true})
    assert numbers["bits_per_spike"] == numbers["bits_per_spike_median"] == numbers["bits_per_spike_min"]


def test_sums_are_in_double_precision():
    """A million float32 terms meet numpy's own float64 sum to 1e-12, where float32 would lose five digits."""
    _, y, predicted = sample(500_000, 2, seed=11)
    k, rate = y.double().numpy(), predicted.double().numpy()
    expected = stats.poisson.logpmf(k, rate).mean()
    assert counts(2, floor=0.0).numbers({"rate": predicted}, y, {})["log_score"] == pytest.approx(expected, rel=1e-12)


def test_what_needs_a_gradient_or_is_half_is_read_all_the_same():
    _, y, predicted = sample(seed=12)
    plain = counts().numbers({"rate": predicted.bfloat16()}, y, {})
    assert plain == counts().numbers({"rate": predicted.bfloat16().requires_grad_()}, y, {})


# ------------------------------------------------------------------------------------------ what is far worse


def test_a_unit_that_blows_up_is_named_with_its_time_and_what_to_try():
    true, y, _ = sample(2000, seed=20)
    broken = true.clone()
    broken[700:703, 4] = 1e6
    known = {"time": 0.05 * (torch.arange(2000, dtype=torch.float64) + 0.5)}
    (line,) = counts().remarks({"rate": broken}, y, known)
    assert "unit 4 (" in line and "all units together (" in line and "unit 3" not in line and "\n" not in line
    assert "3 bins from 35.025 s" in line and "trainer.l2" in line and "min_spikes" in line and "dropout" in line


@pytest.mark.parametrize("rows, told", [(40, True), (60, False)])
def test_the_time_of_a_loss_is_told_where_it_is_a_fiftieth_of_the_bins(rows, told):
    true, y, _ = sample(2000, seed=20)
    broken = true.clone()
    broken[700 : 700 + rows, 4] = 1e6
    (line,) = counts().remarks({"rate": broken}, y, {})
    assert ("bins from row 700 on" in line) == told


def test_what_is_as_good_as_a_constant_guess_is_not_remarked_on():
    true, y, predicted = sample(seed=21)
    for rate in (true, predicted, y.mean(0).expand_as(y), 1.3 * y.mean(0).expand_as(y)):
        assert counts().remarks({"rate": rate}, y, {}) == []
    assert counts(2).remarks({"rate": torch.full((10, 2), 0.1)}, torch.zeros(10, 2), {}) == []


@pytest.mark.parametrize("factor, spikes, told", [(2.0, 50, False), (2.2, 50, True), (3.0, 5, False), (3.0, 6, True)])
def test_far_worse_begins_at_half_a_bit_a_spike_and_five_nats(factor, spikes, told):
    """c times the mean loses c - 1 - log c nats a spike: 0.44 and 0.59 bits; 4.5 and 5.4 nats of 5 and 6 spikes."""
    y = (torch.arange(100) < spikes).float()[:, None]
    assert bool(counts(1).remarks({"rate": factor * y.mean(0).expand_as(y)}, y, {})) == told


def test_a_unit_that_is_wrong_everywhere_is_named_without_a_time():
    _, y, predicted = sample(seed=22)
    predicted[:, 2] *= 20
    (line,) = counts().remarks({"rate": predicted}, y, {})
    assert "unit 2 (" in line and "bins from" not in line


def test_an_infinite_mean_is_far_worse():
    _, y, predicted = sample(seed=23)
    predicted[5, 1] = math.inf
    (line,) = counts().remarks({"rate": predicted}, y, {})
    assert "unit 1 (" in line


def test_many_bad_units_make_one_line():
    _, y, predicted = sample(seed=24)
    (line,) = counts().remarks({"mean": 30 * predicted}, y, {})
    assert line.count("unit ") == 3 and "3 more units" in line


def test_sums_over_a_few_units_at_a_time_are_the_same(monkeypatch):
    true, y, predicted = sample(seed=25)
    whole = counts().numbers({"rate": predicted}, y, {"rate": true})
    monkeypatch.setattr("dlthink.metrics.counts.metrics.CHUNK", 2 * len(y))
    assert counts().numbers({"rate": predicted}, y, {"rate": true}) == pytest.approx(whole, rel=1e-13)
