"""An .npz that is larger than it looks, or says more than it has, ends in one line before it is unfolded."""

import io
import os
import zipfile

import numpy as np
import pytest

from dlthink.data.recordings.readers import array_listing, formats, npz
from dlthink.errors import BadInput


def claims(shape, descr="<f8", body=b"", version=b"\x01\x00"):
    """An array's bytes whose header claims that shape."""
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + len(header).to_bytes(2 if version[0] == 1 else 4, "little") + header + body


def archive(path, members, **how):
    with zipfile.ZipFile(path, "w", **how) as opened:
        for name, content in members.items():
            opened.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00"], ids=["1", "2", "3"])
@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (2**62, 4), (5,), (-1,)], ids=str)
def test_a_header_that_claims_what_is_not_there(tmp_path, shape, version):
    path = archive(tmp_path / "x.npz", {"covariates": claims(shape, version=version)})
    with pytest.raises(BadInput, match=r"damaged|too large"):
        npz.arrays(path)


def test_a_bomb_is_not_unfolded(tmp_path, monkeypatch):
    """Of zeros, a thousandth of its size."""
    monkeypatch.setattr(array_listing, "MOST", 1 << 20)
    zeros = claims((1 << 21,)) + bytes(8 << 21)
    path = archive(tmp_path / "x.npz", {"covariates": zeros}, compression=zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(np, "load", None)  # nothing is read
    with pytest.raises(BadInput, match=r"covariates has \[2097152\] entries of float64; more than 1,048,576"):
        npz.arrays(path)


@pytest.mark.parametrize("what", ["many arrays", "long words", "no array at all"])
def test_what_is_too_large_in_all(tmp_path, monkeypatch, what):
    monkeypatch.setattr(array_listing, "MOST", 1000)
    members = {
        "many arrays": {name: np.zeros(400) for name in "abc"},
        "long words": {"a": np.array(["x" * 3000])},
        "no array at all": {"a": np.zeros(9000, dtype=np.uint8)},
    }[what]
    path = tmp_path / "x.npz"
    np.savez(path, **members)
    if what == "no array at all":
        archive(path, {"a": bytes(9000)})
    with pytest.raises(BadInput, match="too large"):
        npz.arrays(path)
    np.savez(path, a=np.zeros(400), b=np.array(["x" * 10]))
    assert set(npz.arrays(path)) == {"a", "b"}


def test_objects_are_not_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    class Evil:
        def __reduce__(self):
            return os.system, ("touch owned",)

    np.savez("x.npz", covariates=np.array([Evil()], dtype=object))
    with pytest.raises(BadInput, match="Python objects"):
        npz.arrays(tmp_path / "x.npz")
    buffer = io.BytesIO()
    np.save(buffer, np.array([(Evil(), 1)], dtype=[("a", object), ("b", int)]))
    archive(tmp_path / "y.npz", {"covariates": buffer.getvalue()})
    with pytest.raises(BadInput):
        npz.arrays(tmp_path / "y.npz")
    assert not (tmp_path / "owned").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(BadInput, match="no plain file"):
        formats.read(tmp_path / "x.npz")
