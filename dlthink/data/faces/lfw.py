"""Labeled Faces in the Wild: 13,233 press photos of 5,749 people, for research only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import torch

from dlthink.data.faces.identities import FaceSet, Identities
from dlthink.data.faces.lfw_lists import Lists, Pair
from dlthink.data.faces.person_folders import left_out, people_of
from dlthink.data.photos.photo_files import Album
from dlthink.data.photos.pixels import chosen, photos_of
from dlthink.errors import BadInput
from dlthink.files.cache import data_folder

FETCHED = Path("lfw") / "lfw-funneled.tgz"
GENDERS = ("female", "male")  # 0 and 1 in the lists
PACKED = (".zip", ".tgz", ".tar.gz", ".tar")


class Lfw(Identities):
    """Photos Name/Name_NNNN.jpg of a folder, .zip or .tgz, with pairs.txt in it or beside it.

    path   where they lie; null: where `dlthink fetch lfw` puts them
    fold   1 .. 10: everybody in that fold of View 2 is test, and facts["pairs"] has its pairs [i, j, same] of photos;
           null: test are the people of View 1's test where its lists are there, else a fifth at random; no pairs
    lists  folder of pairs.txt and the rest; null: in or beside `path`

    The photos of a fold's pairs stay as published; others of which one picture lies under two names do not.
    Pictures of the original 250 x 250 pixels are cut to their central 128. Groups: female and male, as annotators
    guessed (AFIF4), where these lists are there. Huang et al. 2007, UMass Amherst 07-49.
    """

    fixed = (*Identities.fixed, "fold")
    centre = (250, 128)

    def __init__(
        self,
        path: str | None = None,
        fold: int | None = None,
        lists: str | None = None,
        size: int = 64,
        erase: float = 0.2,
        **splitting,
    ) -> None:
        self.path, self.fold, self.lists = path, fold, lists
        self._told: list[Pair] = []
        super().__init__(size=size, erase=erase, **splitting)
        self.facts["pairs"] = self._pairs() if fold is not None else None

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of their facts."""
        return (*super().fact_names(settings), "pairs")

    def face_set(self) -> FaceSet:
        self._place = self._album()
        with Album(self._place) as album:
            said = Lists(album, self.lists)
            if self.fold is not None:
                self._where, self._told = said.view2(self.fold)
            else:
                self._view1 = said.view1_test()
            found = photos_of(album, self.size, self.grey, self.centre)
        people, homeless = people_of(found.names)
        people = [name.split("/")[-2] if person else "" for name, person in zip(found.names, people, strict=True)]
        rejected = found.rejected | homeless
        good = [i for i, person in enumerate(people) if person]
        if not good:
            name, why = next(iter(rejected.items()))
            raise BadInput(f"{self.source()}: none of its photos can be used; the first, {name}: {why}")
        genders = said.genders()
        gender = torch.tensor([genders.get(people[i], -1) for i in good])
        self._photo = {(people[i], PurePosixPath(found.names[i]).stem): row for row, i in enumerate(good)}
        named = {photo for pair in self._told for photo in (pair.first, pair.second)}
        self.protected = {row for photo, row in self._photo.items() if photo in named}
        self._unreadable = {PurePosixPath(name).stem for name in rejected}
        return FaceSet(
            pixels=chosen([(found, good)]),
            names=[found.names[i] for i in good],
            people=[people[i] for i in good],
            hashes=[found.hashes[i] for i in good],
            groups={name: gender == g for g, name in enumerate(GENDERS)} if genders else {},
            notes=[*left_out(rejected, len(album.names)), *album.notes(said.members)],
        )

    def source(self) -> str:
        return f"data.path={self._place}"

    def roles(self, people: list[str]) -> dict[str, str]:
        if self.fold is not None:
            test = {person for pair in self._told for person, _ in (pair.first, pair.second)}
        elif self._view1:
            test = self._view1 & {*people}
        else:
            return super().roles(people)
        return self.with_validation(people, test)

    def _pairs(self) -> list[list[int]]:
        """[i, j, same] over the numbers of photos in the test split."""
        test = {*self.test.about["photo"].tolist()}
        pairs, lost = [], []
        for pair in self._told:
            for person, stem in (pair.first, pair.second):
                if (person, stem) not in self._photo and stem not in self._unreadable:
                    raise BadInput(
                        f"{self._where}, line {pair.line}: there is no photo {person}/{stem} in {self.source()}: "
                        f"the list and the photos do not belong together, get them anew"
                    )
            first, second = self._photo.get(pair.first), self._photo.get(pair.second)
            if first in test and second in test:
                pairs.append([first, second, int(pair.same)])
            else:
                lost.append(pair.line)
        if lost:
            self.notes.append(f"{len(lost)} pairs left out, their photos cannot be used (line {lost[0]} of pairs.txt)")
        return pairs

    def _album(self) -> Path:
        if not self.path:
            place = data_folder() / FETCHED
            if not place.exists():
                raise BadInput(f"{place}: is not there; get it with `dlthink fetch lfw`, or give data.path=FOLDER")
            return place
        place = Path(self.path).expanduser()
        packed = [file for file in place.iterdir() if file.name.endswith(PACKED)] if place.is_dir() else []
        people = place.is_dir() and any(file.is_dir() and file.name != "lists" for file in place.iterdir())
        return packed[0] if len(packed) == 1 and not people else place
