"""The lists that come with Labeled Faces in the Wild: the pairs of View 2, the people of View 1, who is called what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dlthink.data.photos.photo_files import Album
from dlthink.errors import BadInput


@dataclass(frozen=True)
class Pair:
    """Two photos as (person, file name without ending), whether they show one person, and where it is said."""

    first: tuple[str, str]
    second: tuple[str, str]
    same: bool
    line: int


NAMES = ("pairs.txt", "pairsDevTest.txt", "view1_test_same.txt", "view1_test_diff.txt")
NAMES += ("afif4_female_names.txt", "afif4_male_names.txt")
LARGEST = 16 << 20  # bytes of a list


class Lists:
    """The lists (`NAMES`) in the folder `data.lists`, else in the album, beside it, or in a folder `lists` beside it.

    Nothing else is read, and no list of more than 16 MB.
    """

    def __init__(self, album: Album, folder: str | None) -> None:
        self.texts: dict[str, tuple[str, bytes]] = {}
        if folder is not None and not Path(folder).expanduser().is_dir():
            raise BadInput(f"data.lists={folder}: is no folder; it should hold pairs.txt")
        place = album.path
        beside = (
            [Path(folder).expanduser()] if folder else [place / "lists", place, place.parent / "lists", place.parent]
        )
        for one in beside:
            for file in [one / name for name in NAMES if (one / name).is_file()]:
                with file.open("rb") as opened:
                    self._add(file.name, str(file), opened.read(LARGEST + 1))
        self.members = [name for name in album.texts if PurePosixPath(name).name in NAMES]  # of the album
        for name in [] if folder else self.members:
            try:
                self._add(PurePosixPath(name).name, f"{place}: {name}", album.read(name, LARGEST + 1))
            except ValueError as error:
                raise BadInput(f"{place}: its member {name} {error}") from error

    def _add(self, name: str, where: str, content: bytes) -> None:
        if len(content) > LARGEST:
            raise BadInput(f"{where}: has more than {LARGEST >> 20} MB, which is no list of people: get it anew")
        self.texts.setdefault(name, (where, content))

    def lines(self, name: str) -> tuple[str, list[str]] | None:
        """(where it lies, its lines), None when it is nowhere."""
        if name not in self.texts:
            return None
        where, content = self.texts[name]
        return where, content.decode("utf-8-sig", "replace").splitlines()

    def view2(self, fold: int) -> tuple[str, list[Pair]]:
        """(where pairs.txt lies, the pairs of one fold, 1 .. 10)."""
        found = self.lines("pairs.txt")
        if found is None:
            raise BadInput(
                f"data.fold={fold}: needs pairs.txt in data.path or beside it, or in the folder data.lists; "
                f"`dlthink fetch lfw` brings it"
            )
        where, lines = found
        folds, each = _header(where, lines)
        if not 1 <= fold <= folds:
            raise BadInput(f"data.fold={fold}: {where} has folds 1 to {folds}")
        if len([line for line in lines if line.strip()]) < 1 + 2 * folds * each:
            raise BadInput(f"{where}: ends before its {2 * folds * each} pairs: it was cut short, get it anew")
        first = 1 + (fold - 1) * 2 * each
        return where, [_pair(where, i + 1, lines[i]) for i in range(first, first + 2 * each)]

    def view1_test(self) -> set[str] | None:
        """The people of View 1's test, None when its lists are not there."""
        people: set[str] = set()
        if found := self.lines("pairsDevTest.txt"):
            where, lines = found
            pairs = [_pair(where, i + 1, line) for i, line in enumerate(lines) if i and line.strip()]
            people |= {person for pair in pairs for person, _ in (pair.first, pair.second)}
        for name in ("view1_test_same.txt", "view1_test_diff.txt"):
            for line in (self.lines(name) or ("", []))[1]:
                people |= {stem.rpartition("_")[0] for stem in line.split()}
        return people or None

    def genders(self) -> dict[str, int]:
        """0 female, 1 male, by the names of photos (AFIF4); a person who is called both is in neither."""
        said: dict[str, set[int]] = {}
        for value, word in enumerate(("female", "male")):
            for line in (self.lines(f"afif4_{word}_names.txt") or ("", []))[1]:
                said.setdefault(PurePosixPath(line.strip()).stem.rpartition("_")[0], set()).add(value)
        return {person: min(values) for person, values in said.items() if len(values) == 1}


def _header(where: str, lines: list[str]) -> tuple[int, int]:
    words = lines[0].split() if lines else []
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        raise BadInput(f"{where}, line 1: should say folds and pairs, such as 10 300: get it anew")
    return int(words[0]), int(words[1])


def _pair(where: str, number: int, line: str) -> Pair:
    words = [word.strip() for word in (line.strip().split("\t") if "\t" in line else line.split())]
    if len(words) == 3 and words[1].isdecimal() and words[2].isdecimal():
        return Pair(_photo(words[0], words[1]), _photo(words[0], words[2]), True, number)
    if len(words) == 4 and words[1].isdecimal() and words[3].isdecimal():
        return Pair(_photo(words[0], words[1]), _photo(words[2], words[3]), False, number)
    raise BadInput(f"{where}, line {number}: should be `name 1 2` or `name 1 name 2`, is {line.strip()[:60]!r}")


def _photo(person: str, number: str) -> tuple[str, str]:
    return person, f"{person}_{int(number):04d}"
