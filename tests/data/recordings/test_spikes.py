"""The simulated ride: is it what its docstring says, and do its true rates explain its spikes?"""

import numpy as np
import pytest
import torch
from scipy import optimize, special, stats

from dlthink.data.recordings import simulated_ride as ride
from dlthink.data.recordings.spikes import Spikes, distribution_of, draw
from dlthink.errors import BadInput
from tests.data.recordings.made import known_of

ALL = ("train", "val", "test")


@pytest.fixture(scope="module")
def data():
    return Spikes(history=0, blocks=5)


@pytest.fixture(scope="module")
def session():
    return Spikes(minutes=10.0, history=0, blocks=5).read()


def rates_of(session):
    """[steps, neurons] in Hz."""
    return np.stack(session.truth.rates, axis=1)


def everything(data):
    """[T, U] counts and expected counts of every bin that is a target."""
    splits = [getattr(data, name) for name in ALL]
    return (
        torch.cat([s.targets() for s in splits]).double(),
        torch.cat([known_of(s)["rate"] for s in splits]).double(),
    )


def test_what_it_holds(data, session):
    assert len(ride.SIGNALS) == len(set(ride.SIGNALS)) == 12 == data.facts["n_in"]
    assert data.facts["n_targets"] == 50 and data.facts["bin"] == 0.05
    assert session.names == list(ride.SIGNALS) and session.series[0].values.shape == (60_000, 12)
    assert np.isfinite(session.series[0].values).all() and (rates_of(session) > 0).all()
    assert len(data.train) + len(data.val) + len(data.test) == 30 * 60 * 20
    spikes = int(everything(data)[0].sum())
    assert data.notes == [
        f"read 50 units with {spikes:,} spikes in 1,800 s: 36,000 bins of 0.05 s; 12 covariates, 5 samples a bin; "
        "train 21,600, val 7,200, test 7,200"
    ]


def test_physics_of_the_ride(session):
    signal = dict(zip(session.names, session.series[0].values.T, strict=True))
    assert signal["speed"].min() > 0
    assert np.gradient(signal["speed"], ride.STEP) == pytest.approx(signal["acceleration"])
    assert np.gradient(signal["lean"], ride.STEP) == pytest.approx(signal["lean_rate"])
    # In a steady turn the lean balances the centrifugal force: tan(lean) = speed * yaw_rate / g.
    assert np.tan(signal["lean"]) == pytest.approx(signal["speed"] * signal["yaw_rate"] / 9.81)
    assert np.abs(signal["lean"]).max() < np.pi / 3
    pulling, braking = signal["acceleration"] > 1.5, signal["acceleration"] < -1.5
    assert signal["throttle"][pulling].mean() > 2 * signal["throttle"][braking].mean()
    assert signal["brake_front"][braking].mean() > 5 * signal["brake_front"][pulling].mean()
    for name in ("throttle", "brake_front", "brake_rear"):
        assert signal[name].min() >= 0 and signal[name].max() <= 1


def test_behaviour_is_low_dimensional(session):
    values = np.linalg.svd(stats.zscore(session.series[0].values[::10]), compute_uv=False) ** 2
    assert (np.cumsum(values) / values.sum())[5] > 0.95  # six directions hold nearly all of twelve signals


def autocorrelation(values, seconds):
    steps = round(seconds / ride.STEP)
    centred = values - values.mean(axis=0)
    return (centred[steps:] * centred[:-steps]).mean(axis=0) / (centred**2).mean(axis=0)


def test_behaviour_is_smooth_over_200_ms(session):
    assert autocorrelation(session.series[0].values, 0.05).min() > 0.97
    assert autocorrelation(session.series[0].values, 0.2).min() > 0.6
    assert autocorrelation(session.series[0].values, 1.0).min() < 0.2  # ... and yet it changes


def test_rates_are_smooth_over_50_ms(session):
    assert autocorrelation(rates_of(session).astype(float), 0.02).min() > 0.97
    assert autocorrelation(rates_of(session).astype(float), 2.0).max() < 0.8
    rates = rates_of(session)
    jump = np.abs(np.diff(rates, axis=0)).max(axis=0) / rates.max(axis=0)
    assert jump.max() < 0.2  # in 10 ms never more than a fifth of the highest rate


def test_rates_depend_on_the_past_not_on_the_future():
    """Behaviour during 100 ms is swapped with that of another moment: when do which rates notice?"""
    signals = ride.behaviour(60_000, np.random.default_rng(4))
    swapped = signals.copy()
    swapped[3000:3010], swapped[5000:5010] = signals[5000:5010], signals[3000:3010]
    before, after = (np.stack(ride.Rates(s, 30, 8.0, np.random.default_rng(5)), axis=1) for s in (signals, swapped))
    change = np.abs(after / before - 1)
    assert change[2000:3000].max() < 0.01  # not before it happens
    assert change[3000:3060].max() > 0.3
    assert change[3030:3060].max() > 0.05  # still 0.2 s after it ended,
    assert change[3065:4000].max() < 0.01  # but 0.5 s later it is forgotten
    first = (change[3000:3060] > 0.01).argmax(axis=0)
    assert first.min() <= 5 and first.max() >= 20  # each neuron with a delay of its own


def test_mean_rate_is_the_knob():
    for rate in (2.0, 20.0):
        data = Spikes(rate=rate, minutes=5.0, history=0, neurons=100)
        counts, expected = everything(data)
        assert counts.mean().item() / 0.05 == pytest.approx(rate, rel=0.15)
        assert counts.mean().item() == pytest.approx(expected.mean().item(), rel=0.01)


def test_same_seed_same_spikes():
    one, two, three = (Spikes(minutes=2.0, seed=seed).read() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one.spikes, two.spikes, strict=True))
    assert np.array_equal(one.series[0].values, two.series[0].values)
    assert np.array_equal(rates_of(one), rates_of(two))
    assert not np.array_equal(one.series[0].values, three.series[0].values)
    assert not any(np.array_equal(a, b) for a, b in zip(one.spikes, three.spikes, strict=True))


def test_the_runs_own_seed_does_not_matter():
    torch.manual_seed(1)
    np.random.seed(1)
    one = Spikes(minutes=2.0).read().spikes[0]
    torch.manual_seed(2)
    np.random.seed(2)
    assert np.array_equal(one, Spikes(minutes=2.0).read().spikes[0])


def test_size_is_as_asked():
    data = Spikes(neurons=7, minutes=3.0, bin=0.1, history=3)
    assert data.facts["n_targets"] == 7 and data.facts["window"] == 4
    assert data.read().truth.edges[-1] == pytest.approx(180.0)


def test_counts_are_poisson_given_the_true_rate(data):
    counts, expected = everything(data)
    chi2 = ((counts - expected) ** 2 / expected).sum(dim=0)
    n = len(counts)
    # Pearson's chi2 of n Poisson counts: mean n, variance 2 n + sum of 1 / mu.
    z = (chi2 - n) / (2 * n + (1 / expected).sum(dim=0)).sqrt()
    assert z.abs().max() < 4.5 and z.std() < 1.5
    assert ((counts - expected).sum(dim=0) / expected.sum(dim=0).sqrt()).abs().max() < 4.5


def test_expected_counts_do_not_depend_on_how_fine_the_bins_are():
    coarse, fine = (Spikes(history=0, blocks=5, minutes=2.0, bin=bin) for bin in (0.05, 0.01))
    assert torch.allclose(everything(coarse)[1].sum(dim=0), everything(fine)[1].sum(dim=0), rtol=1e-5)


def test_time_rescaled_spikes_are_uniform(session):
    """Brown et al. 2002: in the time that runs as fast as the rate, intervals are exponential."""
    clock = np.concatenate([np.zeros((1, 50)), np.cumsum(rates_of(session).astype(float) * ride.STEP, axis=0)])
    p = []
    for unit, spikes in enumerate(session.spikes):
        intervals = np.diff(np.interp(spikes, session.truth.edges, clock[:, unit]))
        p.append(stats.kstest(intervals, "expon").pvalue)
    assert min(p) > 1e-4 and stats.kstest(p, "uniform").pvalue > 1e-3
    shuffled = np.diff(np.interp(session.spikes[0], session.truth.edges, clock[:, 1]))
    assert stats.kstest(shuffled, "expon").pvalue < 1e-4  # another neuron's rate does not explain them


def flat(rate, minutes, neurons=4):
    return [np.full(round(minutes * 60 / ride.STEP), rate, dtype=np.float32)] * neurons


def fano(spikes, width, seconds):
    counts = np.histogram(spikes, np.arange(0, seconds + width / 2, width))[0]
    return counts.var() / counts.mean()


def test_fano_factor_of_a_constant_rate():
    rng = np.random.default_rng(6)
    for spikes in draw(flat(20.0, 20), rng):
        assert fano(spikes, 0.05, 1200) == pytest.approx(1.0, abs=0.04)
    for spikes in draw(flat(20.0, 20), rng, dispersion=0.5):  # var = mu + 0.5 mu^2 with mu = 1
        assert fano(spikes, 0.05, 1200) == pytest.approx(1.5, abs=0.1)
        assert len(spikes) / 1200 == pytest.approx(20.0, rel=0.05)
    for spikes in draw(flat(20.0, 20), rng, refractory=0.01):  # long counts: (1 - rate * refractory)^2
        assert fano(spikes, 0.5, 1200) == pytest.approx(0.8**2, abs=0.09)
        assert len(spikes) / 1200 == pytest.approx(20.0, rel=0.03)
        assert np.diff(spikes).min() >= 0.01


def test_counts_with_dispersion_are_negative_binomial():
    (spikes,) = draw(flat(30.0, 60, neurons=1), np.random.default_rng(7), dispersion=0.4)
    counts = np.histogram(spikes, np.arange(0, 3600 + 0.025, 0.05))[0]
    seen = np.bincount(np.minimum(counts, 8), minlength=9)
    r, mu = 1 / 0.4, 1.5
    wanted = stats.nbinom.pmf(np.arange(8), r, r / (r + mu))
    assert stats.chisquare(seen, len(counts) * np.append(wanted, 1 - wanted.sum())).pvalue > 1e-3


@pytest.mark.parametrize(("dispersion", "ratio"), [(-0.5, 0.51), (-0.95, 0.13)])
def test_counts_of_negative_dispersion_are_conway_maxwell_poisson(dispersion, ratio):
    """Against the distribution by its own sum, lambda and nu; spikes lie evenly in their 50 ms."""
    (spikes,) = draw(flat(30.0, 30, neurons=1), np.random.default_rng(9), dispersion)
    counts = np.histogram(spikes, np.arange(0, 1800 + 0.025, 0.05))[0]
    k = np.arange(60)

    def pmf(log_rate):
        log_p = k * log_rate - special.gammaln(k + 1) / (1 + dispersion)
        return np.exp(log_p - special.logsumexp(log_p))

    p = pmf(optimize.brentq(lambda log_rate: pmf(log_rate) @ k - 1.5, -9, 40))
    assert counts.mean() == pytest.approx(1.5, abs=0.03) and counts.var() == pytest.approx(p @ (k - 1.5) ** 2, rel=0.05)
    assert counts.var() / counts.mean() == pytest.approx(ratio, abs=0.1)
    likely = p * len(counts) > 5
    wanted = len(counts) * np.append(p[likely], p[~likely].sum())
    seen = np.bincount(counts, minlength=60)
    seen = np.append(seen[likely], seen[~likely].sum())
    assert stats.chisquare(seen, wanted).pvalue > 1e-3 if wanted[-1] > 1 else seen[-1] <= 5
    assert stats.kstest(spikes / 0.05 % 1, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("dispersion", [-0.6, 0.0, 0.5])
def test_inflated_zeros_keep_the_mean_and_have_their_law(dispersion):
    (spikes,) = draw(flat(30.0, 30, neurons=1), np.random.default_rng(3), dispersion, zero_inflation=0.4)
    counts = np.histogram(spikes, np.arange(0, 1800 + 0.025, 0.05))[0]
    k = np.arange(9)
    base = (
        distribution_of(torch.tensor(2.5, dtype=torch.float64), dispersion)
        .log_prob(torch.arange(9.0).double())
        .exp()
        .numpy()
    )
    wanted = 0.4 * (k == 0) + 0.6 * base
    assert counts.mean() == pytest.approx(1.5, abs=0.04)
    seen = np.bincount(np.minimum(counts, 9), minlength=10)
    assert stats.chisquare(seen, len(counts) * np.append(wanted, 1 - wanted.sum())).pvalue > 1e-3


@pytest.mark.parametrize(("dispersion", "zeros"), [(-0.8, 0.0), (0.0, 0.0), (0.5, 0.0), (0.0, 0.3), (-0.5, 0.3)])
def test_the_examination_knows_what_the_true_law_says_of_the_counts(dispersion, zeros):
    data = Spikes(minutes=2.0, neurons=5, history=0, dispersion=dispersion, zero_inflation=zeros, rate=20.0)
    y, rate, log_prob = data.test.targets(), known_of(data.test)["rate"], known_of(data.test)["log_prob"]
    torch.testing.assert_close(
        log_prob, distribution_of(rate, dispersion, zeros).log_prob(y).float(), rtol=1e-4, atol=1e-4
    )


def test_the_law_is_known_of_the_bins_that_it_is_of_alone():
    small = {"minutes": 2.0, "neurons": 2, "history": 0}
    for knobs, known in (
        ({"dispersion": -0.5}, True),
        ({"dispersion": -0.5, "start": 10.0}, True),
        ({"dispersion": -0.5, "start": 10.02}, False),
        ({"dispersion": 0.5, "bin": 0.1}, False),
        ({"zero_inflation": 0.5, "bin": 0.1}, False),
        ({"bin": 0.1, "start": 10.02}, True),
        ({"refractory": 0.002}, False),
    ):
        assert ("log_prob" in known_of(Spikes(**small, **knobs).test)) == known, knobs


def test_intervals_with_a_refractory_period_are_shifted_exponentials():
    (spikes,) = draw(flat(40.0, 20, neurons=1), np.random.default_rng(8), refractory=0.005)
    hazard = 40.0 / (1 - 40.0 * 0.005)
    assert stats.kstest(np.diff(spikes) - 0.005, "expon", args=(0, 1 / hazard)).pvalue > 1e-3


@pytest.mark.parametrize(("knobs", "low", "high"), [({"dispersion": 0.5}, 1.1, 2.0), ({"refractory": 0.01}, 0.6, 0.97)])
def test_dispersion_of_the_ride(knobs, low, high):
    counts, expected = everything(Spikes(minutes=10.0, neurons=20, history=0, **knobs))
    assert counts.mean().item() == pytest.approx(expected.mean().item(), rel=0.03)
    ratio = ((counts - expected) ** 2).sum() / expected.sum()
    assert low < ratio < high


@pytest.mark.parametrize(
    "knobs",
    [
        {"neurons": 0},
        {"minutes": 0.0},
        {"minutes": float("nan")},
        {"rate": 0.0},
        {"rate": -1.0},
        {"dispersion": -0.96},
        {"dispersion": float("inf")},
        {"zero_inflation": 0.91},
        {"zero_inflation": -0.1},
        {"refractory": 0.001, "dispersion": -0.5},
        {"refractory": -0.001},
        {"refractory": 0.2},
        {"seed": -1},
    ],
)
def test_knobs_out_of_range(knobs):
    with pytest.raises(BadInput, match=f"data.{next(iter(knobs))}="):
        Spikes(**({"minutes": 1.0} | knobs))


def test_one_neuron_for_a_minute():
    data = Spikes(neurons=1, minutes=1.0, spike_history=True, blocks=10)
    x, y = data.train.take(torch.arange(2))
    assert x.shape == (2, 11, 13) and y.shape == (2, 1)


def test_what_is_known_of_all_bins_is_held_once_and_no_rate_of_each_moment():
    """100 neurons over 6 minutes: rates of 10 ms would be 14 MB, and each table of bins is 3."""
    data = Spikes(neurons=100, minutes=6.0, history=0)
    tables = {id(values): values.nbytes for split in ALL for values in getattr(data, split)._known.values()}
    tables |= {id(getattr(data, split).y): getattr(data, split).y.nbytes for split in ALL}
    assert sum(tables.values()) < 3.1 * 4 * 7200 * 100
    assert isinstance(data.read().truth.rates, ride.Rates)
