"""MATLAB's files: cells within cells, structs, words, sparse counts; and what a stranger may have written into one."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from dlthink.data.recordings.linear_track import LinearTrack
from dlthink.data.recordings.readers import matlab
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings import written
from tests.data.recordings.test_linear_track import REAL, needs_real

io = pytest.importorskip("scipy.io", reason="scipy reads .mat files")
sparse = pytest.importorskip("scipy.sparse")


def cells(*parts):
    made = np.empty((len(parts), 1), dtype=object)
    for i, part in enumerate(parts):
        made[i, 0] = part
    return made


def save(tmp_path, version="5", **stored):
    io.savemat(tmp_path / "x.mat", stored, format=version)
    return tmp_path / "x.mat"


def test_structs_and_cells_are_named_by_their_path(tmp_path):
    unit = lambda times: {"time": np.array(times)[:, None], "label": "good"}  # noqa: E731
    nested = cells(cells(cells(unit([1.0, 2.0]), np.empty((0, 0)))), cells(cells(unit([3.0]))))
    path = save(tmp_path, spikes=nested, session={"rat": {"name": "Roger", "weight": 300.0}})
    found = matlab.fields(path)
    assert [part.ravel().tolist() for part in found.read("spikes/time")] == [[1.0, 2.0], [3.0]]
    assert found.read("spikes/label").tolist() == ["good", "good"]
    assert found.read("session/rat/name").tolist() == ["Roger"] and found.read("session/rat/weight") == 300
    assert str(found["spikes/time"]) == "2 arrays" and str(found["spikes/label"]) == "2 text"


def test_version_4_and_sparse_counts(tmp_path):
    counts = np.random.default_rng(0).poisson(0.2, (600, 4)).astype(float)
    values = np.random.default_rng(1).normal(size=(600, 1))
    keys = {"counts": counts, "bin": 0.05, "covariates": values}
    old = Recording(str(save(tmp_path, "4", **keys)), history=1)
    thin = Recording(str(save(tmp_path, **keys | {"counts": sparse.csc_matrix(counts)})), history=1)
    assert old.train.targets().tolist() == thin.train.targets().tolist()
    assert old.train.targets()[:50].tolist() == counts[old.train.rows[:50]].tolist()


@needs_real
def test_the_real_cells_of_a_rat_give_the_units_of_its_own_reader(tmp_path):
    rat = LinearTrack(str(REAL))
    measured = rat.read().series[0]
    written.table(tmp_path / "rat.csv", ["time", "x", "y"], measured.times, measured.values[:, :2])
    settings = {"start": 35.0, "stop": 975.0, "min_spikes": 50, "bin": 0.1, "history": 5}
    keys = {"spike_times": "spikes/time"}
    given = Recording(str(REAL / "spikes.mat"), keys=keys, behaviour=str(tmp_path / "rat.csv"), **settings)
    wanted = LinearTrack(str(REAL), min_speed=0.0)
    assert given.facts["n_targets"] == wanted.facts["n_targets"]
    assert given.train.targets().sum() == wanted.train.targets().sum()


# ------------------------------------------------------------------------------------------------- a stranger's file


HEAD = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"


def element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(kind, shape, *content, name=b"x"):
    head = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, head + element(1, name) + b"".join(content))


@pytest.mark.parametrize("kind", [1, 2, 3], ids=["cell", "struct", "object"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_cells_that_claim_more_than_they_hold_are_not_made(tmp_path, kind, packed, nested):
    claim = matrix(kind, (30_000, 30_000))
    content = matrix(1, (1, 1), claim) if nested else claim
    if packed:
        content = struct.pack("<II", 15, len(zlib.compress(content))) + zlib.compress(content)
    (tmp_path / "x.mat").write_bytes(HEAD + content)
    with pytest.raises(BadInput, match=r"900,000,000 entries is more than is read"):
        matlab.fields(tmp_path / "x.mat")


def test_a_bomb_is_not_unfolded(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab, "MOST", 1 << 16)
    zeros = zlib.compress(matrix(6, (1 << 17, 1), element(9, bytes(8 << 17))))
    (tmp_path / "x.mat").write_bytes(HEAD + struct.pack("<II", 15, len(zeros)) + zeros)
    assert len(zeros) < 5000
    with pytest.raises(BadInput, match="its arrays take more than"):
        matlab.fields(tmp_path / "x.mat")


@pytest.mark.parametrize("kind", [1, 6], ids=["cell", "numbers"])
def test_a_bomb_is_counted_before_it_is_held(kind):
    size = 64 << 20
    zeros = zlib.compress(matrix(kind, (1, 1), bytes(size)), 1)
    tracemalloc.start()
    try:
        held, counted = matlab._unfolded(zeros, 1 << 20, "<")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert counted > 1 << 20 and len(held) == matlab.STEP and most < 8 << 20


def test_cells_within_cells_without_end(tmp_path):
    content = matrix(6, (1, 1), element(9, bytes(8)))
    for _ in range(400):
        content = matrix(1, (1, 1), content)
    (tmp_path / "x.mat").write_bytes(HEAD + content)
    found = matlab.fields(tmp_path / "x.mat")
    assert [field.kind for field in found.values()] in (["other"], ["cells"])


@pytest.mark.parametrize("place", range(128, 700, 97))
def test_damage_ends_in_one_line_or_is_read(tmp_path, place):
    path = written.as_mat(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[place : place + 30] = bytes(30)
    path.write_bytes(whole)
    with pytest.raises(BadInput, match=r"mine\.mat"):
        Recording(str(path))
