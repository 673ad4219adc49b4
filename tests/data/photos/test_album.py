"""A folder, a zip and a tgz hold the same; what is none of them, or climbs out, is refused."""

import pytest

from dlthink.data.photos.album import Album
from dlthink.data.photos.pixels import photos_of
from dlthink.errors import BadInput
from tests.data.photos.made_photos import FILES, decode, laid, people, tarred, zipped


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_a_folder_a_zip_and_a_tgz_hold_the_same(tmp_path):
    places = [laid(tmp_path / "a folder", FILES), zipped(tmp_path / "ü.zip", FILES), tarred(tmp_path / "x.tgz", FILES)]
    found = []
    for place in places:
        with Album(place) as album:
            found.append(photos_of(album, 16, False))
    for one in found:
        by_name = {name: one.pixels[i] for i, name in enumerate(one.names)}
        assert set(by_name) == {n for n in FILES if n.endswith(".png") and "/." not in n}
        assert one.rejected == {"Ann/bad one.jpg": "no picture that pillow can read"}
        for name, pixels_ in by_name.items():
            assert (pixels_.numpy() == decode(FILES[name], 16, False)).all()


def test_names_are_one_whatever_the_system_that_wrote_them(tmp_path):
    composed, apart = "Zo\u00eb/1.png", "Zoe\u0308/1.png"
    for i, name in enumerate((composed, apart)):
        assert Album(zipped(tmp_path / f"{i}.zip", {name: b""})).names == [composed]


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/x.png", "..\\x.png", "C:\\x.png", "C:/x.png"])
def test_an_archive_that_climbs_out_is_refused(tmp_path, name):
    for path in (zipped(tmp_path / "a.zip", {name: b""}), tarred(tmp_path / "a.tgz", {name: b""})):
        with pytest.raises(BadInput, match="climbs out of the folder: refused") as error:
            Album(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda at: at / "none", "there is no such folder or file"),
        (lambda at: laid(at / "empty", {"a.txt": b"x"}), "holds no photo"),
        (lambda at: zipped(at / "e.zip", {}), "holds no photo"),
        (lambda at: laid(at, {"broken.zip": b"PK\3\4 and no more"}) / "broken.zip", "neither a folder of photos nor"),
        (lambda at: laid(at, {"a.csv": b"1,2"}) / "a.csv", "neither a folder of photos nor"),
    ],
)
def test_places_that_hold_no_photos(tmp_path, make, says):
    with pytest.raises(BadInput, match=says) as error:
        Album(make(tmp_path))
    assert "\n" not in str(error.value) and "data.path=" in str(error.value)


def test_a_tgz_cut_short(tmp_path):
    path = tarred(tmp_path / "a.tgz", people({"A": 9}))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadInput, match=r"nor a whole .zip or .tgz"):
        Album(path)


def test_a_zip_with_one_damaged_member(tmp_path):
    files = people({"Ann": 2})
    path = zipped(tmp_path / "a.zip", files)
    data = path.read_bytes()
    place = data.index(files["Ann/Ann_0002.png"]) + 60
    path.write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
    with Album(path) as album:
        found = photos_of(album, 16, False)
    assert found.names == ["Ann/Ann_0001.png"] and found.rejected == {"Ann/Ann_0002.png": "cannot be unpacked"}


def test_a_file_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("dlthink.data.photos.album.LARGEST", 100)
    with Album(laid(tmp_path / "a", people({"Ann": 1}))) as album:
        assert "larger than" in next(iter(photos_of(album, 16, False).rejected.values()))
