"""Does a PNG hold all the rows that it speaks of? Its decoder leaves black what is not there, and says nothing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the kind of colour
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7
PIECE, AT_ONCE = 1 << 16, 1 << 20  # bytes that are unpacked at a time, and what they may become


def lacks_rows(data: bytes) -> bool:
    """True where what a PNG has packed ends before its last row. What is none, or damaged, is not judged."""
    try:
        chunks = list(_chunks(data))
        width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", chunks[0][1])
        bits = CHANNELS[colour] * depth
    except (IndexError, KeyError, struct.error):
        return False
    left, unpacker = _bytes(width, height, bits, bool(interlaced)), zlib.decompressobj()
    bodies = [body for name, body in chunks if name == b"IDAT"]
    try:
        for packed in (body[at : at + PIECE] for body in bodies for at in range(0, len(body), PIECE)):
            while packed and left > 0 and not unpacker.eof:
                left -= len(unpacker.decompress(packed, AT_ONCE))
                packed = unpacker.unconsumed_tail
    except zlib.error:
        return False
    return left > 0


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    place = len(SIGNATURE) if data.startswith(SIGNATURE) else len(data)
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        yield name, memoryview(data)[place + 8 : place + 8 + size]
        place += 12 + size


def _bytes(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Of all rows, unpacked: each begins with a byte that says how it is filtered."""
    total = 0
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = (width - left + across - 1) // across, (height - top + down - 1) // down
        total += rows * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    return total
