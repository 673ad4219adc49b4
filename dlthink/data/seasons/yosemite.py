"""Summer and winter in Yosemite: the photos of CycleGAN, 2,740 of them, of which 181 are copies of others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from dlthink.data.photos.photo_files import Album
from dlthink.data.seasons.photos_on_disk import PhotosOnDisk, Place
from dlthink.errors import BadInput
from dlthink.files.cache import data_folder

FETCHED = Path("yosemite") / "summer2winter_yosemite.zip"
FOLDERS = {"trainA": (0, "train"), "trainB": (1, "train"), "testA": (0, "test"), "testB": (1, "test")}


class Yosemite(PhotosOnDisk):
    """Folders trainA, trainB, testA, testB; the published test is test but for a `fold`.

    path     a folder or a .zip that holds them, be it inside another folder; null: where `dlthink fetch yosemite` puts
             it
    domains  what A and B show

    Any set in the layout of CycleGAN's will do. Zhu, Park, Isola & Efros 2017, ICCV.
    """

    def __init__(
        self, path: str | None = None, domains: Sequence[str] = ("summer", "winter"), size: int = 128, **changing
    ) -> None:
        self.path, self.domains = path, domains
        super().__init__(size=size, **changing)

    def places(self, stack: ExitStack) -> list[Place]:
        path = Path(self.path).expanduser() if self.path else data_folder() / FETCHED
        if not self.path and not path.exists():
            raise BadInput(f"{path}: is not there; get it with `dlthink fetch yosemite`, or give data.path=FOLDER")
        album = stack.enter_context(Album(path))
        names: dict[str, list[str]] = {}
        for name in album.names:
            names.setdefault(str(PurePosixPath(name).parent), []).append(name)
        found: dict[str, list[str]] = {}
        for parent in names:
            found.setdefault(PurePosixPath(parent).name, []).append(parent)
        for folder in FOLDERS:
            if folder not in found:
                a, b = self.domains
                raise BadInput(
                    f"data.path={path}: has no photos in {folder}, where trainA and testA are {a}, trainB and testB "
                    f"{b}; for two folders of your own: data=two_folders data.a=DIR data.b=DIR"
                )
            if len(found[folder]) > 1:
                raise BadInput(f"data.path={path}: holds {' and '.join(found[folder][:2])}: give the folder of one set")
        return [
            Place(self.domains[side], album, names[found[folder][0]], f"data.path={path}: {folder}", split)
            for folder, (side, split) in FOLDERS.items()
        ]
