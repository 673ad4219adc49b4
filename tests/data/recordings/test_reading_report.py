"""What a run says of the recording that it has read, and of what looks wrong in it."""

import numpy as np
import pytest
import torch

from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings.made import binned, changed, rows, session


def about(words, data):
    return [note for note in data.notes if words in note]


def with_values(rows, columns, values):
    given = session()
    edited = given.series[0].values.copy()
    edited[np.ix_(rows, columns)] = values
    return changed(given, covariates=edited)


def block(number):
    """The rows of covariates in the middle of one of twenty blocks."""
    return 90 * number + 45


def test_what_was_read_is_told():
    (note,) = binned(history=6).notes
    assert note == (
        "read 3 units with 1,800 spikes in 59.95 s: 1,199 bins of 0.05 s; 2 covariates, 1.5 samples a bin; "
        "train 648, val 215, test 216"
    )
    trials = session(intervals=np.array([[0.0, 20.0], [30.0, 50.0]]), spikes=session().spikes[:1], units=["u"])
    assert binned(trials).notes[0].startswith("read 1 unit with 396 spikes in 40 s in 2 stretches: 800 bins")


# ------------------------------------------------------------------------------------------------ values out of range


@pytest.mark.parametrize("fold, split", [(0, "val"), (3, "test")])
def test_values_far_outside_training_are_told_with_time_rows_and_split(fold, split):
    first = block(4)
    data = binned(with_values(range(first, first + 5), [0, 1], -9999.0), fold=fold)
    (note,) = about("out of range", data)
    assert f"in {split}" in note and f"5 rows: {first}-{first + 4}" in note and "covariate a, b" in note
    assert f"from {first / 30:.4f}"[:9] in note and "standard deviations" in note and "-9999" in note


def test_bins_that_see_a_lost_value_do_not_choose_the_checkpoint():
    first = block(4)
    broken = with_values([first], [0], 1e6)
    data, whole = binned(broken, history=3), binned(history=3)
    bad = int(first / 30 / 0.05)
    lost = sorted(set(whole.val.rows.tolist()) - set(data.val.rows.tolist()))
    assert lost == [bad, bad + 1, bad + 2, bad + 3]
    assert torch.equal(data.test.rows, whole.test.rows) and torch.equal(data.train.rows, whole.train.rows)
    assert "4 bins are left out of validation" in about("out of range", data)[0]
    drifted = with_values(range(block(4) - 45, block(4) + 45), [0], 1e6)  # a quarter of validation
    assert torch.equal(binned(drifted, history=3).val.rows, whole.val.rows)


def test_a_code_in_training_is_told_though_it_makes_the_spread():
    data = binned(with_values([block(0), block(0) + 1, block(5)], [1], -999.0))
    (note,) = about("a code for lost data", data)
    assert "covariate b is exactly -999 in 3 rows" in note and "45-46, 495" in note
    assert "exactly 1000000 in 1 row (45;" in about("lost data", binned(with_values([block(0)], [0], 1e6)))[0]


def test_rare_events_states_and_heavy_tails_are_no_codes():
    given = session()
    rng = np.random.default_rng(4)
    rare = (rng.random(1800) < 0.02).astype(float)
    states = rng.integers(0, 3, 1800).astype(float)
    heavy = np.exp(rng.normal(size=1800))
    pulse = 0.001 * rng.normal(size=1800) + 5 * rare
    columns = np.stack([rare, states, heavy, pulse], axis=1)
    data = binned(changed(given, covariates=columns, names=["rare", "states", "heavy", "pulse"]))
    assert len(data.notes) == 1


def test_predict_tells_values_out_of_range(tmp_path):
    state = binned(session(names=["0", "1"]), history=2).state
    values = session().series[0].values.copy()
    values[300] = -9999.0
    np.savez(tmp_path / "mine.npz", covariates=values, covariate_times=session().series[0].times)
    inputs = Recording.inputs(str(tmp_path / "mine.npz"), state)
    assert "row 300" in inputs.summary() and "at 10 s" in inputs.summary() and "\n" not in inputs.summary()
    np.savez(tmp_path / "mine.npz", covariates=session().series[0].values, covariate_times=session().series[0].times)
    assert Recording.inputs(str(tmp_path / "mine.npz"), state).summary() == "1197 predictions"


def test_a_value_far_off_behind_a_long_pause_is_told():
    given = with_values([block(4)], [0], 1e6)
    keep = np.abs(np.arange(1800) - block(4)) % 30 < 1  # a line of one second between rows
    assert about(
        "out of range",
        binned(rows(given, keep)),
    )


# ------------------------------------------------------------------------------------- slow covariates, wrong clocks


def slow(every=4.0, values=None, seconds=400.0, rate=11.0):
    rng = np.random.default_rng(5)
    times = np.arange(0, seconds + every, every)
    values = rng.normal(size=len(times)) if values is None else values[: len(times)]
    spikes = [np.sort(rng.uniform(0, seconds, round(rate * seconds)))]
    return session(times=times, covariates=values[:, None], names=["light"], spikes=spikes, units=["u"])


def test_a_long_pause_of_quick_covariates_is_no_slow_sampling_and_is_told_with_its_time():
    times = np.delete(np.arange(0, 400, 0.05), slice(2000, 6000))  # half of all
    spikes = [np.sort(np.random.default_rng(5).uniform(0, 399, 4000))]
    paused = session(times=times, covariates=np.sin(times)[:, None], names=["a"], spikes=spikes, units=["u"])
    (note,) = about("straight line", binned(paused))
    assert (
        "covariates pause for up to 200 s, from 99.95 s, 50% of bins in all: bridged" in note and "data.gap=1" in note
    )


def test_one_time_far_off_is_named_where_bins_are_too_many():
    times = np.append(np.arange(0, 400, 0.05), 1e9)
    far = session(times=times, covariates=np.sin(times)[:, None], names=["a"], spikes=[times[:99]], units=["u"])
    with pytest.raises(BadInput, match=r"more than memory .* pause for up to 1e\+09 s, from 399.95 s: is a time wrong"):
        binned(far)
    with pytest.raises(BadInput, match="not milliseconds"):
        binned(changed(far, times=np.append(times[:-1], 400) * 1e6))


def test_covariates_slower_than_bins_are_told_and_a_state_is_named():
    (note,) = about("straight line", binned(slow()))
    assert "every 4 s, 80 bins a sample" in note and "99% of bins" in note and "state" not in note
    (note,) = about("straight line", binned(slow(values=np.arange(200.0) % 2)))
    assert "if light is a state" in note and "data.hold=[light]" in note
    held = binned(slow(values=np.arange(200.0) % 2), hold=["light"])
    assert not about("straight line", held) and len(held.notes) == 1


@pytest.mark.parametrize("unit", [1e3, 30_000 / 1250])
def test_a_clock_that_does_not_count_seconds_is_asked_about(unit):
    given = session()
    wrong = changed(given, times=given.series[0].times * unit, spikes=[spikes * unit for spikes in given.spikes])
    (note,) = about("milliseconds or sample numbers", binned(changed(wrong, spikes=[s[::10] for s in wrong.spikes])))
    assert f"{unit / 30 / 0.05:.4g} bins a sample" in note
    assert not about("milliseconds", binned(given)) and not about("milliseconds", binned(slow()))


def test_a_clock_in_hours_is_asked_about():
    given = session()
    hours = changed(given, times=given.series[0].times / 3600, spikes=[spikes / 3600 for spikes in given.spikes])
    assert about("minutes or hours", binned(hours, bin=0.05 / 3600, history=1))


def test_microseconds_are_refused_in_one_line():
    given = session()
    with pytest.raises(BadInput, match=r"in seconds \(not milliseconds"):
        binned(changed(given, times=given.series[0].times * 1e6, spikes=[spikes * 1e6 for spikes in given.spikes]))


def test_many_bins_without_a_sample_are_told():
    given = session()
    times = given.series[0].times
    assert about("19% of bins in all", binned(rows(given, ((times % 10) < 8) | (times > 59))))
    assert about("25% of bins have none", binned(rows(given, ((times % 1) < 0.75) | (times > 59))))


# ---------------------------------------------------------------------------------------------------- what is held


def test_a_held_value_is_the_mean_over_the_bin_of_what_was_valid():
    times, values = np.array([0.3, 1.02, 1.04, 2.5]), np.array([7.0, 1.0, 3.0, -2.0])
    bins = Bins(np.array([[0.0, 2.0], [2.4, 3.4]]), 0.1)
    fine = np.arange(0, 3.4, 1e-4) + 5e-5
    now = values[np.clip(np.searchsorted(times, fine, side="right") - 1, 0, 3)]
    got = bins.held(times, values)
    for i, centre in enumerate(bins.centres):
        assert got[i] == pytest.approx(now[np.abs(fine - centre) < 0.05].mean(), abs=2e-3)


def test_a_state_coded_by_its_changes_equals_the_state_sampled_densely():
    rng = np.random.default_rng(6)
    dense = np.arange(0, 60, 0.01)
    state = np.floor(dense / rng.uniform(2, 3)) % 2
    changes = np.append(0, np.flatnonzero(np.diff(state)) + 1)
    changes = np.append(changes, len(dense) - 1)
    kinds = {"names": ["light"]}
    coded = session(times=dense[changes], covariates=state[changes, None], **kinds)
    sampled = session(times=dense, covariates=state[:, None], **kinds)
    a, b = binned(coded, hold=["light"]), binned(sampled)
    assert torch.allclose(a.train.features, b.train.features, atol=0.02)
    assert not torch.allclose(binned(coded).train.features, b.train.features, atol=0.5)


def test_what_is_held_is_part_of_the_run_and_of_its_predictions(tmp_path):
    given = slow(values=np.arange(200.0) % 2)
    state = binned(given, hold=["light"], history=0).state
    np.savez(
        tmp_path / "mine.npz",
        covariates=given.series[0].values,
        covariate_times=given.series[0].times,
        covariate_names=["light"],
    )
    x = Recording.inputs(str(tmp_path / "mine.npz"), state).features
    assert len(x.unique()) == 2
    with pytest.raises(BadInput, match=r"data\.hold=.*the run was trained with"):
        binned(given, history=0, state=state)


def test_no_such_covariate_to_hold():
    with pytest.raises(BadInput, match=r"data\.hold=\[lihgt\].*no covariate 'lihgt'.*light"):
        binned(slow(), hold=["lihgt"])
    assert binned(session(names=["0", "1"]), hold=[1]).state["hold"] == ["1"]
