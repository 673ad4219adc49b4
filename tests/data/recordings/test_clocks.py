"""Recordings on any clock give the same bins: late, negative, rounded, in trials; rows that are centres of bins."""

import csv

import numpy as np
import pytest
import torch

from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings.made import binned, changed, known_of, session

EPOCH = 1.7e9
CLOCKS = [EPOCH, -EPOCH, -30.0, 4397.0317, 1e5]


def later(zero, given=None):
    given = session() if given is None else given
    intervals = None if given.intervals is None else given.intervals + zero
    return changed(
        given, times=given.series[0].times + zero, spikes=[s + zero for s in given.spikes], intervals=intervals
    )


def same(one, other):
    for name in ("train", "val", "test"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.rows.tolist() == b.rows.tolist() and torch.equal(a.targets(), b.targets())
        assert known_of(a)["time"].numpy() == pytest.approx(known_of(b)["time"].numpy(), abs=1e-6)


# ------------------------------------------------------------------------------------------------- late and early


@pytest.mark.parametrize("zero", CLOCKS)
def test_any_clock_gives_the_same_bins_and_times_that_can_be_told_apart(zero):
    data = binned(later(zero))
    same(data, binned())
    time = data.test.known(torch.arange(len(data.test)))["time"]
    assert time.dtype == torch.float64 and len(time.unique()) == len(time) and time.min() > 0
    assert torch.allclose(data.test.features, binned().test.features, atol=1e-3)


@pytest.mark.parametrize("zero", CLOCKS)
def test_trials_keep_their_last_bin(zero):
    starts = np.arange(0.5, 58, 1.0)
    trials = session(intervals=np.stack([starts, starts + 0.1], axis=1))
    data = binned(later(zero, trials), bin=0.01, history=1)
    assert len(data.train.features) == 58 * 10
    same(data, binned(trials, bin=0.01, history=1))


def test_trials_that_follow_each_other_do_not_overlap_by_a_rounding():
    starts = 0.5 + 0.1 * np.arange(500) + EPOCH
    stops = np.nextafter(starts + 0.1, np.inf)
    data = binned(changed(later(EPOCH), intervals=np.stack([starts, stops], axis=1)), history=0)
    assert len(data.train.features) == 1000
    with pytest.raises(BadInput, match="before the one above ends"):
        binned(changed(later(EPOCH), intervals=np.stack([starts, stops + 0.01], axis=1)))


def test_spikes_on_edges_of_a_late_clock_belong_to_the_bin_that_begins_there():
    edges = EPOCH + 0.1 * np.arange(1001)
    bins = Bins(edges[None, [0, -1]] - EPOCH, 0.1, rounding=float(np.spacing(EPOCH)))
    assert (bins.counts([edges[:-1] - EPOCH]) == 1).all() and len(bins) == 1000


def test_start_and_stop_count_from_the_beginning_of_a_late_clock():
    same(binned(later(EPOCH), start=10.0, stop=40.0, history=0), binned(start=10.0, stop=40.0, history=0))


@pytest.mark.parametrize("zero, bin", [*((zero, 0.05) for zero in CLOCKS), (EPOCH, 0.002)])
def test_predict_writes_times_on_the_file_s_own_clock(tmp_path, zero, bin):
    given = session()
    for name, start in (("early", 0.0), ("late", zero)):
        np.savez(tmp_path / name, covariates=given.series[0].values, covariate_times=given.series[0].times + start)
    state = binned(session(names=["0", "1"]), bin=bin).state
    tables = {}
    for name in ("early", "late"):
        inputs = Recording.inputs(str(tmp_path / f"{name}.npz"), state)
        inputs.write({"rate": torch.ones(len(inputs), 3)}, str(tmp_path / f"{name}.csv"))
        with open(tmp_path / f"{name}.csv", newline="") as file:
            tables[name] = [row[0] for row in csv.reader(file)][1:]
    assert len(set(tables["late"])) == len(tables["late"]) == len(tables["early"])
    early, late = (np.array(tables[name], dtype=float) for name in ("early", "late"))
    assert late - zero == pytest.approx(early, abs=1e-6)
    assert max(map(len, tables["late"])) <= 18


def test_messages_tell_times_of_a_late_clock_apart():
    given = later(EPOCH)
    times = given.series[0].times.copy()
    times[7] = times[6] - 0.01
    with pytest.raises(BadInput, match=r"row 7 is 1700000000\.19 s after 1700000000\.2 s"):
        binned(changed(given, times=times))
    hole = given.series[0].values.copy()
    hole[40, 1] = np.nan
    with pytest.raises(BadInput, match=r"b is nan at 1700000001\.33333 s"):
        binned(changed(given, covariates=hole))


# ------------------------------------------------------------------------------------------- stored with few digits


def save(tmp_path, **changes):
    rng = np.random.default_rng(0)
    times = np.arange(0, 60, 0.02)
    parts = {
        "spike_times": np.sort(rng.uniform(0, 59.9, 1200)),
        "spike_units": rng.integers(0, 3, 1200),
        "covariates": rng.normal(size=(3000, 2)),
        "covariate_times": times,
    }
    np.savez(tmp_path / "mine.npz", **(parts | changes))
    return str(tmp_path / "mine.npz")


def test_times_in_float32_fall_into_the_bins_that_they_were_meant_for(tmp_path):
    spikes = np.arange(0, 59.9, 0.05).astype(np.float32)
    times = (0.02 * np.arange(3000)).astype(np.float32)
    data = Recording(save(tmp_path, spike_times=spikes, spike_units=np.zeros(len(spikes), int), covariate_times=times))
    assert (data.train.targets() == 1).all() and len(data.train.features) == 1199


def test_times_in_steps_that_bins_feel_are_told(tmp_path):
    late = {"covariate_times": np.arange(0, 60, 0.02) + 5e4, "spike_times": np.linspace(0, 59, 1200) + 5e4}
    fine, coarse = (Recording(save(tmp_path, **{k: v.astype(kind) for k, v in late.items()})) for kind in "df")
    assert [note for note in coarse.notes if "stored in steps of 0.0039 s" in note]
    assert not [note for note in fine.notes if "stored in steps" in note]


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_a_clock_too_coarse_for_bins_is_refused_in_one_line(tmp_path, kind):
    parts = {"covariate_times": np.arange(0, 60, 0.02), "spike_times": np.linspace(0, 59, 1200)}
    zero = {np.float32: EPOCH, np.float16: 0.0}[kind]
    with pytest.raises(BadInput, match="save them as float64") as refused:
        Recording(save(tmp_path, **{name: (times + zero).astype(kind) for name, times in parts.items()}))
    assert "\n" not in str(refused.value)
    with pytest.raises(BadInput, match=r"tell apart steps of 0\.03\d* s only"):
        spikes = np.sort(parts["spike_times"].astype(np.float16))
        Recording(save(tmp_path, spike_times=spikes))


def test_whole_numbers_may_be_times(tmp_path):
    spikes = np.repeat(np.arange(590), 3)
    path = save(
        tmp_path,
        spike_times=spikes,
        spike_units=np.zeros(len(spikes), int),
        covariate_times=np.arange(590),
        covariates=np.random.default_rng(1).normal(size=(590, 1)),
    )
    assert (Recording(path, bin=2.0, history=1).train.targets() == 6).all()


# --------------------------------------------------------------------------------------------------- large offsets


def test_a_large_offset_of_a_covariate_costs_no_digits():
    given = session()
    far = changed(given, covariates=5_400_000.3 + 0.01 * given.series[0].values)
    assert torch.allclose(binned(far).train.features, binned(given).train.features, atol=1e-5)
    assert len(binned(far).notes) == 1


def test_a_covariate_stored_with_too_few_digits_is_told(tmp_path):
    wave = np.random.default_rng(1).normal(size=(3000, 2))
    coarse = (5_400_000.3 + wave * [1.0, 1000.0]).astype(np.float32)
    notes = [note for note in Recording(save(tmp_path, covariates=coarse)).notes if "too few digits" in note]
    assert len(notes) == 1 and notes[0].startswith("covariate 0 ") and "steps of 0.5" in notes[0]


# ------------------------------------------------------------------------------------------------- centres of bins


@pytest.mark.parametrize("zero", [0.025, 0.0, 0.0123, -7.3, EPOCH])
@pytest.mark.parametrize("bin", [0.05, 0.1])
def test_rows_one_bin_apart_are_centres_of_bins(zero, bin):
    rng = np.random.default_rng(12)
    edges = zero - bin / 2 + bin * np.arange(1201)
    spikes = [np.sort(rng.uniform(edges[0] + 1e-3, edges[-1] - 1e-3, 2000))]
    given = session(times=edges[:-1] + bin / 2, covariates=rng.normal(size=(1200, 2)), spikes=spikes, units=["u"])
    data = binned(given, bin=bin)
    counts = np.histogram(spikes[0] - edges[0], bin * np.arange(1201))[0]
    assert data.train.targets()[:, 0].tolist() == counts[data.train.rows].tolist()
    assert data.train.features[:, 0].numpy() * float(data.state["std"][0]) + float(data.state["mean"][0]) == (
        pytest.approx(given.series[0].values[:, 0], abs=1e-5)
    )
    assert any("centres of bins" in note for note in data.notes)


def test_centres_with_rows_missing_are_centres_still_and_intervals_have_the_last_word():
    times = 0.025 + 0.05 * np.arange(1199)
    keep = np.ones(1199, dtype=bool)
    keep[[100, 101, 700]] = False
    values = np.random.default_rng(3).normal(size=(1199, 2))
    gaps = binned(session(times=times[keep], covariates=values[keep]))
    assert any("centres of bins" in note for note in gaps.notes) and len(gaps.train.features) == 1199
    told = binned(session(times=times, covariates=values, intervals=np.array([[0.025, 59.925]])))
    assert not any("centres" in note for note in told.notes)
    assert not any("centres" in note for note in binned().notes)


def test_predict_on_centres_begins_half_a_bin_earlier(tmp_path):
    state = binned(session(names=["0", "1"]), history=2).state
    times = 3.0 + 0.05 * np.arange(100)
    np.savez(tmp_path / "mine.npz", covariates=np.ones((100, 2)), covariate_times=times)
    assert Recording.inputs(str(tmp_path / "mine.npz"), state).times == pytest.approx(times[2:], abs=1e-9)
