"""Photos of every kind are decoded or refused with a reason."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from tests.data.photos.made_photos import Image, decode, packed, picture


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


@pytest.mark.parametrize("kind", ["16bit", "float", "RGBA", "P", "CMYK", "RGB"])
def test_a_picture_converted_in_bands_is_that_of_one_piece(kind, monkeypatch):
    image = picture(3, (33, 47), "RGBA" if kind in ("RGBA", "P") else "RGB")
    if kind in ("16bit", "float"):
        values = np.asarray(image.convert("L"))
        image = Image.fromarray(values.astype(np.uint16) * 250 if kind == "16bit" else values.astype(np.float32) / 300)
    elif kind != "RGBA":
        image = image.convert(kind)
    data = packed(image, "TIFF" if kind in ("float", "CMYK") else "PNG")
    whole = decode(data, 16, False)
    monkeypatch.setattr("dlthink.data.photos.decode.BAND", 70)
    assert (decode(data, 16, False) == whole).all()


# ----------------------------------------------------------------------------------------------------- damage


def test_photos_whose_colours_or_size_would_mislead_are_refused():
    lab = packed(Image.new("LAB", (20, 20)), "TIFF")
    assert told(lab) == "in the colours LAB, which cannot be read: save it as JPEG"
    raw = packed(picture(1), "TIFF", tiffinfo={254: 1})
    assert told(raw).startswith("a camera's raw file")


def test_decoders_that_need_much_memory_get_smaller_pictures(monkeypatch):
    monkeypatch.setattr("dlthink.data.photos.decode.HUNGRY", {"WEBP": 500})
    assert told(packed(picture(1), "WEBP")) == "more than 500 pixels, too many for a WEBP: save it as JPEG"
    decode(packed(picture(1)), 16, False)


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\1\x12" * 999]
)
def test_damaged_exif_is_no_obstacle(exif):
    for mode in ("RGB", "RGBA"):
        assert decode(packed(picture(1, mode=mode), "PNG", exif=exif), 16, False).shape == (3, 16, 16)


MEMORY = """
import re, sys
from dlthink.data.photos.decode import upright
upright(open(sys.argv[1], "rb").read())
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])  # ru_maxrss counts who started it, too
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes on Linux")
@pytest.mark.parametrize("mode", ["16bit", "RGBA"])
def test_a_small_file_of_many_pixels_has_bounded_memory(tmp_path, mode):
    """9,400 x 9,400 pixels in some 200 KB took 2.2 GB."""
    side = 9400
    image = Image.fromarray(np.zeros((side, side), np.uint16)) if mode == "16bit" else Image.new(mode, (side, side))
    image.save(tmp_path / "a.png")
    made = subprocess.run([sys.executable, "-c", MEMORY, str(tmp_path / "a.png")], capture_output=True, check=True)
    assert int(made.stdout) < 1_000_000


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
        (claims(40, 60), "cut short"),  # it ends well, after 100 bytes of its rows
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
