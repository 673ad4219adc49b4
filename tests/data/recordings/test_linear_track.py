"""The rat on the track: both formats give one session. Small files in the native layout are made here."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dlthink.data.recordings.linear_track import LinearTrack
from dlthink.errors import BadInput

REAL = Path(__file__).parents[4] / "shared" / "data" / "spikes" / "linear_track"
needs_real = pytest.mark.skipif(not (REAL / "compact.npz").exists(), reason=f"the real recording is not at {REAL}")
HEADER = b"<Start settings>\nthreshold: 199\nclockrate: 30000\nFields: <time uint32>\n<End settings>\n"
SECONDS = 60


def records(ticks, xy):
    table = np.zeros(len(ticks), dtype=[("t", "<u4"), ("x", "<u2"), ("y", "<u2"), ("x2", "<u2"), ("y2", "<u2")])
    table["t"], table["x"], table["y"] = ticks, xy[:, 0], xy[:, 1]
    return table.tobytes()


@pytest.fixture
def folder(tmp_path):
    """A minute in both layouts: two tetrodes, four units of which one never fires."""
    scipy_io = pytest.importorskip("scipy.io", reason="scipy writes the .mat file")
    rng = np.random.default_rng(0)
    ticks = 131_000_000 + 500 * np.arange(60 * SECONDS)
    ticks[100] = ticks[99]  # the real camera gives one time twice
    phase = np.sin(np.arange(len(ticks)) / 200)
    xy = np.stack([305 + 168 * phase, 270 + 130 * phase], axis=1).astype(np.uint16)
    spikes = [np.sort(rng.choice(ticks[-1] - ticks[0], n, replace=False)) + ticks[0] for n in (300, 200, 400)]

    def unit(times):
        cell = np.empty((1, 1), dtype=[("time", "O"), ("meanrate", "O")])
        # Written with eight decimals, so that times are whole ticks only after rounding.
        cell[0, 0] = (np.round(np.asarray(times, dtype=float)[:, None] / 30_000, 8), np.zeros((1, 1)))
        return cell

    tetrodes = np.empty((1, 3), dtype=object)
    for i, units in enumerate([[spikes[0], None, spikes[1]], [], [[], spikes[2]]]):
        cells = np.empty((1, len(units)), dtype=object)
        for j, times in enumerate(units):
            cells[0, j] = np.empty((1, 0)) if times is None else unit(times)
        tetrodes[0, i] = cells
    outer, inner = np.empty((1, 1), dtype=object), np.empty((1, 1), dtype=object)
    inner[0, 0], outer[0, 0] = tetrodes, inner
    native, compact = tmp_path / "native", tmp_path / "compact"
    native.mkdir()
    compact.mkdir()
    scipy_io.savemat(native / "spikes.mat", {"spikes": outer})
    (native / "trajectory.videoPositionTracking").write_bytes(HEADER + records(ticks, xy))
    order = np.argsort(np.concatenate(spikes))
    np.savez(
        compact / "compact.npz",
        spike_tick=np.concatenate(spikes)[order].astype(np.uint32),
        spike_unit=np.repeat([0, 1, 2], [300, 200, 400])[order].astype(np.uint8),
        pos_tick=ticks.astype(np.uint32),
        pos_xy=xy,
    )
    return tmp_path


SHORT = {"start": None, "stop": None, "min_spikes": 1, "min_speed": 0.0}


def same(one, two):
    assert one.facts == two.facts
    for name in ("train", "val", "test"):
        a, b = getattr(one, name), getattr(two, name)
        assert (
            torch.equal(a.features, b.features)
            and torch.equal(a.targets(), b.targets())
            and torch.equal(a.rows, b.rows)
        )


def test_both_formats_give_one_session(folder):
    native = LinearTrack(str(folder / "native"), **SHORT)
    same(native, LinearTrack(str(folder / "compact"), **SHORT))
    same(native, LinearTrack(str(folder / "compact" / "compact.npz"), **SHORT))
    same(native, LinearTrack(str(folder / "native" / "spikes.mat"), **SHORT))
    same(native, LinearTrack(str(folder / "native" / "trajectory.videoPositionTracking"), **SHORT))
    assert native.facts["units"] == ["0", "1", "2"]
    session, other = native.read(), LinearTrack(str(folder / "compact"), **SHORT).read()
    assert all(np.array_equal(a, b) for a, b in zip(session.spikes, other.spikes, strict=True))
    assert [len(s) for s in session.spikes] == [300, 200, 400]
    assert len(session.series[0].times) == 60 * SECONDS - 1


def test_covariates_are_causal_and_in_pixels(folder):
    session = LinearTrack(str(folder / "compact"), **SHORT).read()
    named = dict(zip(session.names, session.series[0].values.T, strict=True))
    i = 1000
    assert session.series[0].times[i - 15] == pytest.approx(session.series[0].times[i] - 0.25)
    assert named["velocity_x"][i] == pytest.approx((named["x"][i] - named["x"][i - 15]) / 0.25)
    assert named["speed"][i] == pytest.approx(np.hypot(named["velocity_x"][i], named["velocity_y"][i]))
    assert named["place_0"][named["x"].argmin()] > 0.9 > 0.01 > named["place_15"][named["x"].argmin()]
    assert named["place_15"][named["x"].argmax()] > 0.9


def test_only_while_the_animal_moves(folder):
    data = LinearTrack(str(folder / "compact"), history=0, bin=0.05, blocks=5, **SHORT | {"min_speed": 40.0})
    session = data.read()
    speed = session.series[0].values[:, session.names.index("speed")]
    inside = np.zeros(len(speed), dtype=bool)
    for start, stop in session.intervals:
        inside |= (session.series[0].times >= start) & (session.series[0].times <= stop)
        assert stop - start >= 1.0
    assert speed[inside].mean() > 40 > speed[~inside].mean()
    assert 0.3 < inside.mean() < 0.9 and len(session.intervals) > 5
    assert (session.intervals[1:, 0] - session.intervals[:-1, 1]).min() >= 0.5
    bins = len(data.train) + len(data.val) + len(data.test)
    assert bins == pytest.approx(inside.mean() * SECONDS / 0.05, rel=0.05)
    with pytest.raises(BadInput, match=r"data.min_speed=900"):
        LinearTrack(str(folder / "compact"), **SHORT | {"min_speed": 900.0})


def test_where_fetch_puts_it(folder, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(folder))
    with pytest.raises(BadInput, match=r"dlthink fetch linear_track.*data.path="):
        LinearTrack()
    (folder / "native").rename(folder / "linear_track")
    assert LinearTrack(**SHORT).facts["n_targets"] == 3


def test_own_formats_and_documented_keys_as_input_of_predict(folder):
    data = LinearTrack(str(folder / "compact"), **SHORT)
    inputs = [LinearTrack.inputs(str(folder / name), data.state) for name in ("compact", "native")]
    session = data.read()
    np.savez(
        folder / "mine.npz",
        covariates=session.series[0].values,
        covariate_times=session.series[0].times,
        covariate_names=session.names,
    )
    inputs.append(LinearTrack.inputs(str(folder / "mine.npz"), data.state))
    index = torch.arange(50)
    for one in inputs:
        assert len(one) == len(inputs[0]) > 500
        assert torch.equal(one.take(index)[0], inputs[0].take(index)[0])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: file.unlink(), "holds neither"),
        (lambda file: file.write_bytes(b"not a header"), "no line <End settings>"),
        (lambda file: file.write_bytes(HEADER), "cut short"),
        (lambda file: file.write_bytes(file.read_bytes()[:-5]), "cut short"),
        (lambda file: file.write_bytes(file.read_bytes().replace(b"30000", b"25000")), "clockrate is 25000"),
    ],
)
def test_a_damaged_trajectory(folder, damage, words):
    damage(folder / "native" / "trajectory.videoPositionTracking")
    with pytest.raises(BadInput, match=words):
        LinearTrack(str(folder / "native"), **SHORT)


def test_other_damage(folder):
    mat = folder / "native" / "spikes.mat"
    mat.write_bytes(mat.read_bytes()[:300])
    with pytest.raises(BadInput, match=r"spikes.mat: cannot be read"):
        LinearTrack(str(folder / "native"), **SHORT)
    mat.write_text("hello")
    with pytest.raises(BadInput, match=r"spikes.mat: cannot be read"):
        LinearTrack(str(mat), **SHORT)
    parts = dict(np.load(folder / "compact" / "compact.npz"))
    del parts["pos_xy"]
    np.savez(folder / "compact" / "compact.npz", **parts)
    with pytest.raises(BadInput, match="pos_xy is missing"):
        LinearTrack(str(folder / "compact"), **SHORT)
    with pytest.raises(BadInput, match="no such file"):
        LinearTrack(str(folder / "nowhere"), **SHORT)


@needs_real
def test_the_real_recording():
    data = LinearTrack(str(REAL / "compact.npz"))
    session = data.read()
    assert len(session.spikes) == 31 and sum(map(len, session.spikes)) == 28_829
    times = session.series[0].times
    assert times[-1] - times[0] == pytest.approx(1982.42, abs=0.01)
    assert (np.diff(times) > 0).all()
    on_track = (times > times[0] + 35) & (times < times[0] + 975)
    x, y = session.series[0].values[on_track, 0], session.series[0].values[on_track, 1]
    assert x.min() > 120 and x.max() < 490 and y.min() > 110 and y.max() < 420
    assert all(count >= 50 for count in data.train.targets().sum(dim=0).tolist())


@needs_real
def test_the_real_files_agree():
    pytest.importorskip("scipy.io", reason="scipy reads the .mat file")
    same(LinearTrack(str(REAL)), LinearTrack(str(REAL / "compact.npz")))
