"""The user's own file: its keys, its mistakes, and the table that predict writes."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from dlthink.data.recordings.recording import Recording
from dlthink.data.recordings.spikes import Spikes
from dlthink.errors import BadInput

SECONDS = 60.0


def keys(seed=0, **changes):
    rng = np.random.default_rng(seed)
    times = np.arange(0, SECONDS, 0.02)
    spikes = rng.uniform(0, SECONDS - 0.1, 1200)
    parts = {
        "spike_times": np.sort(spikes),
        "spike_units": rng.integers(0, 3, 1200),
        "covariates": rng.normal(size=(len(times), 2)),
        "covariate_times": times,
    }
    return {name: value for name, value in (parts | changes).items() if value is not None}


@pytest.fixture
def save(tmp_path):
    def save(name="mine.npz", **changes):
        np.savez(tmp_path / name, **keys(**changes))
        return str(tmp_path / name)

    return save


def test_reads_the_documented_keys(save):
    data = Recording(save(covariate_names=np.array(["speed", "angle"]), unit_names=np.array(["a", "b", "c"])))
    assert data.facts["units"] == ["a", "b", "c"]
    assert data.state["covariates"] == ["speed", "angle"]
    spikes, units = keys()["spike_times"], keys()["spike_units"]
    edges = np.arange(0, 1200) * 0.05
    counts = np.histogram(spikes[units == 1], edges)[0]
    got = data.test.targets()[:, 1].tolist()
    assert got == counts[data.test.rows].tolist()
    assert Recording(save()).facts["units"] == ["0", "1", "2"]


def test_units_by_name_and_without_gaps_in_number(save):
    units = keys()["spike_units"]
    by_name = Recording(save(spike_units=np.array(["left", "right", "deep"])[units]))
    assert by_name.facts["units"] == ["deep", "left", "right"]
    ordered = Recording(
        save(spike_units=np.array(["left", "right", "deep"])[units], unit_names=["left", "right", "deep"])
    )
    assert ordered.facts["units"] == ["left", "right", "deep"]
    plain = Recording(save())
    assert torch.equal(ordered.val.targets(), plain.val.targets())
    sparse = Recording(save(spike_units=np.array([7, 400, 12])[units]))
    assert sparse.facts["units"] == ["7", "12", "400"]
    silent = Recording(save(unit_names=["a", "b", "c", "d"]))
    assert silent.facts["units"] == ["a", "b", "c"] and any("unit d" in note for note in silent.notes)
    assert Recording(save(spike_units=units.astype(float))).facts["units"] == ["0", "1", "2"]


def test_spikes_may_be_listed_unit_by_unit(save):
    parts = keys()
    order = np.lexsort((parts["spike_times"], parts["spike_units"]))
    one = Recording(save(spike_times=parts["spike_times"][order], spike_units=parts["spike_units"][order]))
    assert torch.equal(one.train.targets(), Recording(save()).train.targets())


def test_one_covariate_may_be_flat(save):
    assert Recording(save(covariates=keys()["covariates"][:, 0])).facts["n_in"] == 1


def test_intervals(save):
    data = Recording(save(intervals=[[1.0, 20.0], [30.0, 59.0]]), history=2)
    assert len(data.train) + len(data.val) + len(data.test) == (380 + 580) - 20 * 2 - 2


def test_covariates_without_names_are_called_by_their_numbers(save):
    assert Recording(save(), series=[1]).state["covariates"] == ["1"]
    assert Recording(save(), direction="decode", target=[1], history=1).state["covariates"] == ["1"]


def test_no_path():
    with pytest.raises(BadInput, match=r"data.path"):
        Recording()


def test_a_missing_file(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere.npz: no such file"):
        Recording(str(tmp_path / "nowhere.npz"))
    with pytest.raises(BadInput, match="is a folder"):
        Recording(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"spike_times,unit\n0.5,3\n", "is not an .npz"),
        (b"PK\x03\x04 and then nothing of the kind", "damaged or cut short"),
    ],
)
def test_files_that_are_something_else(tmp_path, content, words):
    file = tmp_path / "mine.npz"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=words) as caught:
        Recording(str(file))
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_cut_short(save):
    path = save()
    whole = Path(path).read_bytes()
    for share in (0.2, 0.9, 0.999):
        with open(path, "wb") as file:
            file.write(whole[: int(len(whole) * share)])
        with pytest.raises(BadInput, match=r"mine.npz"):
            Recording(path)
    with open(path, "wb") as file:  # whole in length, but a byte of the data has changed
        file.write(whole[:5000] + bytes([whole[5000] ^ 255]) + whole[5001:])
    with pytest.raises(BadInput, match="damaged"):
        Recording(path)


def test_a_compressed_file_that_is_damaged(tmp_path):
    np.savez_compressed(tmp_path / "mine.npz", **keys())
    assert Recording(str(tmp_path / "mine.npz")).facts["n_targets"] == 3
    whole = (tmp_path / "mine.npz").read_bytes()
    for place in range(200, len(whole) - 2000, 3001):
        (tmp_path / "mine.npz").write_bytes(whole[:place] + bytes(40) + whole[place + 40 :])
        with pytest.raises(BadInput, match=r"mine.npz"):
            Recording(str(tmp_path / "mine.npz"))


def test_units_are_the_same_however_many_spikes_are_handed_out_at_a_time(save, monkeypatch):
    whole = Recording(save())
    monkeypatch.setattr("dlthink.data.recordings.units.SPIKES", 7)
    assert torch.equal(Recording(save()).train.targets(), whole.train.targets())


def test_a_single_array_named_npz(tmp_path):
    with open(tmp_path / "mine.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(BadInput, match="single array"):
        Recording(str(tmp_path / "mine.npz"))


@pytest.mark.parametrize("key", ["spike_times", "spike_units", "covariates", "covariate_times"])
def test_a_missing_key(save, key):
    with pytest.raises(BadInput, match=rf"mine.npz: the key {key} is missing \(the file has"):
        Recording(save(**{key: None}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"covariates": np.array([[1, "x"]] * 3000, dtype=object)}, "covariates holds Python objects"),
        ({"covariates": np.full((3000, 2), "1.0")}, "covariates holds <U3, not numbers"),
        ({"spike_units": np.zeros(7, int)}, "give one unit for every spike"),
        ({"spike_units": np.full(1200, 0.5)}, "fractions"),
        ({"spike_times": np.zeros(0), "spike_units": np.zeros(0, int)}, "spike_times is empty"),
        ({"unit_names": ["a", "b"]}, "spike_units reaches from 0 to 2"),
        ({"spike_units": np.array(["a"] * 1200), "unit_names": ["b"]}, "has 'a'"),
        ({"spike_times": keys()["spike_times"][::-1]}, "are not sorted"),
        ({"spike_times": np.where(np.arange(1200) == 5, np.nan, keys()["spike_times"])}, "is nan"),
        ({"spike_times": keys()["spike_times"] * 1000}, "in seconds on one clock"),
        ({"covariate_times": np.where(np.arange(3000) == 5, np.nan, keys()["covariate_times"])}, "row 5"),
        ({"covariates": np.ones((3000, 2))}, "constant"),
        ({"covariate_names": ["a"]}, "covariate_names has 1"),
    ],
)
def test_contents_that_cannot_be_used(save, changes, words):
    with pytest.raises(BadInput, match=words) as caught:
        Recording(save(**changes))
    assert "mine.npz" in str(caught.value) and "\n" not in str(caught.value)


# ----------------------------------------------------------------------------------- predict


@pytest.mark.parametrize("past", [False, True])
def test_inputs_are_prepared_like_the_training_data(save, past):
    data = Recording(save(), history=4, spike_history=past)
    inputs = Recording.inputs(save(), data.state)
    assert len(inputs) == 1199 - 4 - past  # every bin that has a whole window, blocks do not matter here
    where = {round(time / 0.05 - 0.5): i for i, time in enumerate(inputs.times)}
    rows = data.test.rows[::50]
    x, nothing = inputs.to("cpu").take(torch.tensor([where[row] for row in rows.tolist()]))
    assert nothing is None
    assert torch.equal(x, data.test.take(torch.arange(len(data.test))[::50])[0])


def test_inputs_need_spikes_only_for_their_history(save):
    with_past, without = (Recording(save(), history=4, spike_history=past).state for past in (True, False))
    bare = save("bare.npz", spike_times=None, spike_units=None)
    assert len(Recording.inputs(bare, without)) == 1195
    with pytest.raises(BadInput, match="spike_times is missing"):
        Recording.inputs(bare, with_past)


def test_inputs_need_the_same_names(save):
    data = Recording(save(covariate_names=["speed", "angle"]))
    swapped = save("swapped.npz", covariates=keys()["covariates"][:, ::-1], covariate_names=["angle", "speed"])
    index = torch.arange(9)
    assert torch.equal(
        Recording.inputs(swapped, data.state).take(index)[0],
        Recording.inputs(save(covariate_names=["speed", "angle"]), data.state).take(index)[0],
    )
    with pytest.raises(BadInput, match="no covariate 'speed'"):
        Recording.inputs(save(covariate_names=["pace", "angle"]), data.state)


def test_inputs_too_short(save):
    state = Recording(save()).state
    with pytest.raises(BadInput, match="too short"):
        Recording.inputs(save(intervals=[[3.0, 3.4]]), state)


def test_the_ride_predicts_on_the_users_file(tmp_path):
    data = Spikes(neurons=2, minutes=2.0)
    session = data.read()
    np.savez(
        tmp_path / "ride.npz",
        covariates=session.series[0].values,
        covariate_times=session.series[0].times,
        covariate_names=session.names,
        intervals=session.intervals,
    )
    inputs = Spikes.inputs(str(tmp_path / "ride.npz"), data.state)
    assert len(inputs) == 2400 - 10
    x, _ = inputs.take(data.val.rows - 10)
    assert torch.equal(x, data.val.take(torch.arange(len(data.val)))[0])


def test_predictions_are_written_by_name(save, tmp_path):
    data = Recording(save(unit_names=["a", 'b "left", deep', "c"]), history=4)
    inputs = Recording.inputs(save(), data.state | {"units": data.state["units"]})
    rate = torch.rand(len(inputs), 3)
    spread = torch.rand(len(inputs), 3, dtype=torch.float64)
    read = {
        "rate": rate,
        "distribution": torch.distributions.Poisson(rate),
        "spread": spread,
        "odd": torch.zeros(5),
    }
    inputs.write(read, str(tmp_path / "out.csv"))
    with open(tmp_path / "out.csv", newline="") as file:
        header, *lines = csv.reader(file)
    names = ["a", 'b "left", deep', "c"]
    assert header == ["time", *[f"rate[{n}]" for n in names], *[f"spread[{n}]" for n in names]]
    table = torch.tensor([[float(cell) for cell in line] for line in lines], dtype=torch.float64)
    assert table[:, 0].numpy() == pytest.approx(inputs.times, abs=1e-6)
    assert torch.allclose(table[:, 1:4], rate.double(), rtol=1e-6) and torch.allclose(table[:, 4:], spread, rtol=1e-6)
    assert [file.name for file in tmp_path.iterdir() if "out" in file.name] == ["out.csv"]


def test_a_failed_write_leaves_what_was_there(save, tmp_path, monkeypatch):
    inputs = Recording.inputs(save(), Recording(save()).state)
    (tmp_path / "out.csv").write_text("precious")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savetxt", full)
    with pytest.raises(BadInput, match="No space left"):
        inputs.write({"rate": torch.zeros(len(inputs), 3)}, str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text() == "precious"
    assert [file.name for file in tmp_path.iterdir() if "out" in file.name] == ["out.csv"]
    monkeypatch.undo()
    with pytest.raises(BadInput, match="choose another place"):
        inputs.write({"rate": torch.zeros(len(inputs), 3)}, str(tmp_path / "no" / "folder.csv"))
