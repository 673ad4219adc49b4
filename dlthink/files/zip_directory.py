"""How much a zip from a stranger lists, told before Python makes an object of each of its entries."""

import struct
import zipfile
from pathlib import Path

END = struct.Struct("<4s4H2LH")  # its last record: signature, four numbers, bytes of the list, where it begins, comment
LOCATOR = struct.Struct("<4sLQL")  # of a large one, before that
END64 = struct.Struct("<4sQ2H2L4Q")  # and before that: its bytes of the list are the last but one
TAIL = END64.size + LOCATOR.size + END.size


def check_directory(path: Path, most: int) -> None:
    """Raises BadZipFile where the list of entries has more than `most` bytes (46 and a name each), where a comment
    stands behind it, or where it is no zip at all.

    Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
    """
    with path.open("rb") as file:
        file.seek(max(file.seek(0, 2) - TAIL, 0))
        tail = file.read()
    if len(tail) < END.size:
        raise zipfile.BadZipFile("it is no zip")
    signature, *_, size, _, comment = END.unpack(tail[-END.size :])
    if signature != b"PK\5\6" or comment:
        raise zipfile.BadZipFile("it is no zip, or has a comment")
    if tail[-END.size - LOCATOR.size :].startswith(b"PK\6\7"):
        large = tail[: END64.size]
        if len(tail) < TAIL or not large.startswith(b"PK\6\6"):
            raise zipfile.BadZipFile("its last records are broken")
        size = max(size if size < 2**32 - 1 else 0, END64.unpack(large)[-2])
    if size > most:
        raise zipfile.BadZipFile("it lists too many entries")
