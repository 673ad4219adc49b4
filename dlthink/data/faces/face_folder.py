"""The user's own photos: a folder or a zip of person/photo.jpg."""

from __future__ import annotations

from pathlib import Path

from dlthink.data.faces.identities import FaceSet, Identities
from dlthink.data.faces.person_folders import left_out, people_of
from dlthink.data.photos.photo_files import Album
from dlthink.data.photos.pixels import chosen, photos_of
from dlthink.errors import BadInput


class FaceFolder(Identities):
    """A folder, a .zip or a .tgz in which each person has a folder of photos, cut to the face.

    path  where it lies
    """

    def __init__(
        self, path: str | None = None, size: int = 64, validation: float = 0.2, erase: float = 0.2, **splitting
    ) -> None:
        if not path:
            raise BadInput("data.path: give a folder or a zip of photos, person/photo.jpg: data.path=FOLDER")
        self.path = path
        super().__init__(size=size, validation=validation, erase=erase, **splitting)

    def face_set(self) -> FaceSet:
        with Album(self.path) as album:
            found = photos_of(album, self.size, self.grey, self.centre)
        people, homeless = people_of(found.names, album.called)
        rejected = found.rejected | homeless
        good = [i for i, person in enumerate(people) if person]
        if not good:
            name, why = next(iter(rejected.items()))
            raise BadInput(
                f"data.path={self.path}: none of its {len(album.names)} photos can be used; the first, {name}: {why}; "
                f"it should hold person/photo.jpg"
            )
        return FaceSet(
            pixels=chosen([(found, good)]),
            names=[found.names[i] for i in good],
            people=[people[i] for i in good],
            hashes=[found.hashes[i] for i in good],
            notes=[*left_out(rejected, len(album.names)), *album.notes()],
        )

    def source(self) -> str:
        return f"data.path={Path(self.path)}"
