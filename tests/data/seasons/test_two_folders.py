"""The user's own photos of two seasons: any sizes and kinds, split by content; and what can be wrong."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from dlthink.data.seasons import two_folders
from dlthink.data.seasons.two_folders import TwoFolders
from dlthink.data.stable_hash import share
from dlthink.errors import BadInput
from tests.data.photos.made_photos import Image, decode, laid, packed, picture, tarred, zipped
from tests.data.photos.test_decode import claims
from tests.data.seasons.made_seasons import photos

KINDS = {
    "grey.png": packed(picture(1, (50, 40), "L")),
    "rgba.png": packed(picture(2, (50, 40), "RGBA")),
    "palette.png": packed(picture(3, (50, 40), "P")),
    "cmyk.jpg": packed(picture(4, (50, 40), "CMYK"), "JPEG"),
    "16bit.png": packed(Image.fromarray(np.asarray(picture(5, (50, 40), "L")).astype(np.uint16) * 257)),
    "animated.gif": packed(picture(6, (50, 40)), "GIF", save_all=True, append_images=[picture(7, (50, 40))]),
}


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept"


def data(summer, winter, **more):
    return TwoFolders(str(summer), str(winter), **({"size": 32, "load": 32, "domains": ["summer", "winter"]} | more))


def two(tmp_path, summer=None, winter=None, **more):
    """Two seasons laid into folders; 5 photos each, or these."""
    summer = laid(tmp_path / "S", photos(5) if summer is None else summer)
    return data(summer, laid(tmp_path / "W", photos(5, "winter") if winter is None else winter), **more)


def every(found, season):
    """All photos of a season, wherever they are: uint8 [n, 3 s s]."""
    return torch.cat([getattr(found, role).photos[season] for role in ("train", "val", "test")]).flatten(1)


def looks(pixels):
    return {row.numpy().tobytes() for row in pixels}


def has(found, season, content):
    return bool((every(found, season) == torch.from_numpy(decode(content, 32, False).copy()).flatten()).all(1).any())


def said(make, *args, **more):
    with pytest.raises(BadInput) as error:
        make(*args, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


# -------------------------------------------------------------------------------------------------------------- splits


@pytest.mark.parametrize(
    "side, few, size, more", [(70, 30, 64, "=3000"), (50, 50, 32, "=3000"), (300, 300, 64, "=128")]
)
def test_the_size_follows_the_photos_where_nobody_says_it(tmp_path, side, few, size, more):
    """The larger of 64 and 32 pixels that most photos have; one of forty may be smaller, and is left out."""
    places = []
    for season in ("summer", "winter"):
        sizes = [(side + 20, few if i == 0 else side) for i in range(40)]
        files = {f"{i}.png": packed(picture([i, len(season), ord(season[0])], sizes[i])) for i in range(40)}
        places.append(str(laid(tmp_path / season, files)))
    found = TwoFolders(*places)
    assert (found.size, found.load, found.state["size"], found.train.size) == (size, size, size, size)
    (told,) = [note for note in found.notes if note.startswith(f"data.size={size}, ")]
    assert f"from {side} pixels" in told and more in told
    assert sum(found.test.count.values()) + sum(found.train.count.values()) < 80
    again = TwoFolders(*places, state=found.state)
    assert (again.size, again.test.count) == (size, found.test.count)
    said(TwoFolders, *places, size=128, state=found.state)


def test_an_icon_among_few_photos_does_not_shrink_them(tmp_path):
    folders = []
    for season in ("summer", "winter"):
        sizes = [(70, 70)] * 6 + [(16, 16)]  # the last is too small for any data.size
        files = {f"{i}.png": packed(picture([i, ord(season[0])], size)) for i, size in enumerate(sizes)}
        folders.append(str(laid(tmp_path / season, files)))
    found = TwoFolders(*folders)
    assert found.size == 64
    assert [note for note in found.notes if "from 70 pixels" in note]


def test_the_content_decides_and_no_photo_is_on_two_sides(tmp_path):
    found = two(tmp_path, photos(60), photos(40, "winter"), validation=0.2)
    for season, n in (("summer", 60), ("winter", 40)):
        parts = [looks(getattr(found, role).photos[season]) for role in ("train", "val", "test")]
        assert sum(map(len, parts)) == len(set.union(*parts)) == n
        assert 0.1 < len(parts[2]) / n < 0.3 and 0.1 < len(parts[1]) / (n - len(parts[2])) < 0.35
    fewer = {f"other {name}": content for name, content in photos(60).items() if name[1] != "3"}
    again = two(tmp_path / "2", fewer, photos(40, "winter"), validation=0.2)
    left = looks(every(again, "summer"))
    for role in ("train", "val", "test"):  # whatever they are called, and whatever else is there
        assert looks(getattr(again, role).photos["summer"]) == looks(getattr(found, role).photos["summer"]) & left


@pytest.mark.parametrize("n", range(3, 9))
def test_however_few_no_role_is_empty(tmp_path, n):
    found = two(tmp_path, photos(n), photos(n + 1, "winter"))
    for season, many in (("summer", n), ("winter", n + 1)):
        counts = [getattr(found, role).count[season] for role in ("train", "val", "test")]
        assert min(counts) >= 1 and sum(counts) == many


def test_different_numbers(tmp_path):
    found = two(tmp_path, photos(30), photos(3, "winter"))
    assert found.train.count["summer"] > found.train.count["winter"] == 1 and len(found.train) == found.train.n
    x, y = found.train.take(torch.arange(len(found.train)))
    assert x["summer"].shape == x["winter"].shape and y is x


@pytest.mark.parametrize("pack", [laid, zipped, tarred])
def test_folders_and_archives_hold_the_same(tmp_path, pack):
    plain = two(tmp_path)
    made = data(pack(tmp_path / "s", photos(5)), pack(tmp_path / "w", photos(5, "winter")))
    for role in ("train", "val", "test"):
        for season in ("summer", "winter"):
            one, other = (getattr(d, role).photos[season] for d in (plain, made))
            assert looks(one) == looks(other)


def test_sizes_of_each_role(tmp_path):
    found = two(tmp_path, load=36)
    sides = [getattr(found, role).photos["winter"].shape[2:] for role in ("train", "val", "test")]
    assert sides == [(36, 36), (32, 32), (32, 32)]


def test_a_run_on_other_photos_is_examined_with_all_of_them(tmp_path):
    run = two(tmp_path)
    again = data(tmp_path / "S", tmp_path / "W", state=run.state)
    assert again.train.photos["summer"].equal(run.train.photos["summer"])
    assert again.test.photos["winter"].equal(run.test.photos["winter"])
    other = two(tmp_path / "other", photos(4, first=50), photos(3, "winter", first=50), state=run.state)
    assert other.test.count == {"summer": 4, "winter": 3} and not len(other.train)
    grown = two(tmp_path / "grown", photos(9), photos(5, "winter"), state=run.state)
    assert grown.test.count["summer"] == run.test.count["summer"] + 4
    assert grown.train.photos["summer"].equal(run.train.photos["summer"])


def test_nothing_is_left_to_test(tmp_path):
    run = two(tmp_path)
    trained = looks(run.train.photos["winter"])
    only = {n: c for n, c in photos(5, "winter").items() if decode(c, 32, False).tobytes() in trained}
    assert 0 < len(only) < 5
    message = said(two, tmp_path / "2", photos(9), only, state=run.state)
    assert message.startswith("data.b=") and message.endswith("nothing is left to test")


# -------------------------------------------------------------------------------------------------------- kinds, damage


@pytest.mark.parametrize("name", KINDS)
def test_photos_of_every_kind_are_used(tmp_path, name):
    found = two(tmp_path, photos(4) | {name: KINDS[name]})
    assert len(every(found, "summer")) == 5 and has(found, "summer", KINDS[name])


def test_the_first_picture_of_an_animated_one(tmp_path):
    first = decode(KINDS["animated.gif"], 32, False).astype(int)
    assert np.abs(first - decode(packed(picture(6, (50, 40))), 32, False)).mean() < 8


def test_a_photo_is_turned_as_exif_says(tmp_path):
    lying, exif = picture(9, (60, 40)), Image.Exif()
    exif[0x0112] = 6
    turned = packed(lying, "PNG", exif=exif)
    found = two(tmp_path, photos(4) | {"turned.png": turned})
    assert has(found, "summer", packed(lying.transpose(Image.Transpose.ROTATE_270)))


@pytest.mark.parametrize(
    "content, why",
    [
        (packed(picture(0, (64, 64)), "JPEG")[:-500], "unreadable (cut short)"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "unreadable (no picture that pillow can read)"),
        (claims(60_000, 60_000), "unreadable (more than 89,478,485 pixels, the limit of pillow)"),
        (b"", "unreadable (no picture that pillow can read)"),
        (packed(Image.new("RGB", (50, 50), (250, 20, 20))), "flat"),
        (packed(picture(0, (90, 31))), "tiny (90 x 31)"),
    ],
    ids=["truncated", "html", "bomb", "empty", "flat", "tiny"],
)
def test_what_cannot_be_used_is_left_out_and_named(tmp_path, content, why):
    found = two(tmp_path, winter=photos(5, "winter") | {"bad.jpg": content})
    assert len(every(found, "winter")) == 5
    assert found.tables["clean.csv"][1:] == [["winter/bad.jpg", "winter", "", why, "no", ""]]
    assert found.notes[0].startswith("clean: 1 of 11 photos left out, see clean.csv: 1 ")
    assert found.notes[0].endswith("(winter/bad.jpg)")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    whole = Path.read_bytes

    def refused(path):
        if path.name == "02.png" and path.parent.name == "S":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    found = two(tmp_path)
    assert found.tables["clean.csv"][1][3] == "unreadable (cannot be read (Permission denied))"
    assert len(every(found, "summer")) == 4


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    whole = Path.iterdir

    def refused(path):
        if path.name == "W":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(Path, "iterdir", refused)
    assert said(two, tmp_path) == f"data.b={tmp_path / 'W'}: cannot be read (Permission denied)"


# ----------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("where", [{"b": None}, {"a": None}, {"a": ""}])
def test_a_folder_is_missing(tmp_path, where):
    place = str(laid(tmp_path / "a", photos(5)))
    ((word, _),) = where.items()
    assert said(TwoFolders, **({"a": place, "b": place} | where)).startswith(f"data.{word}: give a folder")


def test_an_empty_folder(tmp_path):
    assert "data.b=" in (message := said(two, tmp_path, winter={"a.txt": b""})) and "holds no photo" in message
    assert "data.a=" in (message := said(data, tmp_path / "none", tmp_path)) and "no such folder" in message


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_photos(tmp_path, n):
    assert said(two, tmp_path, winter=photos(n, "winter")) == (
        f"data.b={tmp_path / 'W'}: {n} of its {n} photos can be used and 3 are needed: give more photos"
    )


def test_photos_smaller_than_needed_are_named(tmp_path):
    small = photos(2, size=(30, 90)) | {"large.png": packed(picture(1, (40, 40)))}
    assert said(two, tmp_path, summer=small) == (
        f"data.a={tmp_path / 'S'}: 1 of its 3 photos can be used and 3 are needed (summer/00.png: tiny (30 x 90); "
        f"summer/01.png: tiny (30 x 90)): give more photos of at least 32 pixels a side, or a smaller data.size than 32"
    )


def test_one_folder_given_twice(tmp_path):
    place = laid(tmp_path / "S", photos(5))
    assert said(data, place, place) == (
        f"data.b={place}: each of its photos is in data.a={place}, too: give those of another domain"
    )
    link = tmp_path / "link"
    link.symlink_to(place)
    copies = laid(tmp_path / "copies", {f"my {name}": content for name, content in photos(4).items()})
    for other in (link, copies):
        for more in ({}, {"clean": False}):
            assert "each of its photos is in data.a=" in said(data, place, other, **more)
            assert "each of its photos is in" in said(data, other, place, **more)


def test_an_archive_that_climbs_out(tmp_path):
    bad = zipped(tmp_path / "a.zip", photos(5) | {"../../x.png": b""})
    message = said(data, bad, laid(tmp_path / "W", photos(5, "winter")))
    assert message.startswith("data.a=") and "climbs out of the folder: refused" in message
    assert not (tmp_path.parent / "x.png").exists()


@pytest.mark.parametrize("value", [0.0, 1.0, float("nan")])
def test_validation_is_a_share(tmp_path, value):
    assert said(two, tmp_path, validation=value).startswith("data.validation=")


def test_hashes_of_the_content_and_no_names_in_the_state(tmp_path):
    found = two(tmp_path)
    n = sum(found.train.count.values()) + sum(found.val.count.values())
    assert len(found.state["looks"]) == 2 * n and not [look for look in found.state["looks"] if "png" in look]
    assert all(0 <= share(look) < 1 for look in found.state["looks"])


def test_a_photo_saved_again_is_on_one_side(tmp_path):
    """At quality 80 it has other pixels; 30 such pairs used to lie on both sides of the split."""
    summer, winter = photos(30), photos(5, "winter")
    again = {
        f"again {name}": packed(Image.open(io.BytesIO(content)), "JPEG", quality=80) for name, content in summer.items()
    }
    found = two(tmp_path, summer | again, winter)
    assert sum(len(getattr(found, role).photos["summer"]) for role in ("train", "val", "test")) == 30
    (note,) = [note for note in found.notes if note.startswith("clean: ")]
    assert note.startswith("clean: 30 of 65 photos left out, see clean.csv: 30 copies (30 repeated)")


def test_each_folder_is_opened_once_and_of_a_photo_its_beginning_says_the_sides(tmp_path, monkeypatch):
    opened, whole = [], []

    class Counted(two_folders.Album):
        def __init__(self, path, word):
            opened.append(path)
            super().__init__(path, word)

        def read(self, name, most=None):
            whole.extend([name] * (most is None))
            return super().read(name, most)

    monkeypatch.setattr(two_folders, "Album", Counted)
    places = [str(laid(tmp_path / season, photos(5, season))) for season in ("summer", "winter")]
    found = TwoFolders(*places)
    assert found.size == 32 and opened == places
    assert len(whole) == 2 * 10  # for the key of the cache, and to be decoded
