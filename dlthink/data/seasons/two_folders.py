"""The user's own photos of any two kinds: a folder of each."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import numpy as np

from dlthink.data.photos.decode import shorter_side
from dlthink.data.photos.photo_files import Album, Unreadable
from dlthink.data.seasons.domains import named_after
from dlthink.data.seasons.photos_on_disk import PhotosOnDisk, Place
from dlthink.errors import BadInput

SIDES = (64, 32)  # pixels that a CPU trains in minutes
LARGER = 128  # and in hours
LOOKED_AT = 300  # photos of a folder whose sides are asked
HEAD = 1 << 18  # bytes of a photo that mostly say its sides
SMALL = 5  # percent of the photos may be smaller than what is chosen, and are left out


class TwoFolders(PhotosOnDisk):
    """A folder, a .zip or a .tgz for each domain; a fifth of the photos is test.

    a, b     where they lie
    domains  what they show, two names, by which metrics and figures are called; None: what the two are called
    size     None: the larger of 64 and 32 pixels that most photos have on their shorter side; load is the same then

    On other photos than those of its training, a run is examined with all of them.
    """

    def __init__(
        self,
        a: str | None = None,
        b: str | None = None,
        domains: list[str] | None = None,
        size: int | None = None,
        load: int | None = None,
        state: dict | None = None,
        **changing,
    ) -> None:
        for word, path in (("a", a), ("b", b)):
            if not path:
                raise BadInput(f"data.{word}: give a folder or a zip of photos: data.a=FOLDER data.b=FOLDER")
        trained = None if state is None else state.get("domains")
        self.domains = domains or trained or named_after(a, b)
        told = []
        with ExitStack() as stack:
            self.albums = [stack.enter_context(Album(path, f"data.{word}")) for word, path in (("a", a), ("b", b))]
            if size is None:
                size, told = self._usual_size() if state is None else (state["size"], [])
                load = load or size
            super().__init__(size=size, load=load, state=state, **changing)
        self.notes += told

    def places(self, stack: ExitStack) -> list[Place]:
        return [
            Place(domain, album, album.names, f"{album.word}={album.path}", label=f"{domain}/")
            for domain, album in zip(self.domains, self.albums, strict=True)
        ]

    def _usual_size(self) -> tuple[int, list[str]]:
        """data.size where nobody says it, and a line on it."""
        usual = min(map(_usual_side, self.albums))
        size = next((side for side in SIDES if side <= usual), SIDES[-1])
        more = f"data.size={LARGER} trainer.steps=800" if usual >= LARGER else "trainer.steps=3000"
        return size, [
            f"data.size={size}, for a first look in minutes (shorter sides of the photos: from {usual} pixels); "
            f"for more, in an hour or two: {more}"
        ]


def _usual_side(album: Album) -> int:
    """Pixels that the shorter sides of all photos but a few have, of those that are not left out at any size."""
    some = np.linspace(0, len(album.names) - 1, min(LOOKED_AT, len(album.names))).round().astype(int)
    sides = []
    for name in (album.names[k] for k in some):
        with suppress(Unreadable):
            sides.append(shorter_side(album.read(name, HEAD)) or shorter_side(album.read(name)))
    known = [side for side in sides if side is not None and side >= SIDES[-1]]
    return int(np.percentile(known, SMALL, method="lower")) if known else SIDES[-1]
