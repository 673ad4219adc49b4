"""Photos of every kind are decoded or refused with a reason."""

import struct
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
