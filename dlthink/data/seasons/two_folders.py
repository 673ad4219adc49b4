"""The user's own photos of any two kinds: a folder of each."""

from __future__ import annotations

from contextlib import ExitStack

from dlthink.data.photos.photo_files import Album
from dlthink.data.seasons.domains import named_after
from dlthink.data.seasons.photos_on_disk import PhotosOnDisk, Place
from dlthink.errors import BadInput


class TwoFolders(PhotosOnDisk):
    """A folder, a .zip or a .tgz for each domain; a fifth of the photos is test.

    a, b     where they lie
    domains  what they show, two names, by which metrics and figures are called; None: what the two are called

    On other photos than those of its training, a run is examined with all of them.
    """

    def __init__(
        self,
        a: str | None = None,
        b: str | None = None,
        domains: list[str] | None = None,
        size: int = 128,
        state: dict | None = None,
        **changing,
    ) -> None:
        for word, path in (("a", a), ("b", b)):
            if not path:
                raise BadInput(f"data.{word}: give a folder or a zip of photos: data.a=FOLDER data.b=FOLDER")
        trained = None if state is None else state.get("domains")
        self.domains = domains or trained or named_after(a, b)
        self.where = (("a", a), ("b", b))
        super().__init__(size=size, state=state, **changing)

    def places(self, stack: ExitStack) -> list[Place]:
        albums = [stack.enter_context(Album(path, f"data.{word}")) for word, path in self.where]
        return [
            Place(domain, album, album.names, f"data.{word}={path}", label=f"{domain}/")
            for domain, album, (word, path) in zip(self.domains, albums, self.where, strict=True)
        ]
