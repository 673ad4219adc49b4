"""An NWB file that leads to other files: one beside it is read, whatever lies elsewhere is not."""

import shutil

import numpy as np
import pytest

from dlthink.data.recordings.readers import nwb
from dlthink.data.recordings.readers.external_links import check_links
from dlthink.errors import BadInput
from tests.data.recordings import written

h5py = pytest.importorskip("h5py")
SPEED = "processing/behavior/speed"


@pytest.fixture
def recording(tmp_path):
    """A file in a folder of its own, and its speed in another file beside it; the path of either."""
    (tmp_path / "own").mkdir()
    path = written.as_nwb(tmp_path / "own")
    other = path.with_name("speed.h5")
    with h5py.File(path, "a") as file, h5py.File(other, "w") as beside:
        file.copy(SPEED, beside, "speed")
        del file[SPEED]
    return path, other


def link(path, name):
    with h5py.File(path, "a") as file:
        file[SPEED] = h5py.ExternalLink(name, "speed")


def test_a_linked_file_beside_it_is_read(recording):
    path, other = recording
    link(path, other.name)
    assert any("speed" in one.names for one in nwb.session(path).series)


@pytest.mark.parametrize("way", ["absolute", "above", "through a link", "through the file beside it"])
def test_a_file_elsewhere_is_refused_before_it_is_read(recording, tmp_path, way):
    path, other = recording
    secret = shutil.move(other, tmp_path / "secret.h5")
    if way == "through a link":
        other.symlink_to(secret)
    elif way == "through the file beside it":
        with h5py.File(other, "w") as beside:
            beside["speed"] = h5py.ExternalLink("../secret.h5", "speed")
    link(path, {"absolute": str(secret), "above": "../secret.h5"}.get(way, other.name))
    with pytest.raises(BadInput, match=r"links to .*secret\.h5, outside of its folder"):
        nwb.session(path)


def test_numbers_in_other_files_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    (tmp_path / "secret").write_bytes(bytes(80))
    with h5py.File(path, "w") as file:
        file.create_dataset("group/x", 10, float, external=[(str(tmp_path / "secret"), 0, 80)])
    with pytest.raises(BadInput, match=r"/group/x lies in .*secret; that is not read"):
        check_links(path)
    layout = h5py.VirtualLayout(10, float)
    layout[:] = h5py.VirtualSource("b.h5", "x", 10)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("x", layout)
        file["again"] = h5py.SoftLink("/")
        file["circle"] = file["/"]
    with pytest.raises(BadInput, match=r"/x lies in b\.h5"):
        check_links(path)
    with h5py.File(path, "w") as file:
        file["x"], layout = np.arange(10.0), h5py.VirtualLayout(10, float)
        layout[:] = h5py.VirtualSource(file["x"])
        file.create_virtual_dataset("y", layout)
        file["missing"] = h5py.ExternalLink("nowhere.h5", "x")
    check_links(path)
