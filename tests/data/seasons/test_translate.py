"""`dlthink.data.seasons.translate`: every photo at its own size, one after the other, or a line that says why not."""

import os
from functools import partial

import numpy as np
import pytest
import torch

from dlthink.data.seasons import translate
from dlthink.data.seasons.tiles import Mosaic
from dlthink.data.seasons.translate import SHEET, Translate, written_as
from dlthink.data.seasons.two_domains import TwoDomains
from dlthink.errors import BadInput
from tests.data.photos.made_photos import laid, packed, picture, zipped

Image = pytest.importorskip("PIL.Image", reason="photos need pillow")


STATE = {"domains": ["summer", "winter"]}  # of a run


def translated(path, output, make=lambda x: -x, **words):
    """All photos through `make`, as `dlthink predict` does it."""
    inputs = TwoDomains.inputs(str(path), STATE, **{"direction": "to_winter"} | words)
    for part in inputs.parts(str(output)):
        assert len(part) == 1
        x, _ = part.to("cpu").take(torch.arange(1))
        part.write({inputs.target: make(x[inputs.source])}, str(output))
    return inputs


def pixels(file, mode="RGB"):
    with Image.open(file) as image:
        assert image.mode == "RGB"
        return np.asarray(image.convert(mode)).astype(int)


KINDS = {
    "plain.png": packed(picture(1, (37, 22))),
    "sub folder/ünï 日本.jpg": packed(picture(2, (40, 23)), "JPEG", quality=95),
    "grey.png": packed(picture(3, (9, 8), "L")),
    "palette.gif": packed(picture(4, (33, 21)).convert("P", palette=Image.Palette.ADAPTIVE), "GIF"),
    "alpha.png": packed(picture(5, (32, 32), "RGBA")),
    "cmyk.JPEG": packed(picture(6, (32, 40), "CMYK"), "JPEG"),
    "sixteen.tif": packed(Image.fromarray(np.full((20, 24), 40000, np.uint16)), "TIFF"),
    "moving.webp": packed(picture(7), "WEBP", save_all=True, append_images=[picture(8)], lossless=True),
}


def test_photos_of_all_kinds_keep_name_folder_and_size(tmp_path):
    inputs = translated(laid(tmp_path / "in", KINDS), tmp_path / "out")
    sizes = {
        "plain.png": (22, 37),
        "sub folder/ünï 日本.jpg": (23, 40),
        "grey.png": (8, 9),
        "palette.png": (21, 33),
        "alpha.png": (32, 32),
        "cmyk.JPEG": (40, 32),
        "sixteen.png": (20, 24),
        "moving.png": (32, 32),
    }
    made = {file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert made == {*sizes, SHEET}
    assert {name: pixels(tmp_path / "out" / name).shape[:2] for name in sizes} == sizes
    assert inputs.summary().startswith("8 photos made into winter; before and after in contact_sheet.jpg")
    assert np.abs(pixels(tmp_path / "out" / "plain.png") + np.asarray(picture(1, (37, 22))) - 255).max() <= 1
    assert (pixels(tmp_path / "out" / "sixteen.png") == 255 - round(40000 / 257)).all()


def test_a_large_photo_goes_through_in_tiles_with_all_of_it_beside(tmp_path, monkeypatch):
    monkeypatch.setattr(translate, "Mosaic", partial(Mosaic, piece=32, tile=24, overlap=8))
    laid(tmp_path / "in", {"large.png": packed(picture(1, (90, 61))), "small.png": packed(picture(2, (30, 30)))})
    asked = []
    inputs = TwoDomains.inputs(str(tmp_path / "in"), STATE, direction="to_summer")
    for part in inputs.parts(str(tmp_path / "out")):
        x, _ = part.take(torch.arange(1))
        asked.append({name: tuple(pixels.shape) for name, pixels in x.items()})
        part.write({"summer": x["winter"]}, "")
    assert asked[-1] == {"winter": (1, 3, 32, 32)}
    tiles = [one["winter"][0] for one in asked[:-1]]
    assert tiles == [6] * 4, "6 x 4 tiles, some at a time"
    assert all(one["winter"][1:] == (3, 24, 24) and one["whole"] == (1, 3, 24, 36) for one in asked[:-1])
    assert np.abs(pixels(tmp_path / "out" / "large.png") - np.asarray(picture(1, (90, 61)))).max() <= 1


def test_a_photo_is_turned_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    laid(tmp_path / "in", {"turned.png": packed(picture(1, (40, 24)), exif=exif)})
    translated(tmp_path / "in", tmp_path / "out", make=lambda x: x)
    made = pixels(tmp_path / "out" / "turned.png")
    assert np.abs(made - np.rot90(np.asarray(picture(1, (40, 24))), -1)).max() <= 1
    with Image.open(tmp_path / "out" / "turned.png") as image:
        assert image.getexif().get(0x0112, 1) == 1, "and not twice"


def test_the_meaning_of_its_colours_goes_along(tmp_path):
    cms = pytest.importorskip("PIL.ImageCms")
    profile = cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes()
    laid(tmp_path / "in", {"a.jpg": packed(picture(1), "JPEG", icc_profile=profile)})
    laid(
        tmp_path / "in",
        {"b.jpg": packed(picture(1, mode="CMYK"), "JPEG", icc_profile=profile[:16] + b"CMYK" + profile[20:])},
    )
    translated(tmp_path / "in", tmp_path / "out")
    with Image.open(tmp_path / "out" / "a.jpg") as a, Image.open(tmp_path / "out" / "b.jpg") as b:
        assert a.info["icc_profile"] == profile and "icc_profile" not in b.info


def test_long_shrinks_what_is_larger_and_nothing_else(tmp_path):
    sizes = {"wide.png": (100, 50), "high.png": (25, 80), "small.png": (30, 20), "ribbon.png": (400, 9)}
    laid(tmp_path / "in", {name: packed(picture(1, size)) for name, size in sizes.items()})
    translated(tmp_path / "in", tmp_path / "out", long="40")
    made = {name: pixels(tmp_path / "out" / name).shape[1::-1] for name in sizes}
    assert made == {"wide.png": (40, 20), "high.png": (12, 40), "small.png": (30, 20), "ribbon.png": (40, 1)}


def test_each_photo_is_written_before_the_next_is_opened(tmp_path, monkeypatch):
    laid(tmp_path / "in", {f"{i}.png": packed(picture(i)) for i in range(4)})
    there, upright = [], translate.upright

    def opened(data):
        there.append(len(list((tmp_path / "out").glob("*"))))
        return upright(data)

    monkeypatch.setattr(translate, "upright", opened)
    translated(tmp_path / "in", tmp_path / "out")
    assert there == [0, 1, 2, 3]


def test_one_file_and_a_zip(tmp_path):
    laid(tmp_path / "in", {"a photo.png": packed(picture(1))})
    translated(tmp_path / "in" / "a photo.png", tmp_path / "one")
    translated(zipped(tmp_path / "all.zip", KINDS), tmp_path / "many")
    assert sorted(file.name for file in (tmp_path / "one").iterdir()) == ["a photo.png", SHEET]
    assert (tmp_path / "many" / "sub folder" / "ünï 日本.jpg").is_file()


def test_no_two_photos_are_written_at_one_place():
    names = [
        "a.gif",
        "a.png",
        "A.PNG",
        "a.tif",
        "a.gif.png",
        "b.jpg",
        "b.gif",
        "contact_sheet.jpg",
        "s/contact_sheet.jpg",
    ]
    places = written_as(names)
    assert len({place.casefold() for place in places.values()} | {SHEET}) == len(names) + 1
    assert {places[name] for name in ("a.png", "b.jpg", "s/contact_sheet.jpg")} == {
        "a.png",
        "b.jpg",
        "s/contact_sheet.jpg",
    }
    assert places["b.gif"] == "b.png" and places["a.tif"] == "a.tif.png"
    assert places["contact_sheet.jpg"] == "contact_sheet.jpg.jpg"


# ------------------------------------------------------------------------------------------------------- bad input


def test_photos_that_cannot_be_used_are_told_of_and_the_rest_go_on(tmp_path, capsys):
    whole = packed(picture(1, (200, 200)), "JPEG")
    files = {"cut.jpg": whole[: 3 * len(whole) // 4], "page.jpg": b"<html>", "tiny.png": packed(picture(1, (20, 7)))}
    inputs = translated(laid(tmp_path / "in", files | {"good.png": packed(picture(2))}), tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [SHEET, "good.png"]
    assert inputs.summary().startswith("1 photo made into winter; 3 left out;")
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 3 and "left out: cut.jpg: cut short" in told
    assert any("page.jpg" in line for line in told) and any("20 x 7" in line and "tiny.png" in line for line in told)


def test_a_photo_that_cannot_be_written_is_told_of_and_the_rest_go_on(tmp_path, capsys):
    laid(tmp_path / "in", {"a.png": packed(picture(1)), "b.png": packed(picture(2))})
    (tmp_path / "out" / "a.png").mkdir(parents=True)
    assert translated(tmp_path / "in", tmp_path / "out").summary().startswith("1 photo made into winter; 1 left out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.png", "b.png", SHEET]
    (told,) = capsys.readouterr().out.splitlines()
    assert "a.png" in told and "cannot be written" in told


@pytest.mark.parametrize("name", ["b.png", "sub/other.jpg", "notes.txt", SHEET, "link", "more"])
def test_nothing_is_written_among_files_that_were_not_made_here(tmp_path, name):
    laid(tmp_path / "in", {"a.png": packed(picture(1)), "b.png": packed(picture(2)), "more/c.jpg": packed(picture(3))})
    own = laid(tmp_path / "own", {"photo.png": packed(picture(4))})
    out = tmp_path / "out"
    translated(tmp_path / "in", out)
    translated(tmp_path / "in", out, make=lambda x: x)  # again, over what was made here
    (out / ".DS_Store").write_bytes(b"x")
    translated(tmp_path / "in", out)
    if name == "link":
        (out / name).symlink_to(own, target_is_directory=True)
    elif name == "more":
        (out / "more" / "c.jpg").unlink()
        (out / "more" / "c.jpg").symlink_to(own / "photo.png")
    else:
        laid(out, {name: packed(picture(9))})
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(BadInput, match=r"holds files that were not made here \(.*choose a new folder"):
        translated(tmp_path / "in", out)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_an_answer_that_is_not_finite_is_no_photo(tmp_path):
    laid(tmp_path / "in", {"a.png": packed(picture(1))})
    with pytest.raises(BadInput, match=r"a\.png: the network's answer is not finite"):
        translated(tmp_path / "in", tmp_path / "out", make=lambda x: x / 0)
    assert not list((tmp_path / "out").iterdir())


def test_nothing_that_can_be_used(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no photo"):
        translated(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(BadInput, match="there is no such folder"):
        translated(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(BadInput, match=r"no photo could be translated; the first, a b\.jpg: no picture"):
        translated(laid(tmp_path / "in", {"a b.jpg": b"no"}), tmp_path / "out")
    with pytest.raises(BadInput, match="climbs out"):
        translated(zipped(tmp_path / "evil.zip", {"../../a.png": packed(picture(1))}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="nothing is closed to root")
def test_closed_photos_and_folders(tmp_path, capsys):
    laid(tmp_path / "in", {"a.png": packed(picture(1)), "b.png": packed(picture(2))})
    (tmp_path / "in" / "a.png").chmod(0)
    assert translated(tmp_path / "in", tmp_path / "out").left_out.keys() == {"a.png"}
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(BadInput, match="cannot be made"):
        translated(tmp_path / "in", tmp_path / "closed" / "out")


@pytest.mark.parametrize("direction", ["", "winter", "to_spring", "TO_WINTER"])
def test_a_direction_is_one_of_two(tmp_path, direction):
    laid(tmp_path / "in", {"a.png": packed(picture(1))})
    with pytest.raises(BadInput, match=r"direction=.*to_winter or to_summer") as error:
        Translate.read(str(tmp_path / "in"), STATE["domains"], direction, "")
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize("long", ["7", "0", "-100", "1e3", "12.5", "large"])
def test_long_is_a_number_of_pixels(tmp_path, long):
    with pytest.raises(BadInput, match=f"long={long}: "):
        translated(tmp_path, tmp_path / "out", long=long)
