"""What is more than the whole memory is refused before it is allocated."""

import types

import numpy as np
import pytest

from dlthink import memory_limit
from dlthink.data.photos import pixels
from dlthink.data.recordings.recording import Recording
from dlthink.data.recordings.spikes import Spikes
from dlthink.errors import BadInput


def test_as_much_as_there_is_may_be_asked_for(monkeypatch):
    monkeypatch.setattr(memory_limit, "physical", lambda: 3 << 30)
    memory_limit.check_memory(3 << 30, "data.size=9")
    with pytest.raises(BadInput, match=r"^data\.size=9: takes 3\.5 GB of memory, and there are 3: ask for less$"):
        memory_limit.check_memory(3.5 * 2**30, "data.size=9")
    monkeypatch.setattr(memory_limit, "physical", lambda: None)
    memory_limit.check_memory(1e30, "on a system that does not say")


def test_the_smaller_of_machine_and_container(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_limit, "LIMIT", tmp_path / "memory.max")
    whole = memory_limit.physical()
    assert whole is None or whole > 1 << 28
    for text, found in (("max\n", whole), ("1048576\n", whole and 1 << 20), (f"{1 << 60}\n", whole)):
        (tmp_path / "memory.max").write_text(text)
        assert memory_limit.physical() == found
    monkeypatch.delattr("os.sysconf")
    assert memory_limit.physical() is None


@pytest.fixture
def little(monkeypatch):
    monkeypatch.setattr(memory_limit, "physical", lambda: 1 << 20)


def test_a_long_ride(little):
    with pytest.raises(BadInput, match=r"^data\.minutes=600\.0 data\.neurons=50 data\.rate=8\.0: takes "):
        Spikes(minutes=600.0)


def test_very_many_bins(little, tmp_path):
    t = np.arange(0, 10, 0.01)
    spikes = dict(spike_times=np.arange(0.5, 9.5, 0.1), spike_units=np.zeros(90, int))
    np.savez(tmp_path / "mine.npz", covariates=np.sin(t)[:, None], covariate_times=t, **spikes)
    with pytest.raises(BadInput, match=r"mine\.npz: [\d,]+ bins \(data\.bin=0\.0001\) of 1 units: takes "):
        Recording(path=str(tmp_path / "mine.npz"), bin=0.0001, history=1)
    assert len(Recording(path=str(tmp_path / "mine.npz"), bin=0.01, history=1).train)


@pytest.mark.parametrize("free, drawn", [(1 << 30, True), (1000, False)])
def test_pictures_for_which_neither_disk_nor_memory_has_room(tmp_path, monkeypatch, little, free, drawn):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    monkeypatch.setattr(pixels.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=free))
    shape, make = (2, 3, 500, 500), lambda: [np.zeros((2, 3, 500, 500), np.uint8)]
    if drawn:
        assert pixels.drawn("dlthink.data.faces.drawing", (), shape, make).shape == shape
        monkeypatch.setattr(pixels.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=0))
        assert pixels.drawn("dlthink.data.faces.drawing", (), shape, make).shape == shape  # it is there already
    else:
        with pytest.raises(BadInput, match=r"^2 pictures of 500 x 500 pixels: takes "):
            pixels.drawn("dlthink.data.faces.drawing", (), shape, make)
        assert (
            len(
                pixels.drawn("dlthink.data.faces.drawing", (), (1, 3, 9, 9), lambda: [np.zeros((1, 3, 9, 9), np.uint8)])
            )
            == 1
        )
