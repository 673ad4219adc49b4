"""A PNG whose stream ends well, but early, is told from a whole one, whatever its kind."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from dlthink.data.photos.png_rows import lacks_rows
from tests.data.photos.made_photos import packed, picture

WHOLE = {
    "RGB": packed(picture(1, (37, 21))),
    "grey": packed(picture(2, (37, 21), "L")),
    "transparent": packed(picture(3, (37, 21)).convert("RGBA")),
    "palette of 16": packed(picture(4, (37, 21)).quantize(16)),
    "bits": packed(picture(5, (37, 21), "L").convert("1")),
    "16 bits": packed(Image.fromarray(np.arange(37 * 21, dtype=np.uint16).reshape(21, 37))),
}


def taller(data, rows=1, interlaced=0):
    """The same stream under a header that speaks of more rows."""
    width, height, *kind, _ = struct.unpack_from(">IIBBBBB", data, 16)
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height + rows, *kind, interlaced)
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_one_row_less(data):
    assert not lacks_rows(data) and lacks_rows(taller(data))


def interlaced(width, height, missing=0):
    """A grey PNG of 8 bits in the seven passes of Adam7, each of (columns, rows) counted one by one."""
    passes = [
        (range(x, width, dx), range(y, height, dy))
        for x, y, dx, dy in (
            (0, 0, 8, 8),
            (4, 0, 8, 8),
            (0, 4, 4, 8),
            (2, 0, 4, 4),
            (0, 2, 2, 4),
            (1, 0, 2, 2),
            (0, 1, 1, 2),
        )
    ]
    stream = b"".join(b"\0" + bytes(len(across)) for across, down in passes for _ in down if len(across))
    whole = taller(packed(Image.new("L", (width, height))), 0, interlaced=1)
    place = whole.index(b"IDAT") - 4
    body = b"IDAT" + zlib.compress(stream[: len(stream) - missing])
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return whole[:place] + chunk + whole[whole.index(b"IEND") - 4 :]


@pytest.mark.parametrize("size", [(8, 8), (3, 9), (1, 1), (17, 5)])
def test_interlaced(size):
    whole = interlaced(*size)
    Image.open(io.BytesIO(whole)).load()
    assert not lacks_rows(whole) and lacks_rows(interlaced(*size, missing=1))


def test_what_is_none_is_not_judged():
    assert not any(map(lacks_rows, (b"", b"GIF89a", WHOLE["RGB"][:20])))
