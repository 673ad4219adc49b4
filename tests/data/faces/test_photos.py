"""Photos of every kind are decoded or refused with a reason; a folder, a zip and a tgz hold the same."""

import io
import struct
import sys
import tarfile
import zlib

import numpy as np
import pytest
import torch

from dlthink.data.faces import pixels, recognize
from dlthink.data.faces.photos import Album, decode
from dlthink.data.faces.pixels import photos_of
from dlthink.data.faces.whose import left_out, people_of
from dlthink.errors import BadInput
from tests.data.faces.made_photos import Image, laid, packed, people, picture, zipped


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept"


def flat(colour, mode="RGB", size=(20, 20)):
    return Image.new(mode, size, colour)


def told(data, **more):
    with pytest.raises(ValueError) as error:
        decode(data, 16, False, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


# ----------------------------------------------------------------------------------------------------- kinds


def palette():
    return flat((10, 200, 30)).quantize(4)


def sixteen(value):
    return Image.fromarray(np.full((20, 20), value, np.uint16))


@pytest.mark.parametrize(
    "data, colour",
    [
        (packed(flat((10, 200, 30))), (10, 200, 30)),
        (packed(flat(77, "L")), (77, 77, 77)),
        (packed(flat(1, "1")), (255, 255, 255)),
        (packed(palette()), (10, 200, 30)),
        (packed(flat((0, 255, 255, 0), "CMYK"), "TIFF"), (255, 0, 0)),
        (packed(flat((200, 100, 0, 255), "RGBA")), (200, 100, 0)),
        (packed(flat((200, 100, 0, 0), "RGBA")), (128, 128, 128)),
        (packed(flat((0, 0), "LA")), (128, 128, 128)),
        (packed(flat((10, 20, 30)), transparency=(10, 20, 30)), (128, 128, 128)),
        (packed(sixteen(65535)), (255, 255, 255)),
        (packed(sixteen(257 * 90 + 120)), (90, 90, 90)),
        (packed(Image.fromarray(np.full((20, 20), 0.5, np.float32)), "TIFF"), (127, 127, 127)),
        (packed(flat((10, 200, 30)), "BMP"), (10, 200, 30)),
        (packed(palette(), "GIF"), (10, 200, 30)),
    ],
    ids=[
        "rgb",
        "grey",
        "bit",
        "palette",
        "cmyk",
        "rgba",
        "transparent",
        "la",
        "keyed",
        "16bit",
        "16bit-dark",
        "float",
        "bmp",
        "gif",
    ],
)
def test_every_kind_of_picture(data, colour):
    found = decode(data, 16, False)
    assert found.dtype == np.uint8 and found.shape == (3, 16, 16)
    assert np.abs(found.astype(int) - np.array(colour)[:, None, None]).max() <= 1
    grey = decode(data, 16, True)
    luma = np.array(colour) @ (0.299, 0.587, 0.114)
    assert grey.shape == (1, 16, 16) and np.abs(grey.astype(float) - luma).max() <= 2


@pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_photo_upright(orientation, mode):
    upright = Image.new("L", (40, 40), 0)
    upright.paste(255, (0, 0, 40, 10))  # bright above
    upright.paste(128, (0, 10, 10, 40))  # half bright on the left
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that its display undoes
    lying = upright if orientation == 1 else upright.transpose(Image.Transpose(back[orientation]))
    if mode == "I;16":
        lying = Image.fromarray(np.asarray(lying).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode(packed(lying if mode == "I;16" else lying.convert(mode), "PNG", exif=exif), 40, True)[0]
    assert (found[:8] > 250).all() and (abs(found[14:, :7].astype(int) - 128) < 4).all() and (found[14:, 14:] < 4).all()


def test_the_centre_of_the_picture_is_kept():
    wide = Image.new("L", (90, 30), 0)
    wide.paste(200, (30, 0, 60, 30))
    assert (decode(packed(wide), 16, True) == 200).all()
    large = Image.new("L", (250, 250), 0)
    large.paste(200, (61, 61, 189, 189))
    assert (decode(packed(large), 16, True, centre=(250, 128)) == 200).all()
    assert not (decode(packed(large), 16, True) == 200).all()
    other = packed(large.resize((240, 240)))
    assert (decode(other, 16, True, centre=(250, 128)) == decode(other, 16, True)).all(), "another size is left alone"


def test_resizing_averages():
    checks = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    assert np.abs(decode(packed(checks), 16, True).astype(int) - 127).max() <= 8


# ----------------------------------------------------------------------------------------------------- damage


def claims(width, height):
    """A PNG that says it is so large and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d)) for name, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    "data, why",
    [
        (b"", "no picture that pillow can read"),
        (b"hello", "no picture that pillow can read"),
        (packed(flat(0, "L", (1, 1))), "1 x 1 pixels: too small, 8 a side is the least"),
        (packed(flat(0, "L", (300, 7))), "300 x 7 pixels: too small, 8 a side is the least"),
        (packed(picture(0, (64, 64)), "JPEG")[:-400], "cut short"),
        (packed(picture(0, (64, 64)))[:-400], "cut short"),
        (claims(12_000, 12_000), "more than 89,478,485 pixels, the limit of pillow"),
        (claims(60_000, 60_000), "more than 89,478,485 pixels, the limit of pillow"),
    ],
)
def test_what_is_no_photo_says_why(data, why):
    assert told(data) == why


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_damage_never_crashes(kind):
    whole = packed(picture(1, (24, 24)), kind)
    chance = np.random.default_rng(0)
    for _ in range(60):
        data = bytearray(whole[: chance.integers(1, len(whole) + 1)])
        for place in chance.integers(0, len(data), 5):
            data[place] = chance.integers(256)
        try:
            assert decode(bytes(data), 16, False).shape == (3, 16, 16)
        except ValueError as error:
            assert "\n" not in str(error)


def test_without_pillow(monkeypatch, tmp_path):
    laid(tmp_path / "a", people({"Ann": 1}))
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(BadInput, match=r"needs the package pillow: pip install 'dlthink\[faces\]'"):
        photos_of(Album(tmp_path / "a"), 16, False)


# ----------------------------------------------------------------------------------------------------- places


def tarred(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


FILES = people({"Zoë Ünlü": 2, "Ann": 1}) | {"Ann/bad one.jpg": b"no", "Ann/.hidden.png": b"", "Ann/readme.md": b""}


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
    assert left_out(found[0].rejected, 4) == [
        "1 of 4 photos left out: 1 no picture that pillow can read (Ann/bad one.jpg)"
    ]


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
    monkeypatch.setattr("dlthink.data.faces.photos.LARGEST", 100)
    with Album(laid(tmp_path / "a", people({"Ann": 1}))) as album:
        assert "larger than" in next(iter(photos_of(album, 16, False).rejected.values()))


@pytest.mark.parametrize(
    "names, whose",
    [
        (["A/1.jpg", "B/2.jpg"], ["A", "B"]),
        (["faces/A/1.jpg", "faces/B/2.jpg"], ["A", "B"]),
        (["x/y/A/1.jpg", "x/y/B/2.jpg"], ["A", "B"]),
        (["A/2020/1.jpg", "B/2.jpg"], ["A", "B"]),
        (["A/1.jpg", "2.jpg"], ["A", ""]),
        (["A/1.jpg", "A/2.jpg"], ["A", "A"]),
    ],
)
def test_whose_photo_it_is(names, whose):
    people_, homeless = people_of(names)
    assert people_ == whose and list(homeless) == [n for n, w in zip(names, whose, strict=True) if not w]


# ----------------------------------------------------------------------------------------------------- cache


def read(place, **more):
    with Album(place) as album:
        return photos_of(album, **({"size": 16, "grey": False} | more))


@pytest.mark.parametrize("pack", [laid, zipped])
def test_a_photo_is_decoded_once(tmp_path, monkeypatch, pack):
    place = pack(tmp_path / "photos", FILES)
    first = read(place)

    def never(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(pixels, "decode", never)
    again = read(place)
    assert again.pixels.equal(first.pixels) and (again.names, again.rejected, again.hashes) == (
        first.names,
        first.rejected,
        first.hashes,
    )
    for changed in ({"size": 20}, {"grey": True}, {"centre": (32, 20)}):
        with pytest.raises(AssertionError, match="decoded again"):
            read(place, **changed)
    pack(place, {**FILES, "Ann/Ann_0001.png": packed(picture(99))})
    with pytest.raises(AssertionError, match="decoded again"):
        read(place)


def test_pixels_are_mapped_and_a_damaged_cache_is_made_anew(tmp_path, data_folder):
    place = laid(tmp_path / "photos", people({"A": 3}))
    whole = read(place).pixels.clone()  # a mapped file must not shrink beneath a reader
    (file,) = (data_folder / "cache" / "faces").glob("*.npy")
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


# ----------------------------------------------------------------------------------------------------- who is it?

STATE = {"size": 16, "channels": 3, "centre": None}


def asked(tmp_path, gallery=None, photos=None):
    gallery = laid(tmp_path / "gallery", people({"Ann": 2, "Zoë Ü": 1}) if gallery is None else gallery)
    photos = laid(
        tmp_path / "photos", {"b.png": packed(picture(5)), "a x.png": packed(picture(6))} if photos is None else photos
    )
    return recognize.Recognize.read(str(photos), str(gallery), STATE)


def rows_of(path):
    import csv

    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def unit(*angles):
    return torch.stack([torch.tensor([np.cos(a), np.sin(a)]) for a in angles]).float()


def test_who_is_it(tmp_path):
    found = asked(tmp_path, photos={"b.png": packed(picture(5)), "a x.png": packed(picture(6)), "bad.jpg": b"no"})
    assert len(found) == 5 and found.people == ["Ann", "Ann", "Zoë Ü"] and found.names == ["a x.png", "b.png"]
    x, y = found.take(torch.tensor([3, 0]))
    assert y is None and x.shape == (2, 3, 16, 16) and found.known(torch.tensor([0])) == {}
    assert torch.allclose(x[0], torch.tensor(decode(packed(picture(6)), 16, False)).float() / 127.5 - 1)
    read = {"embedding": unit(0.0, 0.4, 1.0, 0.9, 2.5), "threshold": torch.tensor(0.05)}
    out = tmp_path / "who.csv"
    found.to("cpu").write(read, str(out))
    e = read["embedding"].double()
    d = [float((e[i] - e[j]).square().sum()) for i, j in ((3, 2), (3, 1), (4, 2), (4, 1))]
    assert np.allclose(d, [2 - 2 * np.cos(gap) for gap in (0.1, 0.5, 1.5, 2.1)], atol=1e-5)
    assert rows_of(out) == [
        ["photo", "who", "distance", "second", "second_distance", "problem"],
        ["a x.png", "Zoë Ü", f"{round(d[0], 7):.6g}", "Ann", f"{round(d[1], 7):.6g}", ""],
        ["b.png", "unknown", f"{round(d[2], 7):.6g}", "Ann", f"{round(d[3], 7):.6g}", ""],
        ["bad.jpg", "", "", "", "", "no picture that pillow can read"],
    ]
    assert found.told() == "2 photos among 2 people of the gallery; 1 could not be read (see the column problem)"


def test_a_gallery_of_one_and_a_single_photo(tmp_path):
    gallery = laid(tmp_path / "gallery", people({"Ann": 1}))
    photo = laid(tmp_path, {"who is it.png": packed(picture(5))}) / "who is it.png"
    found = recognize.Recognize.read(str(photo), str(gallery), STATE)
    found.write({"embedding": unit(0.0, 0.0), "threshold": torch.tensor(0.5)}, str(tmp_path / "o.csv"))
    assert rows_of(tmp_path / "o.csv")[1:] == [["who is it.png", "Ann", "0", "", "", ""]]


@pytest.mark.parametrize(
    "gallery, photos, says",
    [
        ({"readme.txt": b""}, None, "gallery=.*holds no photo"),
        ({"a.png": packed(picture(1))}, None, "gallery=.*no person's folder.*person/photo.jpg"),
        ({"A/a.png": b"no"}, None, "gallery=.*shows nobody .*A/a.png: no picture"),
        (None, {"readme.txt": b""}, "input=.*holds no photo"),
        (None, {"a.png": b"no"}, "input=.*the first, a.png: no picture"),
    ],
)
def test_an_empty_gallery_or_input(tmp_path, gallery, photos, says):
    with pytest.raises(BadInput, match=says) as error:
        asked(tmp_path, gallery, photos)
    assert "\n" not in str(error.value)


def test_photos_of_the_gallery_that_are_lost_are_told(tmp_path):
    found = asked(tmp_path, people({"Ann": 1}) | {"Ann/x.jpg": b"no", "loose.png": packed(picture(9))})
    assert found.people == ["Ann"] and "1 people of the gallery (2 photos of it could not be used)" in found.told()


def test_a_table_that_cannot_be_written(tmp_path):
    found = asked(tmp_path)
    with pytest.raises(BadInput, match=r"output=.*cannot be written"):
        found.write(
            {"embedding": unit(*range(len(found))), "threshold": torch.tensor(1.0)}, str(tmp_path / "no" / "o.csv")
        )
