"""Spikes to behaviour: windows before and after, any covariate by name, in its own unit."""

import csv

import numpy as np
import pytest
import torch

from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.conftest import refused
from tests.data.recordings import written
from tests.data.recordings.made import UNITS, binned, changed, session
from tests.data.recordings.test_encode import turning

BACK = {"direction": "decode"}


@pytest.mark.parametrize(("before", "after"), [(0, 0), (4, 0), (3, 2)])
def test_windows_of_spikes_equal_a_slow_loop(before, after):
    given = session()
    data = binned(given, **BACK, before=before, after=after, target=["b"])
    bins = Bins(np.array([[0.0, given.series[0].times[-1]]]), 0.05)
    counts = bins.counts(given.spikes)
    values = bins.means(given.series[0].times, given.series[0].values)
    train = np.isin(np.arange(len(bins)) * 20 // len(bins) % 5, [0, 1, 3])
    mean, std = counts[train].mean(axis=0), counts[train].std(axis=0)
    assert data.facts == {
        "n_in": UNITS,
        "window": before + 1 + after,
        "n_targets": 1,
        "bin": 0.05,
        "lags": pytest.approx([0.05 * row for row in range(-before, after + 1)]),
        "input_names": ["u0", "u1", "u2"],
        "unit": [""],
        "target": "measured",
        "target_names": ["b"],
        "target_std": [pytest.approx(values[train, 1].std())],
    }
    for split in (data.train, data.val, data.test):
        index = torch.randperm(len(split))[:30]
        x, y = split.take(index)
        assert x.shape == (30, before + 1 + after, UNITS) and y.dtype == torch.float32
        for sample, i in enumerate(index.tolist()):
            row = int(split.rows[i])
            assert y[sample].tolist() == pytest.approx([values[row, 1]], rel=1e-5)
            seen = (counts[row - before : row + after + 1] - mean) / std
            assert x[sample].numpy() == pytest.approx(seen, abs=1e-4)


def test_windows_before_and_after_are_history_and_future_unless_said():
    data = binned(**BACK, history=3, future=2)
    assert data.facts["window"] == 6 and data.facts["target_names"] == ["a", "b"]
    assert [n for n in data.notes if "of 3 bins before and 2 after it (0.05 s each)" in n]
    assert binned(**BACK, history=3, future=2, before=1, after=0).facts["window"] == 2


def test_the_kind_of_target_follows_the_direction():
    assert Binned.targets(BACK) == "reals" and Binned.targets({}) == "counts"
    assert "target_std" in Binned.fact_names(BACK) and "units" in Binned.fact_names({"direction": "encode"})


def test_targets_are_chosen_by_name_series_and_circle(tmp_path):
    path = str(written.as_nwb(tmp_path))
    data = Recording(path, **BACK, target=["position"])
    assert data.facts["target_names"] == ["position_x", "position_y"] and data.facts["unit"] == ["m", "m"]
    around = binned(turning(), **BACK, circular=["heading"], target=["heading"])
    assert around.facts["target_names"] == ["heading_sin", "heading_cos"]
    assert np.abs(np.hypot(*around.test.targets().numpy().T) - 1).max() < 0.01


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({**BACK, "target": ["c"]}, r"data\.target=\[c\]: ride.npz has no covariate 'c': choose of a, b"),
        ({**BACK, "spike_history": True}, r"data\.spike_history: is for data\.direction=encode"),
        ({**BACK, "bumps": {"a": 4}}, r"data\.bumps: is for data\.direction=encode"),
        ({"target": ["a"]}, r"data\.target: is for data\.direction=decode"),
        ({"before": 3}, r"data\.before: is for data\.direction=decode"),
        ({"after": 0}, r"data\.after: is for data\.direction=decode"),
        ({**BACK, "before": -1}, r"data\.before=-1"),
    ],
)
def test_what_belongs_to_the_other_direction(knobs, words):
    with pytest.raises(BadInput, match=words):
        binned(**knobs)


def test_a_target_that_never_changes():
    flat = session().series[0].values.copy()
    flat[:, 0] = 3.0
    with pytest.raises(BadInput, match="a never changes in the training bins: it cannot be decoded"):
        binned(changed(session(), covariates=flat), **BACK, target=["a"])
    left = binned(changed(session(), covariates=flat), **BACK)
    assert left.facts["target_names"] == ["b"] and [n for n in left.notes if "constant in the training bins" in n]


def test_predict_says_which_units_a_file_for_this_run_holds(tmp_path):
    np.savez(tmp_path / "x.npz", pace=np.zeros(9))
    state = binned(session(), direction="decode").state
    with pytest.raises(BadInput, match=r"^input=.*spike_times is missing .*, with the spikes of units ") as told:
        Recording.inputs(str(tmp_path / "x.npz"), state)
    assert "data." not in str(told.value) and "covariates" not in str(told.value)


def test_predict_decodes_spikes_of_a_file_without_behaviour(tmp_path):
    p = written.parts()
    order = np.argsort(np.concatenate(p["spikes"]), kind="stable")
    spikes = {
        "spike_times": np.concatenate(p["spikes"])[order],
        "spike_units": np.repeat(np.arange(3), list(map(len, p["spikes"])))[order],
    }
    data = Recording(str(written.as_npz(tmp_path)), **BACK, target=["speed"], before=2, after=1)
    np.savez(tmp_path / "bare.npz", **spikes)
    inputs = Recording.inputs(str(tmp_path / "bare.npz"), data.state)
    first = spikes["spike_times"][0]
    assert inputs.times[0] == pytest.approx(first + 2.5 * 0.05) and inputs.features.shape[1] == 3
    inputs.write({"mean": torch.zeros(len(inputs), 1), "std": torch.ones(len(inputs), 1)}, str(tmp_path / "o.csv"))
    with open(tmp_path / "o.csv", newline="") as file:
        assert next(csv.reader(file)) == ["time", "mean[speed]", "std[speed]"]


SMALL = ["data.minutes=2", "data.neurons=6", "data.rate=12", "model.width=8", "trainer=smoke", "trainer.device=cpu"]


def test_from_the_command_line(cli, tmp_path):
    words = ["data.direction=decode", "data.target=[speed,lean]", "data.before=3", "data.after=2"]
    code, out, err = cli("train", *words, *SMALL, "hydra.run.dir=run")
    assert code == 0, err
    assert "r2_speed" in out and "r2_lean" in out and "of 3 bins before and 2 after it" in out
    assert cli("evaluate", "run=run")[0] == 0
    refused(cli("evaluate", "run=run", "data.after=4"), "data.after=4: the run was trained with 2")
    refused(cli("train", "data.direction=decode", "loss=poisson", *SMALL), "has reals", "gaussian_nll")
    refused(cli("train", "data.before=3", *SMALL), "data.before: there is no such key")
    refused(cli("train", "data.direction=back", *SMALL), "data.direction=back", "encode")
    np.savez(tmp_path / "mine.npz", spike_times=np.arange(0, 9, 0.1), spike_units=np.arange(90) % 6)
    code, out, err = cli("predict", "run=run", "input=mine.npz", "output=o.csv")
    assert code == 0, err
    assert (tmp_path / "o.csv").read_text().startswith("time,mean[speed],mean[lean],std[speed],std[lean]\n")
