"""Windows that look ahead, covariates that go around, bumps along them; what is no behaviour at all is told."""

import numpy as np
import pytest
import torch
from scipy import stats

from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.bumps import Bumps
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings.made import UNITS, binned, changed, session


def raw(data, features):
    return features.double() * data.state["std"] + data.state["mean"]


@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize(("history", "future"), [(0, 1), (3, 2), (2, 5)])
def test_a_window_that_looks_ahead_equals_a_slow_loop(history, future, past):
    given = session()
    data = binned(given, history=history, future=future, spike_history=past)
    bins = Bins(np.array([[0.0, given.series[0].times[-1]]]), 0.05)
    values = bins.means(given.series[0].times, given.series[0].values)
    counts = bins.counts(given.spikes)
    assert data.facts["window"] == history + 1 + future and data.facts["n_in"] == 2 + UNITS * past
    block = np.arange(len(bins)) * 20 // len(bins)
    for split in (data.train, data.val, data.test):
        index = torch.randperm(len(split))[:25]
        x, y = split.take(index)
        x = raw(data, x)
        for sample, i in enumerate(index.tolist()):
            row = int(split.rows[i])
            assert y[sample].tolist() == counts[row].tolist()
            seen = list(range(row - history - past * (1 + future), row + future + 1))
            assert {block[bin] for bin in seen} == {block[row]}
            for step in range(history + 1 + future):
                wanted = list(values[row - history + step])
                if past:  # strictly before the present bin: the last row of the window holds the latest
                    wanted += list(counts[row - history + step - future - 1])
                assert x[sample, step].tolist() == pytest.approx(wanted, abs=1e-4)


def test_looking_ahead_is_told():
    assert [n for n in binned(future=3).notes if "x looks 3 bins (0.15 s) ahead" in n]
    assert not [n for n in binned().notes if "ahead" in n]


def test_spikes_of_the_present_and_later_bins_never_reach_x():
    given = session()
    data = binned(given, history=4, future=3, spike_history=True)
    row = int(data.test.rows[30])
    later = [np.concatenate([unit[unit < row * 0.05], np.linspace(row * 0.05, 59.0, 99)]) for unit in given.spikes]
    other = binned(session(spikes=later), history=4, future=3, spike_history=True, state=data.state)
    one = torch.tensor([30])
    assert int(other.test.rows[30]) == row and torch.equal(other.test.take(one)[0], data.test.take(one)[0])


def test_predict_looks_ahead_as_training_did(tmp_path):
    given = session(names=["0", "1"])
    data = binned(given, history=2, future=3)
    np.savez(tmp_path / "x.npz", covariates=given.series[0].values, covariate_times=given.series[0].times)
    inputs = Recording.inputs(str(tmp_path / "x.npz"), data.state)
    assert len(inputs) == 1199 - 5
    where = {round(time / 0.05 - 0.5): i for i, time in enumerate(inputs.times)}
    index = torch.tensor([where[int(row)] for row in data.val.rows[:20]])
    assert torch.equal(inputs.take(index)[0], data.val.take(torch.arange(20))[0])


# ----------------------------------------------------------------------------------------------------------- circular


def turning(turn=360.0):
    times = np.arange(0, 60, 1 / 30)
    heading = (37.0 * times / 360 * turn) % turn
    return changed(session(), covariates=np.stack([heading, np.cos(times)], axis=1), names=["heading", "b"])


@pytest.mark.parametrize(("turn", "words"), [(360.0, "degrees"), (2 * np.pi, "radians"), (24.0, None)])
def test_what_goes_around_is_averaged_on_its_circle(turn, words):
    circular = ["heading"] if words else {"heading": turn}
    data = binned(turning(turn), circular=circular, history=0, bin=0.1)
    assert data.state["covariates"] == ["heading_sin", "heading_cos", "b"]
    x = raw(data, data.train.features).numpy()
    times = (np.arange(len(x)) + 0.5) * 0.1 - 1 / 60
    angle = np.deg2rad(37.0 * times)
    assert np.abs(np.arctan2(x[:, 0], x[:, 1]) - np.angle(np.exp(1j * angle)))[5:].min() < 0.02
    assert np.abs(np.hypot(x[:, 0], x[:, 1]) - 1).max() < 0.01  # a mean of degrees would fall into the middle
    assert bool([n for n in data.notes if words and f"heading goes around, in {words}" in n]) == bool(words)


def test_what_cannot_go_around():
    with pytest.raises(BadInput, match=r"has no covariate 'head'"):
        binned(turning(), circular=["head"])
    with pytest.raises(BadInput, match=r"from 0 to 7[\d.]+, which is more than a turn of 360.*\{heading:24\}"):
        binned(turning(720.0), circular=["heading"])
    for turn in (0, -360.0, np.inf):
        with pytest.raises(BadInput, match=r"data\.circular=\{heading:\S+\}: a turn is longer than 0"):
            binned(turning(), circular={"heading": turn})


def test_predict_turns_them_as_training_did(tmp_path):
    given = turning()
    data = binned(given, circular=["heading"], history=1)
    measured = given.series[0]
    keys = {"covariates": measured.values, "covariate_times": measured.times, "covariate_names": measured.names}
    np.savez(tmp_path / "x.npz", **keys)
    inputs = Recording.inputs(str(tmp_path / "x.npz"), data.state)
    assert torch.equal(inputs.features, data.train.features)


@pytest.mark.parametrize("content", [b"time,heading\n0,1\n1,2\n", b"no recording"])
def test_predict_says_what_a_file_for_this_run_holds(tmp_path, content):
    """In its own words: no setting of training can be typed there."""
    path = tmp_path / ("x.csv" if b"," in content else "x.npy")
    path.write_bytes(content)
    np.savez(tmp_path / "x.npz", pace=np.zeros(9))
    state = binned(turning(), circular=["heading"], history=1, bumps={"heading": 3}).state
    for file in path, tmp_path / "x.npz":
        with pytest.raises(
            BadInput, match=rf"^input=\S*{file.name}: .*: give an .npz, .*, with the covariates "
        ) as told:
            Recording.inputs(str(file), state)
        assert "heading" in str(told.value) and "heading_" not in str(told.value) and "data." not in str(told.value)


def test_a_turn_stays_what_it_was_where_another_recording_turns_little(tmp_path):
    data = binned(turning(), circular=["heading"], history=1)
    other = turning()
    values = other.series[0].values / [100.0, 1.0]  # degrees still, though they might be radians
    keys = {"covariates": values, "covariate_times": other.series[0].times, "covariate_names": other.series[0].names}
    np.savez(tmp_path / "x.npz", **keys)
    inputs = Recording.inputs(str(tmp_path / "x.npz"), data.state)
    heading = np.rad2deg(np.arctan2(*raw(data, inputs.features)[:, :2].T.numpy()))
    assert 3 < heading.max() < 3.7
    again = binned(changed(other, covariates=values), circular=["heading"], history=1, state=data.state)
    assert torch.equal(again.train.features[-len(inputs.features) :], inputs.features)


# -------------------------------------------------------------------------------------------------------------- bumps


def test_bumps_are_gaussians_from_the_lowest_to_the_highest_training_value():
    values = {"x": np.linspace(-2, 6, 50), "y": np.linspace(0, 1, 50)}
    bumps = Bumps({"x": 5, "x*y": 3})
    made = bumps.columns(values, bumps.fit(values))
    centres = np.linspace(-2, 6, 5)
    for i in range(5):
        wanted = stats.norm(centres[i], 2).pdf(values["x"]) / stats.norm(0, 2).pdf(0)
        assert made[f"x_bump_{i}"] == pytest.approx(wanted)
    assert len(made) == 5 + 9
    x, y = (
        np.exp(-0.5 * ((values[n][7] - np.linspace(*e, 3)) / ((e[1] - e[0]) / 2)) ** 2)
        for n, e in (("x", (-2, 6)), ("y", (0, 1)))
    )
    assert [made[f"x*y_bump_{i}"][7] for i in range(9)] == pytest.approx(np.outer(x, y).ravel())


def test_bumps_around_are_von_mises():
    angles = np.linspace(-np.pi, np.pi, 60)
    values = {"h_sin": np.sin(angles), "h_cos": np.cos(angles)}
    bumps = Bumps({"h": 8})
    made = bumps.columns(values, bumps.fit(values))
    k = (8 / (2 * np.pi)) ** 2
    for i in range(8):
        wanted = stats.vonmises(k, loc=2 * np.pi * i / 8)
        assert made[f"h_bump_{i}"] == pytest.approx(wanted.pdf(angles) / wanted.pdf(2 * np.pi * i / 8))


def test_bumps_stand_beside_their_covariate_and_come_from_training_bins(tmp_path):
    given = session(names=["0", "1"])
    data = binned(given, bumps={"1": 6}, history=1)
    assert data.state["covariates"] == ["0", "1", *(f"1_bump_{i}" for i in range(6))]
    values = raw(data, data.train.features).numpy()
    low, high = data.state["bump_ends"]["1"]
    role = np.arange(len(values)) * 20 // len(values) % 5
    seen = values[(role != 2) & (role != 4), 1]
    assert (low, high) == pytest.approx((seen.min(), seen.max()), abs=1e-4)
    np.savez(tmp_path / "x.npz", covariates=given.series[0].values, covariate_times=given.series[0].times)
    assert torch.equal(Recording.inputs(str(tmp_path / "x.npz"), data.state).features, data.train.features)


@pytest.mark.parametrize(
    ("bumps", "words"),
    [
        ({"x": 5}, "no covariate 'x': choose of a, b"),
        ({"a": 1}, "2 bumps at least"),
        ({"a*b": 40}, "1,600 bumps in all"),
    ],
)
def test_bumps_that_cannot_be_made(bumps, words):
    with pytest.raises(BadInput, match=words):
        binned(bumps=bumps)


# ---------------------------------------------------------------------------------------------- no behaviour, no spikes


def test_a_covariate_made_from_the_spikes_is_told():
    given = session()
    times = (np.arange(1199) + 0.5) * 0.05
    counts = np.histogram(given.spikes[1], np.arange(1200) * 0.05)[0]
    rng = np.random.default_rng(0)
    leak = changed(given, covariates=np.stack([rng.normal(size=1199), -2.0 * counts + 1], axis=1), times=times)
    (note,) = [n for n in binned(leak).notes if "was it made from them" in n]
    assert note.startswith("covariate b (unit u1) goes with the spikes of the same bin (|r| > 0.95)")
    assert not [n for n in binned().notes if "made from them" in n]


def test_a_stretch_without_any_spike_is_told():
    given = session()
    silent = changed(given, spikes=[unit[(unit < 20) | (unit > 31)] for unit in given.spikes])
    (note,) = [n for n in binned(silent).notes if "no unit fires" in n]
    assert note.startswith("no unit fires for 11") and "from 19.9" in note.replace("20.0", "19.9")
    assert not [n for n in binned().notes if "no unit fires" in n]
