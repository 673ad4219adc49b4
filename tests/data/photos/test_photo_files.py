"""A folder, a zip and a tgz hold the same; what is none of them, or climbs out, is refused."""

import os

import pytest

from dlthink.data.photos.photo_files import Album
from dlthink.data.photos.pixels import photos_of
from dlthink.errors import BadInput
from tests.data.photos.made_photos import FILES, decode, laid, packed, people, picture, tarred, zipped


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
    monkeypatch.setattr("dlthink.data.photos.photo_files.LARGEST", 100)
    with Album(laid(tmp_path / "a", people({"Ann": 1}))) as album:
        assert "larger than" in next(iter(photos_of(album, 16, False).rejected.values()))


ODD = {
    "Ann/1.jfif": packed(picture(1), "JPEG"),
    "Ann/2.JPE": packed(picture(2), "JPEG"),
    "Ben/no ending": packed(picture(3)),
    "Ben/x.dat": packed(picture(4), "WEBP"),
    "Ben/really.txt": packed(picture(5), "BMP"),
    "Ben/y.tmp": packed(picture(6), "GIF"),
    "Ben/z": packed(picture(7), "TIFF"),
    "Ben/called so.png": b"no",
    "Ben/list.txt": b"a 1 2",
    "Ben/clip.mp4": b"\0\0\0\x18ftypmp42",
    "readme": b"BMW",
    ".hidden/3.jpg": packed(picture(1), "JPEG"),
    "Ann/._1.jpg": b"",
}


def test_what_a_photo_is_its_content_says(tmp_path):
    places = [laid(tmp_path / "a", ODD), zipped(tmp_path / "a.zip", ODD), tarred(tmp_path / "a.tgz", ODD)]
    for place in places:
        with Album(place) as album:
            assert {*album.names} == {*list(ODD)[:8]} and album.texts == ["Ben/list.txt"]
            (note,) = album.notes()
            assert note.startswith("not used: ") and "3 no photos (" in note and "2 hidden (" in note
            assert "Ben/clip.mp4" in note and "readme" in note and "Ann/._1.jpg" in note and "Ben/list.txt" in note
            assert "2 no photos (" in album.notes(read=["Ben/list.txt"])[0]
            assert len(photos_of(album, 16, False).names) == 7


def test_one_photo_without_an_ending(tmp_path):
    for name in ("photo", "photo.dat"):
        with Album(laid(tmp_path, {name: packed(picture(1))}) / name) as album:
            assert album.names == [name]


def test_links_are_followed_and_never_in_a_circle(tmp_path):
    laid(tmp_path, {"far/1.png": packed(picture(1)), "a/Ann/2.png": packed(picture(2))})
    (tmp_path / "a" / "Ben").symlink_to(tmp_path / "far", target_is_directory=True)
    (tmp_path / "a" / "Ann" / "up").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "a" / "Ann" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    with Album(tmp_path / "a") as album:
        assert album.names == ["Ann/2.png", "Ann/gone.png", "Ben/1.png"]
        assert list(photos_of(album, 16, False).rejected) == ["Ann/gone.png"]


def test_two_names_that_look_the_same_are_two_photos(tmp_path):
    files = {"Zo\u00eb/1.png": packed(picture(1)), "Zoe\u0308/1.png": packed(picture(2))}
    with Album(zipped(tmp_path / "a.zip", files)) as album:
        assert album.names == ["Zo\u00eb/1.png", "Zo\u00eb/1 (2).png"]
        assert album.read(album.names[1]) != album.read(album.names[0])


@pytest.mark.skipif(os.name != "posix", reason="a pipe")
def test_what_is_no_file_is_not_waited_for(tmp_path):
    laid(tmp_path / "a", {"1.png": packed(picture(1))})
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    with Album(tmp_path / "a") as album:
        assert album.names == ["1.png"] and "pipe.jpg" in album.notes()[0]
    with pytest.raises(BadInput, match="there is no such folder or file"):
        Album(tmp_path / "a" / "pipe.jpg")
