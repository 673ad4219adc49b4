"""Every format gives one and the same session; what it is, its content says; whoever sends it runs nothing."""

import os
import pickle

import numpy as np
import pytest
import torch

from dlthink.data.recordings.readers import formats
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings import written


def data(path, **knobs):
    return Recording(str(path), **({"history": 3} | knobs))


def same(one, other):
    for name in ("train", "val", "test"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.rows.tolist() == b.rows.tolist() and torch.equal(a.targets(), b.targets())
        assert torch.allclose(a.features, b.features, atol=1e-4)


@pytest.mark.parametrize("kind", written.FORMATS)
def test_every_format_gives_the_same_session(kind, tmp_path):
    path = written.FORMATS[kind](tmp_path)
    wanted, given = data(written.as_npz(tmp_path)), data(path)
    same(given, wanted)
    assert given.facts["units"] == ["0", "1", "2"] and given.facts["n_in"] == 3
    assert given.notes[0].startswith("read 3 units with 1,")
    assert "2 covariates of" in given.notes[0] and "1 covariate of" in given.notes[0]


@pytest.mark.parametrize("kind", ["nwb", "phy", "npz"])
def test_every_format_gives_the_same_trials(kind, tmp_path):
    path = written.FORMATS[kind](tmp_path, trials=True)
    given, wanted = data(path, blocks=6), data(written.as_npz(tmp_path, trials=True), blocks=6)
    same(given, wanted)
    assert given.facts["n_in"] == 6
    assert given.state["covariates"][-3:] == wanted.state["covariates"][-3:] == ["side=left", "side=right", "reward"]
    assert [note for note in given.notes if note.startswith("6 trials of 8 s")]
    assert bool([note for note in given.notes if "cue_time (a time)" in note]) == (kind == "nwb")
    without = data(path, trials=False)
    assert without.facts["n_in"] == 3 and len(without.train) > len(given.train)


@pytest.mark.parametrize("kind", written.FORMATS)
def test_covariates_are_chosen_by_their_names_or_that_of_their_series(kind, tmp_path):
    path = written.FORMATS[kind](tmp_path)
    every = data(path)
    second = every.state["covariates"][1]
    assert data(path, series=[second]).state["covariates"] == [second]
    speed = {"mat": "speeds", "mat73": "speeds"}.get(kind, "speed")
    assert data(path, series=[speed, second]).facts["n_in"] == 2
    with pytest.raises(BadInput, match=r"no (covariate|series) '?pace"):
        data(path, series=["pace"])


def test_predict_reads_every_format(tmp_path):
    state = data(written.as_npz(tmp_path)).state
    x = {}
    for kind in ("npz", "h5", "nwb", "phy"):
        path = tmp_path / {"npz": "mine.npz", "h5": "mine.h5", "nwb": "mine.nwb", "phy": "sorted"}[kind]
        path = path if path.exists() else written.FORMATS[kind](tmp_path)
        renamed = state | {"covariates": data(path).state["covariates"]}
        x[kind] = Recording.inputs(str(path), renamed).features
        assert torch.allclose(x[kind], x["npz"], atol=1e-4)


def test_covariates_in_a_csv_beside_the_spikes(tmp_path):
    p = written.parts()
    keys = {"spike_times": np.sort(p["spikes"][0]), "spike_units": np.zeros(len(p["spikes"][0]), int)}
    np.savez(tmp_path / "spikes.npz", **keys)
    with pytest.raises(BadInput, match="the key covariates is missing"):
        data(tmp_path / "spikes.npz")
    beside = written.table(tmp_path / "b.csv", ["x", "time", "y"], p["position"][:, 0], p["position"])  # time: 2nd
    values = np.column_stack([p["position"][:, 0], p["position_times"], p["position"][:, 1]])
    np.savetxt(beside, values, delimiter=";", header="x;time;y", comments="")
    given = data(tmp_path / "spikes.npz", behaviour=str(beside))
    assert given.state["covariates"] == ["x", "y"] and "2 covariates of b" in given.notes[0]
    wanted = data(written.as_npz(tmp_path), series=["position"])
    assert torch.allclose(given.train.features, wanted.train.features, atol=1e-5)


# --------------------------------------------------------------------------------------------------- what is no format


@pytest.mark.parametrize("name", ["x.pickle", "x.pkl", "x.npz", "x.mat", "x"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_is_refused_with_the_way_out_and_never_opened(tmp_path, monkeypatch, name, protocol):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/owned",)

    (tmp_path / name).write_bytes(pickle.dumps([Evil(), np.zeros(3)], protocol=protocol))
    with pytest.raises(BadInput, match=r"is a pickle.*np\.savez\('x\.npz'") as refused:
        data(tmp_path / name)
    assert "\n" not in str(refused.value) and not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.txt", b"1 2 3\n", "is not known here"),
        ("x.csv", b"time,x\n1,2\n", "data.behaviour="),
        ("x.h5", b"no HDF5", "is no HDF5 file"),
        ("x.nwb", b"no HDF5", "is no HDF5 file"),
        ("x.mat", b"some text that is no mat file at all", "is no .mat file that is known"),
        ("x.mat", b"MATLAB 9.9 MAT-file, of a version that nobody reads".ljust(300), "is no .mat file that is known"),
        ("x.npy", b"\x93NUMPY\x01\x00", "single array"),
        ("x.h5", b"\x89HDF\r\n\x1a\n" + bytes(40), "damaged or cut short"),
    ],
)
def test_other_files_are_refused_by_what_they_are(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=words) as refused:
        data(tmp_path / name)
    assert name in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", ["mat", "mat73", "h5", "nwb"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_a_file_cut_short_ends_in_one_line(tmp_path, kind, share):
    path = written.FORMATS[kind](tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadInput, match=r"damaged|cut short") as refused:
        data(path)
    assert path.name in str(refused.value) and "\n" not in str(refused.value)


def test_a_folder_that_is_none_of_phy(tmp_path):
    with pytest.raises(BadInput, match=r"is a folder without spike_times\.npy"):
        formats.read(tmp_path)
