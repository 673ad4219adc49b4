"""Neurodata Without Borders: files written by pynwb."""

from datetime import datetime, timezone

import numpy as np
import pytest
import torch

from dlthink.data.recordings.readers import nwb
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings import written
from tests.data.recordings.made import known_of

pynwb = pytest.importorskip("pynwb", reason="pynwb reads NWB files")


def test_series_have_names_units_and_their_conversion(tmp_path):
    session = nwb.session(written.as_nwb(tmp_path))
    by_name = {series.key: series for series in session.series}
    assert by_name["position"].names == ["position_x", "position_y"] and by_name["position"].units == ["m", "m"]
    assert np.allclose(by_name["position"].values, written.parts()["position"])
    assert by_name["speed"].times == pytest.approx(written.parts()["speed_times"]) and set(by_name) == {
        "position",
        "speed",
    }


def test_a_series_of_another_place_can_be_named(tmp_path):
    path = str(written.as_nwb(tmp_path))
    assert Recording(path, series=["breath"]).state["covariates"] == ["breath"]
    with pytest.raises(BadInput, match=r"no series pace; it has position \(in behavior\).*breath \(in acquisition\)"):
        Recording(path, series=["pace"])


def test_no_units(tmp_path):
    path = written.as_nwb(tmp_path, units=False)
    with pytest.raises(BadInput, match="holds no units"):
        Recording(str(path))
    state = Recording(str(written.as_h5(tmp_path)), history=3).state
    names = ["position_x", "position_y", "speed"]
    assert len(Recording.inputs(str(path), state | {"covariates": names}))  # which needs none


def test_no_behaviour(tmp_path):
    began = datetime(2024, 1, 1, tzinfo=timezone.utc)
    file = pynwb.NWBFile(session_description="x", identifier="x", session_start_time=began)
    file.add_unit(spike_times=[1.0, 2.0])
    with pynwb.NWBHDF5IO(str(tmp_path / "x.nwb"), "w") as io:
        io.write(file)
    with pytest.raises(BadInput, match=r"no series in its module `behavior`; it has none at all.*data\.series"):
        Recording(str(tmp_path / "x.nwb"))


def test_behaviour_that_is_no_rows_of_numbers_is_left_out_unless_it_is_named(tmp_path):
    began = datetime(2024, 1, 1, tzinfo=timezone.utc)
    file = pynwb.NWBFile(session_description="x", identifier="x", session_start_time=began)
    file.add_unit(spike_times=[1.0, 2.0])
    module = file.create_processing_module("behavior", "what it did")
    for name, data in {"speed": np.arange(9.0), "state": ["run", "rest"], "lick": np.empty(0)}.items():
        module.add(pynwb.TimeSeries(name=name, data=data, rate=1.0, unit="x"))
    with pynwb.NWBHDF5IO(str(tmp_path / "x.nwb"), "w") as io:
        io.write(file)
    session = nwb.session(tmp_path / "x.nwb")
    assert session.names == ["speed"]
    assert session.notes == ("left out of behavior, no two rows of numbers: lick, state",)
    with pytest.raises(BadInput, match=r"series state holds object, not numbers: name others, data\.series"):
        nwb.session(tmp_path / "x.nwb", wanted=["state"])


def test_intervals_by_name_and_invalid_times(tmp_path):
    stretches = [(1.0, 20.0), (30.0, 59.0)]
    path = written.as_nwb(tmp_path, epochs=stretches, invalid=[(40.0, 45.0), (5.0, 6.0)])
    whole = Recording(str(path), history=0)
    named = Recording(str(path), keys={"intervals": "epochs"}, history=0)
    valid = 59.95 - 6
    assert len(whole.train.features) == pytest.approx(valid / 0.05, abs=2)
    assert len(named.train.features) == pytest.approx((19 + 29 - 6) / 0.05, abs=2)
    time = known_of(whole.train)["time"]
    assert not ((time > 40) & (time < 45)).any() and not ((time > 5) & (time < 6)).any()
    with pytest.raises(BadInput, match=r"no intervals runs, which data\.keys names; it has epochs"):
        Recording(str(path), keys={"intervals": "runs"})


def test_what_all_units_were_observed_for(tmp_path):
    p, path = written.parts(), written.as_nwb(tmp_path, units=False)

    def observed(*each):
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            file = io.read()
            for spikes, ends in zip(p["spikes"], each, strict=True):
                file.add_unit(spike_times=spikes, obs_intervals=ends)
            with pynwb.NWBHDF5IO(str(tmp_path / "y.nwb"), "w") as out:
                out.export(src_io=io, nwbfile=file)
        return nwb.session(tmp_path / "y.nwb")

    same = observed(*[[[0.0, 20.0], [25.0, 50.0]]] * 3)
    assert same.intervals.tolist() == [[0.0, 20.0], [25.0, 50.0]]
    other = observed([[0.0, 20.0]], [[0.0, 20.0]], [[0.0, 30.0]])
    assert other.intervals is None and "observed for different times" in other.notes[0]


def test_trials_hold_numbers_and_words(tmp_path):
    trials = nwb.session(written.as_nwb(tmp_path, trials=True)).trials
    assert trials.names == ["side=left", "side=right", "reward"]
    assert trials.values[:, 0].tolist() == [float(side == "left") for side in written.SIDE]
    assert trials.values[:, 2].tolist() == written.REWARD


def test_a_file_is_known_by_its_content(tmp_path):
    path = written.as_nwb(tmp_path)
    other = path.rename(tmp_path / "mine.h5")
    assert torch.equal(Recording(str(other)).train.targets(), Recording(str(written.as_nwb(tmp_path))).train.targets())
