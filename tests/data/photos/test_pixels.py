"""Photos are decoded once and mapped from the disk, with what is known of each."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dlthink.data.photos import pixels
from dlthink.data.photos.photo_files import Album
from dlthink.data.photos.pixels import photos_of
from dlthink.errors import BadInput
from tests.data.photos.made_photos import FILES, laid, packed, people, picture, zipped


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_without_pillow(monkeypatch, tmp_path):
    laid(tmp_path / "a", people({"Ann": 1}))
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(BadInput, match=r"needs the package pillow: pip install 'dlthink\[faces\]'"):
        photos_of(Album(tmp_path / "a"), 16, False)


def read(place, **more):
    with Album(place) as album:
        return photos_of(album, **({"size": 16, "grey": False} | more))


@pytest.mark.parametrize("pack", [laid, zipped])
def test_a_photo_is_decoded_once(tmp_path, monkeypatch, pack):
    place = pack(tmp_path / "photos", FILES)
    first = read(place)

    def never(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(pixels, "resized", never)
    again = read(place)
    assert again.pixels.equal(first.pixels) and vars(again) | {"pixels": 0} == vars(first) | {"pixels": 0}
    for changed in ({"size": 20}, {"grey": True}, {"centre": (32, 20)}):
        with pytest.raises(AssertionError, match="decoded again"):
            read(place, **changed)
    pack(place, {**FILES, "Ann/Ann_0001.png": packed(picture(99))})
    with pytest.raises(AssertionError, match="decoded again"):
        read(place)


def test_other_code_decodes_and_draws_anew(tmp_path, monkeypatch):
    place, times = laid(tmp_path / "photos", people({"Ann": 3})), {"decoded": 0, "drawn": 0}
    resized = pixels.resized

    def decode(*words):
        times["decoded"] += 1
        return resized(*words)

    def draw():
        times["drawn"] += 1
        return [np.zeros((1, 3, 4, 4), np.uint8)]

    monkeypatch.setattr(pixels, "resized", decode)
    for code in ("old", "old", "new"):
        monkeypatch.setattr("dlthink.files.cache.source", lambda *names, code=code: (code, names))
        read(place)
        for painter in ("oil", "ink"):
            pixels.drawn(painter, (), (1, 3, 4, 4), draw)
    assert times == {"decoded": 2 * 3, "drawn": 2 * 2}


def test_pixels_are_mapped_and_a_damaged_cache_is_made_anew(tmp_path, data_folder):
    place = laid(tmp_path / "photos", people({"A": 3}))
    whole = read(place).pixels.clone()  # a mapped file must not shrink beneath a reader
    (file,) = (data_folder / "cache" / "photos").glob("*.npy")
    assert np.load(file).shape == (3, 3, 16, 16) and (np.load(file) == whole.numpy()).all()
    for damage in (b"", file.read_bytes()[:200], b"rubbish"):
        file.write_bytes(damage)
        assert read(place).pixels.equal(whole)
    assert not list(file.parent.glob(".*")), "nothing unfinished is left"


def test_a_full_disk_costs_time_only(tmp_path, monkeypatch):
    place = laid(tmp_path / "photos", FILES)
    whole = read(place)
    monkeypatch.setenv("DLTHINK_DATA", str(place / "Ann" / "readme.md"))  # a file: nothing can be made in it
    again = read(place)
    assert again.pixels.equal(whole.pixels) and again.hashes == whole.hashes


def test_the_same_pixels_share_a_hash(tmp_path):
    same = packed(picture(1))
    found = read(
        laid(
            tmp_path / "a",
            {"A/1.png": same, "B/2.png": same, "B/3.bmp": packed(picture(1), "BMP"), "C/4.png": packed(picture(2))},
        )
    )
    assert len(set(found.hashes)) == 2 and len(set(found.hashes[:3])) == 1


def resident():
    """Bytes of files that are in this process' memory."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile")]
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux counts it there")
def test_photos_that_were_read_do_not_pile_up_in_memory(monkeypatch):
    made = np.random.default_rng(0).integers(0, 256, (100, 3, 300, 300)).astype(np.uint8)
    photos, _ = pixels.kept("many", (3, 300, 300), lambda: iter(made), dict)
    assert photos.shape == made.shape
    monkeypatch.setattr(pixels, "HELD", 1 << 20)
    before = resident()
    for i in range(100):
        assert (pixels.rows_of(photos, torch.tensor([i])).numpy() == made[i]).all()
    assert resident() - before < 8 << 20, "of 27 MB"
    assert (pixels.rows_of(photos[3:], torch.tensor([0, 2])).numpy() == made[[3, 5]]).all(), "a part of them"


def test_a_photo_that_cannot_be_read_leaves_no_copy_of_the_others(tmp_path):
    with Album(laid(tmp_path / "a", people({"Ann": 3}) | {"Ann/bad.jpg": b"no"})) as album:
        found = pixels.photos_of(album, 16, False)
        again = pixels.photos_of(album, 16, False)
    assert len(found.pixels) == len(found.names) == len(found.hashes) == 3 and again.names == found.names
    assert found.pixels.data_ptr() in pixels._MAPS and torch.equal(again.pixels, found.pixels)
