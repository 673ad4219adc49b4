"""HDF5 files: lists of arrays in several fashions, and what a stranger may have written into one."""

import numpy as np
import pytest

from dlthink.data.recordings.readers import hdf5
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings import written

h5py = pytest.importorskip("h5py", reason="h5py reads HDF5 files")


def fields(tmp_path, write):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        write(file)
    return hdf5.fields(tmp_path / "x.h5")


def test_groups_lists_and_words(tmp_path):
    def write(file):
        file["session/rat"] = "Roger"
        file["session/units"] = np.array([b"left", b"right"])
        file["spikes/10"], file["spikes/9"] = np.arange(3.0), np.arange(2.0)
        ragged = file.create_dataset("ragged", 2, h5py.vlen_dtype(float))
        ragged[0], ragged[1] = np.arange(3.0), np.arange(5.0)
        file["table"] = np.zeros(3, dtype=[("a", float), ("b", int)])

    found = fields(tmp_path, write)
    assert found.read("session/rat").tolist() == ["Roger"] and found.read("session/units").tolist() == ["left", "right"]
    assert [part.tolist() for part in found.read("spikes")] == [[0, 1], [0, 1, 2]]  # 9 comes before 10
    assert found["spikes"].names == ("9", "10") and "session" not in found
    assert [len(part) for part in found.read("ragged")] == [3, 5]
    with pytest.raises(BadInput, match="table holds"):
        found.read("table")


def test_units_in_a_ragged_array(tmp_path):
    path, p = written.as_h5(tmp_path), written.parts()
    wanted = Recording(str(path))
    with h5py.File(path, "r+") as file:
        del file["spike_times"]
        ragged = file.create_dataset("units/when", 3, h5py.vlen_dtype(float))
        for unit, spikes in enumerate(p["spikes"]):
            ragged[unit] = spikes
    given = Recording(str(path), keys={"spike_times": "units/when"})
    assert given.train.targets().tolist() == wanted.train.targets().tolist()


def test_names_of_units_are_those_of_their_arrays(tmp_path):
    path = written.as_h5(tmp_path)
    with h5py.File(path, "r+") as file:
        file.move("spike_times/0", "spike_times/left")
        file["spike_times/silent"] = np.empty(0)
    data = Recording(str(path))
    assert data.facts["units"] == ["1", "2", "left"]
    assert [note for note in data.notes if "fewer than 1 spikes" in note and "silent" in note]


def test_other_files_are_not_looked_into(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.arange(5.0)
    np.arange(5.0).tofile(tmp_path / "secret.bin")

    def write(file):
        file["linked"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "x")
        file["soft"] = h5py.SoftLink("/linked")
        layout = h5py.VirtualLayout((5,), float)
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "x", (5,))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("outside", 5, float, external=[(str(tmp_path / "secret.bin"), 0, 40)])

    found = fields(tmp_path, write)
    assert set(found) == {"virtual", "outside"}
    for name in found:
        with pytest.raises(BadInput, match="lie in other files"):
            found.read(name)


def test_what_claims_to_be_large_is_not_read(tmp_path):
    found = fields(tmp_path, lambda file: file.create_dataset("x", (10**7, 10**6), float, chunks=(1000, 1000)))
    with pytest.raises(BadInput, match=r"too large \(x has \[10000000, 1000000\]"):
        found.read("x")


@pytest.mark.parametrize("text", [False, True])
def test_one_array_that_is_repeated_without_end_is_not_read(tmp_path, monkeypatch, text):
    monkeypatch.setattr(hdf5, "MOST", 3000)

    def write(file):
        kind = h5py.string_dtype() if text else h5py.vlen_dtype(float)
        ragged = file.create_dataset("x", 100, kind)
        for i in range(100):
            ragged[i] = "a" * 800 if text else np.zeros(100)

    with pytest.raises(BadInput, match=r"arrays of /x are too large"):
        fields(tmp_path, write).read("x")


def test_references_in_a_circle(tmp_path):
    def write(file):
        cells = file.create_dataset("x", 3, h5py.ref_dtype)
        for i in range(3):
            cells[i] = file["x"].ref

    found = fields(tmp_path, write)
    assert all(field.kind == "other" for field in found.values())


def test_groups_within_groups_without_end(tmp_path):
    def write(file):
        inner = file.create_group("0")
        inner["x"] = np.zeros(3)
        for level in range(1, 8):
            outer = file.create_group(str(level))
            for name in range(30):
                outer[f"g{name}"] = inner
            inner = outer

    with pytest.raises(BadInput, match="holds more than 262,144 arrays"):
        fields(tmp_path, write)
