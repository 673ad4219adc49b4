"""Binning, windows and splits against slow loops, and what training bins decide."""

import numpy as np
import pytest
import torch

from dlthink.data.recordings import blocks
from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.bins import Bins
from dlthink.errors import BadInput
from tests.data.recordings.made import UNITS, binned, changed, known_of, session


def rows_of(split):
    return split.rows.tolist()


# ------------------------------------------------------------------------------------ counts


@pytest.mark.parametrize("width", [0.05, 0.1, 0.03, 1 / 3, 0.007])
def test_every_spike_is_in_exactly_one_bin(width):
    rng = np.random.default_rng(1)
    intervals = np.array([[0.0, 7.0], [7.0, 9.3], [20.0, 31.7]])
    bins = Bins(intervals, width)
    spikes = np.sort(rng.uniform(-2, 33, 700))
    slow = []
    for low, high in intervals:
        number = int((high - low) / width + 1e-6)
        for i in range(number):
            slow.append(int(((low + i * width <= spikes) & (spikes < low + (i + 1) * width)).sum()))
    assert bins.counts([spikes])[:, 0].tolist() == slow
    ends = [(edges[0], edges[-1]) for edges in bins.edges]
    assert bins.counts([spikes]).sum() == sum(((spikes >= a) & (spikes < b)).sum() for a, b in ends)


def test_spikes_on_an_edge_belong_to_the_bin_that_begins_there():
    # 3 * 0.1 is a hair above 0.3: a plain search puts a spike at 0.3 s one bin too early.
    spikes = np.array([i / 10 for i in range(1000)])
    assert (Bins(np.array([[0.0, 100.0]]), 0.1).counts([spikes]) == 1).all()


def test_a_late_clock_keeps_its_spikes():
    start = 4397.0317
    spikes = start + np.arange(0, 900, 0.05)
    bins = Bins(np.array([[start, start + 900.0]]), 0.05)
    assert (bins.counts([spikes]) == 1).all() and len(bins) == 18000


def test_an_unfinished_last_bin_is_left_out():
    bins = Bins(np.array([[0.0, 1.04], [2.0, 2.02], [3.0, 3.1]]), 0.05)
    assert len(bins) == 22
    assert bins.origin.tolist() == [0] * 20 + [20] * 2
    assert bins.counts([np.array([1.01, 2.01, 3.01])]).sum() == 1


# -------------------------------------------------------------------------------- covariates


def test_covariates_are_means_inside_bins_and_lines_between():
    rng = np.random.default_rng(2)
    times = np.sort(rng.uniform(0, 10, 120))
    values = rng.normal(size=(120, 2))
    bins = Bins(np.array([[0.5, 9.5]]), 0.1)
    means = bins.means(times, values)
    empty = 0
    for i, centre in enumerate(bins.centres):
        inside = (times >= centre - 0.05) & (times < centre + 0.05)
        if inside.any():
            wanted = values[inside].mean(axis=0)
        else:
            wanted = [np.interp(centre, times, values[:, f]) for f in (0, 1)]
            empty += 1
        assert means[i] == pytest.approx(wanted, abs=1e-12)
    assert 10 < empty < 60


def test_expected_counts_are_integrals_of_the_rate():
    rng = np.random.default_rng(3)
    edges = np.linspace(0, 6, 601)
    rates = rng.gamma(2.0, size=(600, 2))
    bins = Bins(np.array([[0.0, 2.5], [3.013, 5.9]]), 0.07)
    got = np.stack([bins.integral(edges, rate) for rate in rates.T], axis=1)
    fine = np.linspace(0, 6, 600_001)[:-1] + 0.5e-5
    for i in range(0, len(bins), 7):
        inside = np.abs(fine - bins.centres[i]) < 0.035
        wanted = rates[np.minimum((fine[inside] / 0.01).astype(int), 599)].sum(axis=0) * 1e-5
        assert got[i] == pytest.approx(wanted, rel=1e-3)


# ----------------------------------------------------------------------------------- windows


@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("history", [0, 1, 7])
def test_windows_equal_a_slow_loop(history, past):
    given = session()
    data = binned(given, history=history, spike_history=past)
    bins = Bins(np.array([[0.0, given.series[0].times[-1]]]), 0.05)
    values, counts = bins.means(given.series[0].times, given.series[0].values), bins.counts(given.spikes)
    role = np.array([blocks.pattern(5)[b % 5] for b in np.arange(len(bins)) * 20 // len(bins)])
    mean, std = values[role == "train"].mean(axis=0), values[role == "train"].std(axis=0)
    past_counts = counts[role == "train"].astype(float)
    count_mean, count_std = past_counts.mean(axis=0), past_counts.std(axis=0)
    assert data.facts == {
        "n_in": 2 + UNITS * past,
        "window": history + 1,
        "n_targets": UNITS,
        "units": ["u0", "u1", "u2"],
        "target_names": ["u0", "u1", "u2"],
        "input_names": ["a", "b", *(["u0 (spikes)", "u1 (spikes)", "u2 (spikes)"] if past else [])],
        "lags": pytest.approx([0.05 * row for row in range(-history, 1)]),
        "bin": 0.05,
        "largest_count": past_counts.max(),
    }
    for split in (data.train, data.val, data.test):
        index = torch.randperm(len(split))[:40]
        x, y = split.take(index)
        assert x.dtype == y.dtype == torch.float32
        assert x.shape == (40, history + 1, data.facts["n_in"])
        for sample, i in enumerate(index.tolist()):
            row = rows_of(split)[i]
            assert y[sample].tolist() == counts[row].tolist()
            assert torch.equal(split.targets()[i], y[sample])
            for step in range(history + 1):
                then = row - history + step
                wanted = list((values[then] - mean) / std)
                if past:
                    wanted += list((counts[then - 1] - count_mean) / count_std)
                assert x[sample, step].tolist() == pytest.approx(wanted, abs=1e-5)


def test_spike_history_is_strictly_past():
    given = session()
    data = binned(given, history=5, spike_history=True)
    split = data.test
    i = len(split) // 2
    row = rows_of(split)[i]
    start = row * 0.05
    # Everything from the start of the present bin on is thrown away, and a burst put in its place.
    burst = np.linspace(start, start + 0.04, 30)
    edited = [np.concatenate([unit[unit < start], burst]) for unit in given.spikes]
    later = binned(session(spikes=edited), history=5, spike_history=True, state=data.state)
    one = torch.tensor([i])
    assert rows_of(later.test)[i] == row
    assert torch.equal(later.test.take(one)[0], split.take(one)[0])
    assert not torch.equal(later.test.take(one)[1], split.take(one)[1])
    assert not torch.equal(later.test.take(one + 1)[0], split.take(one + 1)[0])


def test_covariates_of_the_future_do_not_matter():
    given = session()
    data = binned(given, history=5)
    row = rows_of(data.test)[10]
    edited = given.series[0].values.copy()
    edited[given.series[0].times >= (row + 1) * 0.05 - 1e-9] += 100.0
    later = binned(session(covariates=edited), history=5, state=data.state)
    one = torch.tensor([10])
    assert torch.equal(later.test.take(one)[0], data.test.take(one)[0])
    assert not torch.equal(later.test.take(one + 1)[0], data.test.take(one + 1)[0])


def test_splits_move_whole():
    data = binned(history=3)
    moved = data.train.to("cpu")
    index = torch.tensor([5, 2, 2])
    assert all(torch.equal(a, b) for a, b in zip(moved.take(index), data.train.take(index), strict=True))
    assert torch.equal(moved.targets(), data.train.targets()) and len(moved) == len(data.train)
    there, here = known_of(moved), known_of(data.train)
    assert torch.equal(there["time"], here["time"]) and set(there) == {"time", "item"}
    assert known_of(data.train)["time"].numpy() == pytest.approx((data.train.rows.numpy() + 0.5) * 0.05, rel=1e-5)


# ------------------------------------------------------------------------------------ splits


@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("fold", range(5))
@pytest.mark.parametrize("intervals", [None, [[0.0, 20.0], [20.0, 33.3], [40.0, 59.0]]])
def test_no_window_crosses_a_border(fold, past, intervals):
    intervals = None if intervals is None else np.array(intervals)
    history = 6
    data = binned(session(intervals=intervals), history=history, spike_history=past, fold=fold)
    number = len(Bins(np.array([[0.0, session().series[0].times[-1]]]) if intervals is None else intervals, 0.05))
    stretch = np.zeros(number, dtype=int)
    if intervals is not None:
        stretch[400:], stretch[400 + 266 :] = 1, 2
    touched = {}
    for name in ("train", "val", "test"):
        touched[name] = set()
        for row in rows_of(getattr(data, name)):
            window = list(range(row - history - past, row + 1))  # with past counts, also the bin before the window
            assert window[0] >= 0
            assert {bin * 20 // number for bin in window} == {row * 20 // number}
            assert len({stretch[bin] for bin in window}) == 1
            assert blocks.pattern(5)[(row * 20 // number + fold) % 5] == name
            touched[name] |= set(window)
    assert not touched["train"] & touched["val"]
    assert not touched["train"] & touched["test"]
    assert not touched["val"] & touched["test"]


def test_only_the_gaps_are_lost():
    data = binned(session(seconds=60.0 + 1 / 30), history=6)
    assert len(data.train) + len(data.val) + len(data.test) == 1200 - 20 * 6
    assert (len(data.train), len(data.val), len(data.test)) == (12 * 54, 4 * 54, 4 * 54)


def test_over_five_folds_every_block_is_test_once():
    tests = [row for fold in range(5) for row in rows_of(binned(history=2, fold=fold).test)]
    alltogether = [row for name in ("train", "val", "test") for row in rows_of(getattr(binned(history=2), name))]
    assert sorted(tests) == sorted(alltogether)


def test_start_and_stop_count_from_the_beginning_even_with_intervals():
    data = binned(session(intervals=np.array([[5.0, 25.0], [30.0, 58.0]])), start=10.0, stop=40.0, history=0)
    assert len(data.train) + len(data.val) + len(data.test) == (15 + 10) * 20
    assert known_of(data.train)["time"].min() > 10.0 and known_of(data.test)["time"].max() < 40.0


def test_start_and_stop_count_from_the_beginning():
    late = session(times=session().series[0].times + 1000.0, spikes=[s + 1000.0 for s in session().spikes])
    data = binned(late, start=10.0, stop=40.0, history=0)
    assert len(data.train) + len(data.val) + len(data.test) == 600
    whole = np.concatenate([late.spikes[0][(late.spikes[0] >= 1010) & (late.spikes[0] < 1040)]])
    assert sum(s.targets()[:, 0].sum() for s in (data.train, data.val, data.test)) == len(whole)


# -------------------------------------------------------------------- what training bins say


def test_standardized_from_training_bins_only():
    data = binned(history=0)
    x, _ = data.train.take(torch.arange(len(data.train)))
    assert x.mean(dim=(0, 1)).tolist() == pytest.approx([0, 0], abs=1e-5)
    assert x.std(dim=(0, 1), correction=0).tolist() == pytest.approx([1, 1], abs=1e-5)
    given = session()
    edited = given.series[0].values.copy()
    number = len(Bins(np.array([[0.0, given.series[0].times[-1]]]), 0.05))
    outside = np.minimum(given.series[0].times / 0.05 + 1e-6, number - 1).astype(int) * 20 // number % 5
    edited[np.isin(outside, [2, 4])] *= 50.0
    again = binned(session(covariates=edited), history=0)
    assert torch.equal(again.state["mean"], data.state["mean"]) and torch.equal(again.state["std"], data.state["std"])


def test_state_prepares_another_recording_in_the_same_way():
    first = binned(history=4, bin=0.1, spike_history=True)
    assert set(first.state) == {
        *Binned.fixed,
        "covariates",
        "units",
        "largest_count",
        "mean",
        "std",
        "low",
        "high",
        "bump_ends",
        "seen",
        "turns",
    }
    other = session(seed=9, number=4)
    other = changed(other, covariates=other.series[0].values[:, ::-1] * 7, names=["b", "a"])
    second = binned(other, history=4, bin=0.1, spike_history=True, state=first.state)
    assert second.facts == first.facts and second.state is first.state
    bins = Bins(np.array([[0.0, other.series[0].times[-1]]]), 0.1)
    values = bins.means(other.series[0].times, other.series[0].values[:, ::-1])
    row = rows_of(second.val)[3]
    x, y = second.val.take(torch.tensor([3]))
    wanted = (values[row] - first.state["mean"][:2].numpy()) / first.state["std"][:2].numpy()
    assert x[0, -1, :2].tolist() == pytest.approx(list(wanted), rel=1e-4)
    assert y.shape == (1, 3)


def test_state_survives_a_checkpoint(tmp_path):
    state = binned(spike_history=True).state
    torch.save(state, tmp_path / "state.pt")
    loaded = torch.load(tmp_path / "state.pt", weights_only=True)
    assert torch.equal(binned(spike_history=True, state=loaded).test.features, binned(spike_history=True).test.features)


def test_a_unit_that_never_fires_is_left_out_with_a_note():
    given = session()
    data = binned(session(spikes=[given.spikes[0], np.array([]), given.spikes[2]]))
    assert data.facts["units"] == ["u0", "u2"] and data.facts["n_targets"] == 2
    assert any("u1" in note for note in data.notes)
    assert (data.train.targets().sum(dim=0) > 0).all()


def test_units_with_few_spikes_in_training_are_left_out():
    given = session()
    few = np.array([0.4, 0.5, 0.6, 0.7, 0.8])
    late = np.arange(6.4, 8.8, 0.01)  # all of them in the third block, a test block
    data = binned(session(spikes=[given.spikes[0], few, late]), min_spikes=6, history=2)
    assert data.facts["units"] == ["u0"] and any("u1, u2" in note for note in data.notes)
    assert binned(session(spikes=[given.spikes[0], few, late]), min_spikes=5, history=2).facts["units"] == [
        "u0",
        "u1",
    ]


def test_no_unit_left():
    with pytest.raises(BadInput, match=r"ride.npz.*min_spikes"):
        binned(min_spikes=10_000)
    with pytest.raises(BadInput, match=r"ride.npz"):
        binned(session(spikes=[np.array([])] * UNITS))
    with pytest.raises(BadInput, match="no units"):
        binned(session(spikes=[], units=[]))


def test_one_unit_is_enough():
    data = binned(session(number=1), spike_history=True)
    x, y = data.train.take(torch.arange(3))
    assert x.shape == (3, 11, 3) and y.shape == (3, 1)


def test_a_constant_covariate_is_left_out_with_a_note():
    given = session()
    edited = given.series[0].values.copy()
    edited[:, 0] = 0.1
    data = binned(session(covariates=edited))
    assert data.facts["n_in"] == 1 and data.state["covariates"] == ["b"] and any(" a" in note for note in data.notes)
    assert torch.isfinite(data.test.features).all()


def test_all_covariates_constant():
    flat = session(covariates=np.full((1800, 2), 0.1))
    with pytest.raises(BadInput, match=r"ride.npz.*constant"):
        binned(flat)
    assert binned(flat, spike_history=True).facts["n_in"] == UNITS


def test_a_long_pause_of_the_covariates_is_noted():
    given = session()
    keep = (given.series[0].times < 20) | (given.series[0].times > 25)
    pausing = session(times=given.series[0].times[keep], covariates=given.series[0].values[keep])
    assert any("5" in note and "pause" in note for note in binned(pausing).notes)
    assert len(binned(given).notes) == 1


@pytest.mark.parametrize(
    "knob",
    [{"fold": 1}, {"blocks": 10}, {"start": 1.0}, {"stop": 50.0}, {"bin": 0.1}, {"history": 3}, {"min_spikes": 9}],
)
def test_what_decides_about_training_and_test_is_fixed_once_trained(knob):
    """Another fold would call training bins a test."""
    (name,) = knob
    with pytest.raises(BadInput, match=rf"data\.{name}=.*the run was trained with"):
        binned(state=binned().state, **knob)


def test_a_split_without_a_spike():
    """Milliseconds beside seconds: all spikes fall in the first block."""
    given = session()
    with pytest.raises(BadInput, match=r"not one spike falls in the \w+ bins.*in seconds"):
        binned(session(spikes=[unit / 1000 for unit in given.spikes]))


def test_items_of_a_comparison_are_fifths_of_blocks():
    block = np.repeat([0, 1, 2], [10, 10, 13])
    made = blocks.items(block)
    assert made[:20].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
    assert made[20] == 10 and np.bincount(made[20:])[10:].tolist() == [3, 3, 2, 3, 2]
