"""The recording inside nitime, and what is said where nitime is missing."""

from importlib.util import find_spec

import numpy as np
import pytest

from dlthink.data.recordings import grasshopper
from dlthink.data.recordings.grasshopper import Grasshopper
from dlthink.errors import BadInput

needs_nitime = pytest.mark.skipif(find_spec("nitime") is None, reason="the package nitime is not installed")


@needs_nitime
@pytest.mark.parametrize(("file", "spikes", "last"), [(1, 929, 9.9993), (2, 868, 9.9776)])
def test_what_it_holds(file, spikes, last):
    data = Grasshopper(file)
    session = data.read()
    assert len(session.spikes) == 1 and len(session.spikes[0]) == spikes
    assert session.spikes[0][-1] == pytest.approx(last)
    assert session.series[0].step == pytest.approx(1 / 20_000)
    assert data.facts["units"] == ["receptor"] and data.facts["window"] == 21 and data.facts["bin"] == 0.001
    assert len(data.train) + len(data.val) + len(data.test) == 10_000 - 20 * 20


@needs_nitime
def test_spikes_are_more_regular_than_poisson():
    data = Grasshopper(1, history=0)
    times = data.read().spikes[0]
    counts = np.histogram(times, np.arange(0, 10.001, 0.02))[0]
    assert counts.var() / counts.mean() == pytest.approx(0.35, abs=0.05)
    assert data.train.targets().max() == 1


@needs_nitime
def test_sound_drives_the_receptor():
    data = Grasshopper(1)
    x, y = data.train.take(data.train.rows.new_tensor(range(len(data.train))))
    loud = x[:, 10:, 0].mean(dim=1) > 0
    assert y[loud].mean() > 1.5 * y[~loud].mean()


@needs_nitime
def test_no_third_file():
    with pytest.raises(BadInput, match=r"data.file=3"):
        Grasshopper(3)


def test_without_nitime(monkeypatch):
    monkeypatch.setattr(grasshopper, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r'pip install "dlthink\[spikes\]"'):
        Grasshopper()


def test_a_broken_nitime(monkeypatch, tmp_path):
    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(grasshopper, "find_spec", lambda name: Spec)
    with pytest.raises(BadInput, match=r"grasshopper_spike_times1.txt: no such file"):
        Grasshopper()
