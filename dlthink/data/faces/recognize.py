"""Who is it? Photos of the user's, and a gallery of people to look for them among."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dlthink.data.faces.person_folders import people_of
from dlthink.data.faces.split import AT_ONCE
from dlthink.data.photos.photo_files import Album
from dlthink.data.photos.pixels import Photos, chosen, photos_of, rows_of
from dlthink.errors import BadInput
from dlthink.files.atomic import atomic

COLUMNS = ["photo", "who", "nearest", "distance", "accepted", "second", "second_distance", "problem"]
UNKNOWN = "unknown"  # who, where nobody is near enough
FEW = 3  # photos that a line names
CHUNK = 512  # photos asked about whose distances are there at a time; and photos of the gallery


class Recognize:
    """The photos of the gallery, then those asked about, so that one pass of the network embeds them all.

    pixels    uint8 [n, channels, s, s]
    people    whose each of the gallery's photos is; they come first
    names     of the photos asked about that have pixels; rejected: {name: why another has none}
    lost      how many photos of the gallery could not be used
    notes     lines on files of either that are no photos
    """

    def __init__(
        self,
        pixels: Tensor,
        people: list[str],
        names: list[str],
        rejected: dict[str, str],
        lost: int,
        notes: Sequence[str] = (),
    ) -> None:
        self.pixels, self.people, self.names, self.rejected, self.lost = pixels, people, names, rejected, lost
        self.notes = list(notes)

    @classmethod
    def read(cls, path: str, gallery: str, state: dict) -> Recognize:
        """path: photos, a folder, a zip, or one file; gallery: person/photo.jpg. BadInput where nothing is left."""
        known, reasons, within, notes = _opened(gallery, "gallery", state)
        whose, _ = people_of(known.names, within)
        placed = [i for i, person in enumerate(whose) if person]
        if not placed:
            why = f"the first, {next(iter(reasons.items()))[0]}: {next(iter(reasons.values()))}" if reasons else ""
            why = "its photos lie in no person's folder" if known.names else why
            raise BadInput(f"gallery={gallery}: shows nobody ({why}): give a folder with person/photo.jpg in it")
        asked, rejected, _, more = _opened(path, "input", state)
        if not asked.names:
            name, why = next(iter(rejected.items()))
            raise BadInput(f"input={path}: holds no photo that can be used; the first, {name}: {why}")
        pixels = chosen([(known, placed), (asked, list(range(len(asked.names))))])
        lost = len(reasons) + len(whose) - len(placed)
        if whose != people_of(known.names)[0]:
            notes = [f"its folders are dates, so all photos show {whose[placed[0]]}", *notes]
        notes = [f"gallery: {note}" for note in notes] + [f"input: {note}" for note in more]
        notes += _in_both(known, placed, asked)
        return cls(pixels, [whose[i] for i in placed], asked.names, rejected, lost, notes)

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def at_once(self) -> int:
        """Photos that the network is asked about at a time."""
        return max(1, AT_ONCE // self.pixels.shape[-1] ** 2)

    def take(self, index: Tensor) -> tuple[Tensor, None]:
        return rows_of(self.pixels, index).float().div_(127.5).sub_(1), None

    def known(self, index: Tensor) -> dict[str, Any]:
        return {}

    def summary(self) -> str:
        """What was recognized, for the terminal."""
        skipped = f"; {len(self.rejected)} could not be read (see the column problem)" if self.rejected else ""
        lost = f" ({self.lost} photos of it could not be used)" if self.lost else ""
        people = sorted(set(self.people))
        also = f"; {UNKNOWN} is somebody, too: see the column accepted" if UNKNOWN in people else ""
        notes = "".join(f"; {note}" for note in self.notes)
        return f"{len(self.names)} photos among {len(people)} people of the gallery{lost}{skipped}{also}{notes}"

    def to(self, device: torch.device | str) -> Recognize:
        return Recognize(self.pixels.to(device), self.people, self.names, self.rejected, self.lost, self.notes)

    def nearest(self, embedding: Tensor) -> tuple[list[str], Tensor, Tensor]:
        """(people, squared distance of the nearest two to each photo asked about, their numbers), both [n, 2 or 1].

        Somebody is as near as the nearest of their photos. Memory: O(512 (512 + people)), whatever is asked.
        """
        first, ordered = len(self.people), sorted(set(self.people))
        number = {person: k for k, person in enumerate(ordered)}
        column = torch.tensor([number[person] for person in self.people], device=embedding.device)
        near, who = [], []
        for asked in embedding[first:].split(CHUNK):
            best = torch.full((len(asked), len(ordered)), torch.inf, dtype=torch.float64, device=embedding.device)
            for known, of in zip(embedding[:first].split(CHUNK), column.split(CHUNK), strict=True):
                between = torch.cdist(asked.double(), known.double()).square()
                best.scatter_reduce_(1, of.expand(len(between), -1), between, "amin")
            ends = best.topk(min(2, len(ordered)), largest=False)
            near.append(ends.values.cpu())
            who.append(ends.indices.cpu())
        return ordered, torch.cat(near), torch.cat(who)

    def write(self, read: dict[str, Any], path: str) -> None:
        """A CSV, whole or not at all: a row for each photo.

        who       its nearest person, or `unknown` beyond the threshold; nearest: that person either way
        accepted  yes within the threshold, so that somebody called unknown can be told apart; else no
        distance  squared, 0 to 4; second, second_distance: of the second nearest person
        problem   why a photo could not be read
        """
        if "threshold" not in read:
            raise BadInput(f"{path}: the run has chosen no threshold, since in validation nobody is on two photos")
        people, near, who = self.nearest(read["embedding"])
        limit = float(read["threshold"])
        rows = [[name, *[""] * (len(COLUMNS) - 2), why] for name, why in self.rejected.items()]
        for name, d, person in zip(self.names, near.tolist(), who.tolist(), strict=True):
            nearest, within = people[person[0]], d[0] <= limit
            second = [people[person[1]], _written(d[1])] if len(people) > 1 else ["", ""]
            told = [nearest if within else UNKNOWN, nearest, _written(d[0]), "yes" if within else "no"]
            rows.append([name, *told, *second, ""])
        with atomic(path) as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *sorted(rows)])


def _in_both(known: Photos, placed: Sequence[int], asked: Photos) -> list[str]:
    """A line on photos asked about that lie in the gallery, too: each is nearest to itself, which recognizes nobody."""
    kept = {known.shown[i] for i in placed}
    same = [name for name, shown in zip(asked.names, asked.shown, strict=True) if shown in kept]
    if not same:
        return []
    more = f" and {len(same) - FEW} more" if len(same) > FEW else ""
    lie = "photos asked about lie" if len(same) > 1 else "photo asked about lies"
    return [
        f"{len(same)} {lie} in the gallery, too ({', '.join(same[:FEW])}{more}): its own copy is nearest, so it shows "
        f"nothing of who is recognized"
    ]


def _written(distance: float) -> str:
    return f"{round(distance, 7):.6g}"  # embeddings are float32: of the same photo twice the rest is noise


def _opened(path: str, word: str, state: dict) -> tuple[Photos, dict[str, str], str, list[str]]:
    """The photos of a place, why others have no pixels, what the place is called, and what else lies there."""
    with Album(path, word) as album:
        found = photos_of(album, state["size"], state["channels"] == 1, state["centre"])
        return found, found.rejected, album.called, album.notes()
