"""The user's own photos: one folder of summer, one of winter."""

from __future__ import annotations

from contextlib import ExitStack

from dlthink.data.photos.album import Album
from dlthink.data.seasons.photos_on_disk import Photographed, Place
from dlthink.data.seasons.unpaired import SEASONS
from dlthink.errors import BadInput


class TwoFolders(Photographed):
    """A folder, a .zip or a .tgz for each season; a fifth of the photos is test.

    summer, winter  where they lie

    On other photos than those of its training, a run is examined with all of them.
    """

    def __init__(self, summer: str | None = None, winter: str | None = None, size: int = 128, **changing) -> None:
        self.where = dict(zip(SEASONS, (summer, winter), strict=True))
        for season, path in self.where.items():
            if not path:
                raise BadInput(f"data.{season}: give a folder or a zip of {season} photos: data.{season}=FOLDER")
        super().__init__(size=size, **changing)

    def places(self, stack: ExitStack) -> list[Place]:
        albums = {s: stack.enter_context(Album(path, f"data.{s}")) for s, path in self.where.items()}
        return [
            Place(season, album, album.names, f"data.{season}={self.where[season]}", label=f"{season}/")
            for season, album in albums.items()
        ]
