"""Two domains in photos on a disk: cleaned, split into train, val and test, each of them kept at its own size."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dlthink.data.photos.near_copies import near_copies, squares
from dlthink.data.photos.photo_files import Album
from dlthink.data.photos.pixels import Photos, chosen, photos_of
from dlthink.data.seasons.clean import Cleaned, Photo, cleaned
from dlthink.data.seasons.domains import swapped
from dlthink.data.seasons.two_domains import ROLES, Splits, TwoDomains
from dlthink.data.stable_hash import share
from dlthink.errors import BadInput

FOLDS = 5  # test is one, where nothing is published, or where a fold is asked for
LEAST = {"": 3, "train": 2, "test": 1}  # photos of a domain: one for each role that comes from there
NAMED = 4  # photos that a message names


@dataclass(frozen=True, eq=False)
class Place:
    """Photos of one domain: these `names` of an album.

    split  train or test, where it is published, else ""
    said   how a message names the place; label: what tells its photos from those of other places, before their names
    """

    domain: str
    album: Album
    names: list[str]
    said: str
    split: str = ""
    label: str = ""


@dataclass(frozen=True, eq=False)
class Shot:
    """A photo of a place. row: where its pixels are, None if there are none."""

    place: Place
    photos: Photos
    name: str
    row: int | None

    @property
    def looks(self) -> tuple[str, str]:
        """Hashes of the file and of what it shows."""
        return self.photos.contents[self.name], self.photos.shown[self.row]

    def seen(self) -> Photo:
        """As `clean.py` looks at it."""
        place, photos, name = self.place, self.photos, self.place.label + self.name
        if self.row is None:
            return Photo(name, place.domain, place.split, problem=photos.rejected[self.name])
        row = self.row
        return Photo(name, place.domain, place.split, photos.shown[row], photos.sides[row], photos.spread[row])


class PhotosOnDisk(TwoDomains):
    """Photos of two domains, of any sizes and kinds; of each, the central square.

    size        pixels a side that the network sees; a photo whose shorter side has less is left out
    validation  share of the training photos that choose the best network instead
    fold        None, or 0..4: the fifth of all photos that is test, whatever is published, so that over five runs each
                photo is test once
    clean       leave out flat photos and copies, too, and list in clean.csv what was found

    Who is validation, and test where nothing is published or a fold is given, depends on the content of a photo alone,
    except that none of these stays empty; a fold takes no photo of another, and is refused where it has none. What a
    run has seen is no test for it, whatever it is called here.
    """

    fixed = (*TwoDomains.fixed, "validation", "fold", "clean")

    def __init__(
        self, size: int = 128, validation: float = 0.1, fold: int | None = None, clean: bool = True, **changing
    ) -> None:
        if not 0 < validation < 1:
            raise BadInput(f"data.validation={validation}: a share lies between 0 and 1, e.g. 0.1")
        if fold is not None and not 0 <= fold < FOLDS:
            raise BadInput(f"data.fold={fold}: there are {FOLDS}, 0 to {FOLDS - 1}; null for the test that is given")
        self.validation, self.fold, self.clean = validation, fold, clean
        super().__init__(size=size, **changing)

    def places(self, stack: ExitStack) -> list[Place]:
        """Where the photos lie. stack: closes the albums."""
        raise NotImplementedError

    def splits(self, seen: list[str]) -> Splits:
        with ExitStack() as stack:
            places = self.places(stack)
            if self.fold is not None or self.elsewhere:
                places = [replace(place, split="") for place in places]
            shots = [shot for place in places for shot in self._shots(place)]
            found = self._cleaned(places, shots, fewest=1 if seen or self.elsewhere else None)
            notes = [found.note] if found.note else []
            albums = dict.fromkeys(place.album for place in places)
            notes += [f"{album.word}={album.path}: {note}" for album in albums for note in album.notes()]
            roles: dict[str, dict[str, list[Shot]]] = {role: {} for role in ROLES}
            for domain in self.domains:
                mine = [shots[i] for i in found.stay if shots[i].place.domain == domain]
                for role, part in zip(ROLES, self._roles(mine, {*seen}, notes), strict=True):
                    roles[role][domain] = part
            pixels = {role: {one: self._pixels(part, role) for one, part in roles[role].items()} for role in ROLES}
        known = [shot for role in ("train", "val") for part in roles[role].values() for shot in part]
        return Splits(
            pixels,
            looks=sorted({look for shot in known for look in shot.looks}),
            notes=notes,
            tables={"clean.csv": found.table} if self.clean and len(found.table) > 1 else {},
        )

    def _cleaned(self, places: list[Place], shots: list[Shot], fewest: int | None) -> Cleaned:
        """Which photos stay. BadInput where a place has fewer than it needs; None: as many as its split does."""
        photos = [shot.seen() for shot in shots]
        _refuse_the_same_twice(places, photos)
        found = cleaned(photos, self.size, self.clean, self._near(shots) if self.clean else ())
        for place in places:
            self._refuse_too_few(place, shots, photos, found, LEAST[place.split] if fewest is None else fewest)
        return found

    def _side(self, role: str) -> int:
        return self.load if role == "train" else self.size

    def _shots(self, place: Place) -> list[Shot]:
        photos = photos_of(place.album, self._side(place.split or "train"), grey=False, names=place.names)
        row = {name: i for i, name in enumerate(photos.names)}
        return [Shot(place, photos, name, row.get(name)) for name in place.names]

    def _near(self, shots: list[Shot]) -> list[tuple[int, int]]:
        """Pairs of their numbers that are almost one picture."""
        parts, numbers = [], []
        for photos in dict.fromkeys(shot.photos for shot in shots):
            here = [i for i, shot in enumerate(shots) if shot.photos is photos and shot.row is not None]
            parts.append(squares(photos.pixels, torch.tensor([shots[i].row for i in here], dtype=torch.long)))
            numbers += here
        return [(numbers[i], numbers[j]) for i, j in near_copies(torch.cat(parts, 1))]

    def _refuse_too_few(self, place: Place, shots: list[Shot], photos: list[Photo], found: Cleaned, least: int) -> None:
        n = sum(shots[i].place is place for i in found.stay)
        if n >= least:
            return
        lost = {photos[i].name: why for i, why in found.finding.items() if shots[i].place is place}
        named = "; ".join(f"{name}: {why}" for name, why in list(lost.items())[:NAMED])
        more = f"; and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
        tiny = any(why.startswith("tiny") for why in lost.values())
        raise BadInput(
            f"{place.said}: {n} of its {len(place.names)} photos can be used and {least} are needed"
            f"{f' ({named}{more})' if lost else ''}: give more photos"
            f"{f' of at least {self.size} pixels a side, or a smaller data.size than {self.size}' if tiny else ''}"
        )

    def _roles(self, mine: list[Shot], seen: set[str], notes: list[str]) -> tuple[list[Shot], list[Shot], list[Shot]]:
        """Of the photos of one domain, train, val and test."""
        known = {shot for shot in mine if not seen.isdisjoint(shot.looks)}
        if self.elsewhere:
            test, train = _without(mine, known), []
            if known:
                notes.append(f"{len(known)} photos of {mine[0].place.domain} were seen in training: no test, left out")
        elif mine[0].place.split:
            train = [shot for shot in mine if shot.place.split == "train"]
            test = [shot for shot in mine if shot.place.split == "test" and shot not in known]
            if again := len(mine) - len(train) - len(test):
                notes.append(f"{again} photos of {mine[0].place.domain} were seen in training: no test, left out")
        else:
            test = _without(mine, known) if seen else self._test(mine)
            train = _without(mine, test)
        if not test:
            raise BadInput(
                f"{mine[0].place.said}: the run was trained with each of its photos: nothing is left to test"
            )
        val = _part(train, self.validation, "validation", leave=1)
        return _without(train, val), val, test

    def _test(self, mine: list[Shot]) -> list[Shot]:
        """Where nothing is published. Of a fold exactly what it shows to be its own, so that no two share a photo."""
        if self.fold is None:
            return _part(mine, 1 / FOLDS, "", leave=2)
        test = [shot for shot in mine if int(FOLDS * share(shot.looks[1])) == self.fold]
        if not test or len(mine) - len(test) < 2:
            raise BadInput(
                f"data.fold={self.fold}: of {mine[0].place.domain}, {len(test)} photos are test and "
                f"{len(mine) - len(test)} are left; there must be 1 and 2: give more photos, or leave data.fold out"
            )
        return test

    def _pixels(self, some: list[Shot], role: str) -> Tensor:
        """uint8 [n, 3, l, l] of photos of one domain, place by place, as large as this role needs them."""
        side = self._side(role)
        if not some:
            return torch.zeros(0, 3, side, side, dtype=torch.uint8)
        found = []
        for place in dict.fromkeys(shot.place for shot in some):
            here = [shot for shot in some if shot.place is place]
            photos, rows = here[0].photos, [shot.row for shot in here]
            if photos.pixels.shape[-1] != side:
                photos = photos_of(place.album, side, grey=False, names=[shot.name for shot in here])
                rows = list(range(len(here)))
            found.append((photos, rows))
        return chosen(found)


def _refuse_the_same_twice(places: list[Place], photos: list[Photo]) -> None:
    said = {place.domain: place.said for place in reversed(places)}
    shown = {domain: {p.shown for p in photos if p.domain == domain and p.shown} for domain in said}
    for domain, other in swapped({place.domain: place.domain for place in places}).items():
        if shown[domain] and shown[domain] <= shown[other]:
            raise BadInput(f"{said[domain]}: each of its photos is in {said[other]}, too: give those of another domain")


def _without(some: list[Shot], others: list[Shot]) -> list[Shot]:
    gone = {*others}
    return [shot for shot in some if shot not in gone]


def _part(some: list[Shot], part: float, salt: str, leave: int) -> list[Shot]:
    """A share of the photos by a hash of their content: two at least, as one is no set, but `leave` stay."""
    ordered = sorted(some, key=lambda shot: share(shot.looks[0], salt))
    n = sum(share(shot.looks[0], salt) < part for shot in some)
    taken = {*ordered[: min(max(n, 2), max(len(some) - leave, 0))]}
    return [shot for shot in some if shot in taken]
