"""Names in a file and the parts that they play: the documented ones, those of published examples, any other."""

import numpy as np
import pytest
import torch

from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings import written
from tests.data.recordings.made import known_of


@pytest.fixture
def save(tmp_path):
    def save(**keys):
        np.savez(tmp_path / "mine.npz", **{name: value for name, value in keys.items() if value is not None})
        return str(tmp_path / "mine.npz")

    return save


def documented(**changes):
    p = written.parts()
    order = np.argsort(np.concatenate(p["spikes"]), kind="stable")
    return {
        "spike_times": np.concatenate(p["spikes"])[order],
        "spike_units": np.repeat(np.arange(3), list(map(len, p["spikes"])))[order],
        "covariates": p["position"],
        "covariate_times": p["position_times"],
    } | changes


def test_any_name_may_play_any_part(save):
    wanted = Recording(save(**documented(unit_names=["a", "b", "c"])), history=2)
    parts = documented(names=["a", "b", "c"])
    other = {"t": parts["spike_times"], "who": parts["spike_units"], "names": parts["names"]}
    other |= {"xy": parts["covariates"], "clock": parts["covariate_times"]}
    keys = {"spike_times": "t", "spike_units": "who", "unit_names": "names", "covariates": "xy"}
    keys["covariate_times"] = "clock"
    given = Recording(save(**other), keys=keys, history=2)
    assert torch.equal(given.train.features, wanted.train.features) and given.facts["units"] == ["a", "b", "c"]
    assert given.state["covariates"] == ["0", "1"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"spikes": "t"}, "there is no spikes; choose of spike_times"),
        ({"spike_times": "t"}, "has no t, which data.keys names for spike_times: it has"),
    ],
)
def test_keys_that_lead_nowhere(save, keys, words):
    with pytest.raises(BadInput, match=words):
        Recording(save(**documented()), keys=keys)


@pytest.mark.parametrize("key", ["covariate_times", "spike_times", "intervals", "trials", "bin_edges"])
def test_one_number_where_many_belong(save, key):
    parts = documented() | {key: 3.0}
    if key == "bin_edges":
        parts = {name: parts[name] for name in ("covariates", key)} | {"counts": np.ones((9, 2))}
    with pytest.raises(BadInput, match=rf"{key} has shape \(1,\)"):
        Recording(save(**parts))


def test_a_missing_part_says_what_there_is_and_how_to_name_it(save):
    with pytest.raises(BadInput) as refused:
        Recording(save(xy=np.zeros((5, 2)), note=np.array(["made by me"]), spike_times=np.arange(5.0)))
    said = str(refused.value)
    for words in ("spike_units is missing", "xy (5 x 2 numbers", "note (1 text", "data.keys={spike_units:NAME}"):
        assert words in said


@pytest.mark.parametrize("turned", [False, True])
def test_values_may_lie_either_way_and_times_be_columns(save, turned):
    parts = documented()
    values = parts["covariates"].T if turned else parts["covariates"]
    times = parts["covariate_times"][None] if turned else parts["covariate_times"][:, None]
    given = Recording(save(**parts | {"covariates": values, "covariate_times": times}), history=2)
    assert torch.equal(given.train.features, Recording(save(**documented()), history=2).train.features)


def test_several_series_on_clocks_of_their_own(save):
    """The mean of a bin is that of a series' own rows in it."""
    p = written.parts()
    rows = {name: p[name] for name in ("position", "position_times", "speed", "speed_times")}
    spikes = {name: documented()[name] for name in ("spike_times", "spike_units")}
    data = Recording(save(**spikes, **rows), history=0, bin=0.1)
    assert data.state["covariates"] == ["position_0", "position_1", "speed"]
    speed = data.train.features[:, 2].double() * data.state["std"][2] + data.state["mean"][2]
    pairs = p["speed"][: 2 * len(speed), 0].reshape(-1, 2).mean(axis=1)
    assert speed.numpy() == pytest.approx(pairs, abs=1e-6)
    five = p["position"][: 5 * len(speed), 0].reshape(-1, 5).mean(axis=1)
    place = data.train.features[:, 0].double() * data.state["std"][0] + data.state["mean"][0]
    assert place.numpy() == pytest.approx(five, abs=1e-4)


def test_without_intervals_all_series_last_as_long_as_the_shortest(save):
    p = written.parts()
    late = p["speed_times"] + 0.3
    spikes = documented()["spike_times"]
    keep = (spikes > 1) & (spikes < 59)
    keys = {"spike_times": spikes[keep], "spike_units": documented()["spike_units"][keep]}
    given = Recording(save(**keys, place=p["position"], place_times=p["position_times"], v=p["speed"], v_times=late))
    assert known_of(given.train)["time"].min() > 0.3
    with pytest.raises(BadInput, match=r"series do not overlap.*place_times, 0 to 59.98 s, v_times, 100000.3 to"):
        Recording(save(**keys, place=p["position"], place_times=p["position_times"], v=p["speed"], v_times=late + 1e5))


def test_clocks_in_different_units_are_printed_side_by_side(save):
    parts = documented()
    with pytest.raises(BadInput, match=r"all from 11\.\d+ to 598\d+.*s\) lie outside covariate_times, 0 to 59\.98 s"):
        Recording(save(**parts | {"spike_times": parts["spike_times"] * 1000}))


def test_two_units_of_one_name(save):
    with pytest.raises(BadInput, match=r"unit_names has 'a' twice"):
        Recording(save(**documented(unit_names=["a", "b", "a"])))


def test_units_of_covariates_and_intervals_by_another_name(save):
    given = Recording(
        save(**documented(runs=[[1.0, 20.0], [30.0, 59.0]], covariate_names=["x", "y"])),
        keys={"intervals": "runs"},
        history=2,
    )
    assert len(given.train) + len(given.val) + len(given.test) == (380 + 580) - 20 * 2 - 2


def test_only_what_is_used_is_read(save, monkeypatch):
    """A raw voltage beside the spikes may be as large as it likes."""
    monkeypatch.setattr("dlthink.data.recordings.readers.array_listing.MOST", 20_000)
    given = save(**documented(raw=np.zeros(50_000)))
    assert Recording(given).facts["n_targets"] == 3
    with pytest.raises(BadInput, match=r"too large \(raw has \[50000\] entries of float64"):
        Recording(given, keys={"covariates": "raw"})


def test_spikes_of_a_longer_time_than_the_behaviour_are_left_out(save):
    parts = documented()
    keep = (parts["covariate_times"] > 10) & (parts["covariate_times"] < 50)
    cut = {name: parts[name][keep] for name in ("covariates", "covariate_times")}
    data = Recording(save(**parts | cut), history=2)
    (note,) = [n for n in data.notes if n.startswith("left out: ")]
    outside = (parts["spike_times"] < 10) | (parts["spike_times"] > 50)
    assert note.startswith(f"left out: {outside.sum()} of 1,200 spikes (all from 0.") and "10.02 to 49.98 s" in note
    inside = (parts["spike_times"] >= 10.02) & (parts["spike_times"] < 49.97)
    total = sum(data.train.y.sum(dim=0).tolist())
    assert total == pytest.approx(inside.sum(), abs=2)
