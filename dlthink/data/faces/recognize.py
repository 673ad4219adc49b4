"""Who is it? Photos of the user's, and a gallery of people to look for them among."""

from __future__ import annotations

import csv
from typing import Any

import torch
from torch import Tensor

from dlthink.data.faces.whose import people_of
from dlthink.data.photos.album import Album
from dlthink.data.photos.pixels import Photos, photos_of
from dlthink.errors import BadInput
from dlthink.whole import whole

COLUMNS = ["photo", "who", "distance", "second", "second_distance", "problem"]


class Recognize:
    """The photos of the gallery, then those asked about, so that one pass of the network embeds them all.

    pixels    uint8 [n, channels, s, s]
    people    whose each of the gallery's photos is; they come first
    names     of the photos asked about that have pixels; rejected: {name: why another has none}
    lost      how many photos of the gallery could not be used
    """

    def __init__(
        self, pixels: Tensor, people: list[str], names: list[str], rejected: dict[str, str], lost: int
    ) -> None:
        self.pixels, self.people, self.names, self.rejected, self.lost = pixels, people, names, rejected, lost

    @classmethod
    def read(cls, path: str, gallery: str, state: dict) -> Recognize:
        """path: photos, a folder, a zip, or one file; gallery: person/photo.jpg. BadInput where nothing is left."""
        known, reasons = _opened(gallery, "gallery", state)
        whose, _ = people_of(known.names)
        placed = [i for i, person in enumerate(whose) if person]
        if not placed:
            why = f"the first, {next(iter(reasons.items()))[0]}: {next(iter(reasons.values()))}" if reasons else ""
            why = "its photos lie in no person's folder" if known.names else why
            raise BadInput(f"gallery={gallery}: shows nobody ({why}): give a folder with person/photo.jpg in it")
        asked, rejected = _opened(path, "input", state)
        if not asked.names:
            name, why = next(iter(rejected.items()))
            raise BadInput(f"input={path}: holds no photo that can be used; the first, {name}: {why}")
        pixels = torch.cat([known.pixels[torch.tensor(placed)], asked.pixels])
        lost = len(reasons) + len(whose) - len(placed)
        return cls(pixels, [whose[i] for i in placed], asked.names, rejected, lost)

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, index: Tensor) -> tuple[Tensor, None]:
        return self.pixels.index_select(0, index).float().div_(127.5).sub_(1), None

    def known(self, index: Tensor) -> dict[str, Any]:
        return {}

    def told(self) -> str:
        """What was recognized, for the terminal."""
        skipped = f"; {len(self.rejected)} could not be read (see the column problem)" if self.rejected else ""
        lost = f" ({self.lost} photos of it could not be used)" if self.lost else ""
        return f"{len(self.names)} photos among {len(set(self.people))} people of the gallery{lost}{skipped}"

    def to(self, device: torch.device | str) -> Recognize:
        return Recognize(self.pixels.to(device), self.people, self.names, self.rejected, self.lost)

    def nearest(self, embedding: Tensor) -> tuple[list[str], Tensor]:
        """(people, their squared distance to each photo asked about [n, people]): that of their nearest photo."""
        first = len(self.people)
        ordered = sorted(set(self.people))
        column = torch.tensor([ordered.index(person) for person in self.people], device=embedding.device)
        between = torch.cdist(embedding[first:].double(), embedding[:first].double()).square()
        best = torch.full((len(between), len(ordered)), torch.inf, dtype=torch.float64, device=embedding.device)
        return ordered, best.scatter_reduce(1, column.expand(len(between), -1), between, "amin")

    def write(self, read: dict[str, Any], path: str) -> None:
        """A CSV, whole or not at all: photo, who (`unknown` beyond the threshold), distance, the second best.

        Distances are squared, 0 to 4; a photo that could not be read has a row that says why.
        """
        people, distance = self.nearest(read["embedding"])
        near, who = distance.sort(1)
        limit = float(read["threshold"])
        rows = [[name, "", "", "", "", why] for name, why in self.rejected.items()]
        for name, d, person in zip(self.names, near.tolist(), who.tolist(), strict=True):
            second = [people[person[1]], _written(d[1])] if len(people) > 1 else ["", ""]
            rows.append([name, people[person[0]] if d[0] <= limit else "unknown", _written(d[0]), *second, ""])
        with whole(path) as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *sorted(rows)])


def _written(distance: float) -> str:
    return f"{round(distance, 7):.6g}"  # embeddings are float32: of the same photo twice the rest is noise


def _opened(path: str, word: str, state: dict) -> tuple[Photos, dict[str, str]]:
    with Album(path, word) as album:
        found = photos_of(album, state["size"], state["channels"] == 1, state["centre"])
    return found, found.rejected
