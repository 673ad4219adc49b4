"""Photos of the user's, made into the other domain at their own resolution, one after the other."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from dlthink.data.photos.decode import pillow, upright
from dlthink.data.photos.photo_files import Album
from dlthink.data.seasons.contact_sheet import ContactSheet
from dlthink.data.seasons.photo_mark import mark, refuse_others
from dlthink.data.seasons.tiles import SMALLEST, Mosaic
from dlthink.data.seasons.unpaired import bytes_of, floats
from dlthink.errors import BadInput, plain
from dlthink.files.atomic import atomic
from dlthink.progress_bar import progress_bar

SHEET = "contact_sheet.jpg"
QUALITY = 95  # of JPEG
ROWS = 64  # of a made photo that become bytes at a time
TOGETHER = 6  # tiles of a photo that are asked about with one look at all of it


class Translate:
    """The photos of an album, each read, asked and written before the next is opened.

    source, target  the domain that they are of, and the one that they are made into
    long    pixels of the longer side, to which larger photos are shrunk; None: as they are
    """

    def __init__(self, album: Album, source: str, target: str, long: int | None = None) -> None:
        self.album, self.source, self.target, self.long = album, source, target, long
        self.done = 0
        self.left_out: dict[str, str] = {}

    @classmethod
    def read(cls, path: str, domains: list[str], direction: str, long: str) -> Translate:
        """path: photos, a folder, a zip, or one file. direction: to_ and one of the `domains`. Raises BadInput."""
        a, b = domains
        directions = {f"to_{b}": (a, b), f"to_{a}": (b, a)}
        if direction not in directions:
            word = f"direction={direction}: must be" if direction else "direction=: give"
            raise BadInput(f"{word} {' or '.join(directions)}")
        if long and not (long.isdecimal() and int(long) >= SMALLEST):
            raise BadInput(f"long={long}: pixels of the longer side, a whole number from {SMALLEST}; larger are shrunk")
        pillow()  # says in one line that it is missing
        return cls(Album(path, "input"), *directions[direction], int(long) if long else None)

    def parts(self, path: str) -> Iterator[Tiles]:
        """Every tile of every photo, to be asked and written; a photo takes its place in the folder when it is whole.

        A photo that cannot be read or written is told of, and the rest go on. Raises BadInput when none could be, and
        before anything where the folder holds what was not made here.
        """
        refuse_others(Path(path))
        folder, names = Path(path), self.album.names
        places, sheet = written_as(names), ContactSheet(len(names))
        with self.album, progress_bar(names, desc=f"to {self.target}", unit="photo") as bar:
            for i, name in enumerate(bar):
                try:
                    before = _at_most(upright(self.album.read(name)).convert("RGB"), self.long)
                except ValueError as error:
                    self._leave_out(name, error)
                    continue
                _make(folder)
                mosaic = Mosaic(torch.from_numpy(np.array(before)).permute(2, 0, 1))
                for some in torch.arange(len(mosaic)).split(TOGETHER):
                    yield Tiles(mosaic, some.tolist(), self.source, self.target)
                try:
                    after = _picture(mosaic.made())
                    _save(after, folder / places[name], before.info.get("icc_profile"))
                except ValueError as error:
                    self._leave_out(name, error)
                    continue
                self.done += 1
                sheet.add(i, _printable(name), before, after)
        if not self.done:
            name, why = next(iter(self.left_out.items()))
            raise BadInput(
                f"input={self.album.path}: no photo could be translated; the first, {_printable(name)}: {why}"
            )
        _save(sheet.picture(), folder / SHEET)

    def _leave_out(self, name: str, why: ValueError) -> None:
        self.left_out[name] = str(why)
        tqdm.write(plain(f"left out: {_printable(name)}: {why}"))

    def summary(self) -> str:
        """What was translated, for the terminal."""
        lost = f"; {len(self.left_out)} left out" if self.left_out else ""
        photos = f"{self.done} photo{'s' if self.done > 1 else ''}"
        notes = "".join(f"; {_printable(note)}" for note in self.album.notes())
        return f"{photos} made into {self.target}{lost}{notes}; before and after in {SHEET}"


class Tiles:
    """One sample, x = {source: [1, 3, h, w]}, a photo; or [k, 3, h, w], tiles of a large one, with "whole" [1, 3, ...],
    all of it made small."""

    def __init__(
        self, mosaic: Mosaic, tiles: list[int], source: str, target: str, device: torch.device | str = "cpu"
    ) -> None:
        self.mosaic, self.tiles, self.source, self.target, self.device = mosaic, tiles, source, target, device

    def __len__(self) -> int:
        return 1

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], None]:
        shown = {self.source: torch.stack([self.mosaic.tile(i) for i in self.tiles])}
        if len(self.mosaic) > 1:
            shown["whole"] = self.mosaic.whole[None]
        return {name: floats(picture.to(self.device)) for name, picture in shown.items()}, None

    def known(self, index: Tensor) -> dict[str, Any]:
        return {}

    def to(self, device: torch.device | str) -> Tiles:
        return Tiles(self.mosaic, self.tiles, self.source, self.target, device)

    def write(self, read: dict[str, Any], path: str) -> None:
        """Into the photo, which is saved when all its tiles are there."""
        for i, made in zip(self.tiles, read[self.target], strict=True):
            self.mosaic.add(i, made)


def written_as(names: list[str]) -> dict[str, str]:
    """Where each photo is written: JPEG and PNG by their own names, others as .png; no two at one place."""
    taken, places = {SHEET.casefold()}, {}
    own = [name for name in names if _ending(name) == PurePosixPath(name).suffix]
    for name in (*own, *(name for name in names if name not in {*own})):
        stem, ending = name.removesuffix(PurePosixPath(name).suffix), _ending(name)
        choices = (stem + ending, name + ending, *(f"{name} {k}{ending}" for k in range(2, len(names) + 3)))
        places[name] = next(place for place in choices if place.casefold() not in taken)
        taken.add(places[name].casefold())
    return places


def _ending(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return suffix if suffix.lower() in (".jpg", ".jpeg", ".png") else ".png"


def _at_most(image: Any, long: int | None) -> Any:
    """The picture, shrunk with averaging when its longer side has more pixels."""
    if long is None or max(image.size) <= long:
        return image
    width, height = (max(1, round(side * long / max(image.size))) for side in image.size)
    return image.resize((width, height), pillow().Image.Resampling.LANCZOS)


def _picture(made: Tensor) -> Any:
    if not made.isfinite().all():
        raise ValueError("the network's answer is not finite")
    rows = [bytes_of(some).permute(1, 2, 0) for some in made.split(ROWS, 1)]  # some at a time: floats are large
    return pillow().Image.fromarray(torch.cat(rows).numpy())


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"output={folder}: cannot be made ({error.strerror or error}): choose another place") from error


def _save(image: Any, file: Path, profile: bytes | None = None) -> None:
    """Whole or not at all. profile: the colours that its numbers mean, kept where it is one of RGB."""
    kind = "PNG" if file.suffix.lower() == ".png" else "JPEG"
    about = {"icc_profile": profile} if profile and profile[16:20] == b"RGB " else {}
    packed = io.BytesIO()
    try:
        image.save(packed, kind, **about, **mark(kind), **({"quality": QUALITY} if kind == "JPEG" else {}))
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot be written ({error.strerror or error})") from error
    with atomic(str(file), binary=True, remembered=False) as out:
        out.write(packed.getvalue())


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)
