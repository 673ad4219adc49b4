"""Photos of people, split by person: what all data sets of faces share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dlthink.data.faces.augment import Augment
from dlthink.data.faces.duplicates import under_two_names, without_duplicates
from dlthink.data.faces.pca import WhitenedPCA, pixel_embedding, small_grey
from dlthink.data.faces.recognize import Recognize
from dlthink.data.faces.split import FaceSplit
from dlthink.data.fixed_settings import fixed
from dlthink.data.fraction import SPARE, thinned
from dlthink.data.pk_sampler import PKSampler
from dlthink.data.stable_hash import share, tie
from dlthink.errors import BadInput
from dlthink.false_accept_rate import different_pairs

ROLES = ("train", "val", "test")
TEST_SHARE = 0.2  # of the people, where nothing else decides
FEWEST = 2  # people of test and of validation, however few there are in all


@dataclass
class FaceSet:
    """n photos before any split: uint8 pixels [n, channels, s, s], names, whose they are, hash of each content.

    groups: {name: bool [n]}, who belongs to it; no photo to two of them.
    """

    pixels: Tensor
    names: list[str]
    people: list[str]
    hashes: list[str]
    groups: dict[str, Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Identities:
    """Samples are photos x [n, channels, size, size] in [-1, 1], y [n] the number of the person.

    size        pixels a side
    grey        one channel instead of three
    validation  share of the people that are no test who choose the threshold; none of them is trained on
    fraction    of the training people who are trained on, see `fraction.py`
    people      P, the people in a batch; None: trainer.batch // photos, or all
    photos      K, the photos of each of them
    flip, shift, zoom, light, erase, mask   see `Augment`; in training only
    elsewhere   these are not the photos of the run with that state, which is examined on them
    state       how a run's data were prepared: the people seen (as hashes of their names), what they looked like (as
                hashes of the pixels), the principal components. In any file the people seen keep their role, and all
                others are test, unless one of their photos was seen under another name.

    Numbers of people run from 0 in training and go on from there in validation and test. Raises BadInput.
    """

    family = "photos of people"
    baselines = ("pixels", "pca")
    prepares: tuple[str, ...] = ("size", "grey")
    fixed: tuple[str, ...] = (*prepares, "validation", "fraction")  # once a run is trained

    def __init__(
        self,
        size: int = 64,
        grey: bool = False,
        validation: float = 0.1,
        fraction: float = 1.0,
        people: int | None = None,
        photos: int = 4,
        flip: float = 0.5,
        shift: float = 0.06,
        zoom: float = 0.08,
        light: float = 0.2,
        erase: float = 0.0,
        mask: float = 0.0,
        state: dict | None = None,
        elsewhere: bool = False,
    ) -> None:
        if not 0 < validation < 1:
            raise BadInput(f"data.validation={validation}: a share lies between 0 and 1, e.g. 0.1")
        if not 16 <= size <= 1024:
            raise BadInput(f"data.size={size}: pixels a side, from 16 to 1024")
        self.size, self.grey, self.validation, self.fraction = size, grey, validation, fraction
        augment = Augment(flip, shift, zoom, light, erase, mask)
        settings = fixed(self, state, elsewhere)
        every = self.face_set()
        self.notes = list(every.notes)
        folk = sorted(set(every.people))
        number = {person: i for i, person in enumerate(folk)}
        owner = torch.tensor([number[person] for person in every.people], dtype=torch.long)
        looks = torch.tensor([int(content, 16) >> 1 for content in every.hashes], dtype=torch.long)
        grey_small = small_grey(every.pixels, torch.arange(len(owner)))
        used = torch.tensor(self._without_duplicates(every, owner), dtype=torch.long)
        role = self._chosen_roles(folk) if state is None else _roles_as_seen(folk, state["seen"])
        rows = self._rows(role, owner, used)
        if state is None:
            _refuse_too_few(self.source(), owner, rows, self.notes)
            pca = WhitenedPCA.fit(grey_small[rows["train"]])
            self.state = settings | {
                "channels": 1 if grey else 3,
                "centre": self.centre,
                "seen": _seen(folk, role, owner[rows["train"]].unique().tolist()),
                "looks": torch.cat([looks[rows["train"]], looks[rows["val"]]]),
                "pca": pca.state(),
            }
        else:
            self._leave_out_seen(rows, looks, state["looks"])
            pca, self.state = WhitenedPCA(**state["pca"]), state
        trained = self.state["seen"]["train"]
        self.facts: dict[str, Any] = {
            "n_targets": 1,
            "n_identities": len(trained),
            "channels": self.state["channels"],
            "size": size,
        }
        y = _numbers(folk, owner, rows, trained)
        if len(rows["val"]) and not elsewhere:  # of other photos all is test
            self.facts["validation_pairs"] = different_pairs(y[rows["val"]])
        self.train, self.val, self.test = (
            FaceSplit(
                every.pixels,
                rows[name],
                y[rows[name]],
                _about(every.groups, rows[name], grey_small, None if name == "train" else pca),
                PKSampler(y[rows[name]], people, photos, source=self.source()),
                augment if name == "train" else None,
            )
            for name in ROLES
        )
        if state is None:
            self.train.batches.check()
        self._tell_sizes(role, elsewhere)

    # ------------------------------------------------------------------------------------- what a data set says

    real = True  # photographed: the same picture may lie under two names, cut or packed a little differently
    centre: tuple[int, int] | None = None  # see `decode`
    protected: Collection[int] = ()  # photos that a published list names: they stay, whatever they are twins of

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target that data with these settings have."""
        return "identities"

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of their facts."""
        return ("n_targets", "n_identities", "channels", "size", "validation_pairs")

    def face_set(self) -> FaceSet:
        """All photos of this data set."""
        raise NotImplementedError

    def source(self) -> str:
        """How a message names it."""
        raise NotImplementedError

    def roles(self, people: list[str]) -> dict[str, str]:
        """train, val or test for every person: by a hash of the name, the same in every file but the smallest."""
        test = _below(TEST_SHARE, {person: share(person) for person in people})
        return self.with_validation(people, test)

    def with_validation(self, people: list[str], test: set[str]) -> dict[str, str]:
        """The roles, once it is known who is test."""
        val = _below(self.validation, {one: share(one, "validation") for one in people if one not in test})
        return {person: "test" if person in test else "val" if person in val else "train" for person in people}

    # ---------------------------------------------------------------------------------------------------- splits

    def _without_duplicates(self, every: FaceSet, owner: Tensor) -> list[int]:
        """The photos that are used: one of each, and none that lies under two names."""
        near = under_two_names(every.pixels, owner) if self.real else []
        used, told = without_duplicates(every.names, every.people, every.hashes, near, self.protected)
        self.notes += told
        return used

    def _chosen_roles(self, folk: list[str]) -> dict[str, str]:
        """The role of every person in a run that begins: with a `fraction`, some of those of training are spared."""
        said = self.roles(folk)
        return dict(zip(folk, thinned([said[person] for person in folk], folk, self.fraction).tolist(), strict=True))

    def _rows(self, role: dict[str, str], owner: Tensor, used: Tensor) -> dict[str, Tensor]:
        """The photos of each split, person after person; training without those that have no partner."""
        photos = torch.bincount(owner[used], minlength=len(role))
        side = {name: torch.tensor([role[person] == name for person in sorted(role)]) for name in ROLES}
        alone = side["train"] & (photos == 1)
        if alone.any():
            self.notes.append(
                f"{int(alone.sum()):,} people have one photo and give no pair to train on: left out there"
            )
        side["train"] = side["train"] & ~alone
        used = used[owner[used].argsort(stable=True)]
        return {name: used[side[name][owner[used]]] for name in ROLES}

    def _leave_out_seen(self, rows: dict[str, Tensor], looks: Tensor, seen: Tensor) -> None:
        """A photo that the run has seen is no test, whatever name it has here."""
        known = torch.isin(looks[rows["test"]], seen)
        if known.any():
            self.notes.append(f"{int(known.sum())} photos were seen in training under another name: no test, left out")
            rows["test"] = rows["test"][~known]
        if not len(rows["test"]):
            raise BadInput(f"{self.source()}: every person in it was trained on or chose the threshold: nobody to test")

    def _tell_sizes(self, role: dict[str, str], elsewhere: bool) -> None:
        counts = [f"{len(split):,} ({len(split.y.unique()):,})" for split in (self.train, self.val, self.test)]
        if not elsewhere:
            self.notes.append(f"photos (people) for train / val / test: {' / '.join(counts)}")
            return
        self.notes.append(f"photos (people) that the run has not seen: {counts[2]}")
        if people := sum(one != "test" for one in role.values()):
            self.notes.append(f"{people:,} people are among those that the run was trained on: no test, left out")

    @classmethod
    def inputs(cls, path: str, state: dict, gallery: str = "") -> Recognize:
        """Photos of the user's, and the people among whom each is looked for."""
        if not gallery:
            raise BadInput("gallery=: give the folder of the people to look for, person/photo.jpg: gallery=FOLDER")
        return Recognize.read(path, gallery, state)


def _roles_as_seen(folk: list[str], seen: dict[str, list]) -> dict[str, str]:
    """The role that each person has in a run; whom it has not seen is test."""
    roles = {one: name for name, ties in seen.items() for one in ties}
    return {person: roles.get(tie(person), "test") for person in folk}


def _seen(folk: list[str], role: dict[str, str], trained: list[int]) -> dict[str, list]:
    """Who is no test, by role, as hashes of names; alone: with one photo, so that training had no pair of theirs."""
    people = {name: [person for person in folk if role[person] == name] for name in ("train", "val", SPARE)}
    train = [folk[i] for i in trained]
    alone = sorted({*people["train"]} - {*train})
    seen = {"train": train, "val": people["val"], "alone": alone, SPARE: people[SPARE]}
    return {name: [tie(person) for person in some] for name, some in seen.items()}


def _below(limit: float, shares: dict[str, float]) -> set[str]:
    """Whose share lies below the limit, and `FEWEST` at least: of ten people by chance alone nobody may be one."""
    order = sorted(shares, key=lambda one: (shares[one], one))
    return {one for i, one in enumerate(order) if shares[one] < limit or i < FEWEST}


def _refuse_too_few(source: str, owner: Tensor, rows: dict[str, Tensor], notes: list[str]) -> None:
    for name in ROLES:
        photos = torch.bincount(owner[rows[name]])
        people, paired = int((photos > 0).sum()), int((photos > 1).sum())
        if people < 2 or paired < 1 or (name == "train" and paired < 2):
            raise BadInput(
                f"{source}: {people} people with {int(photos.sum())} photos are left for {name}, where two are needed "
                f"and pairs of photos: give more people, or another data.validation"
                + "".join(f"; note: {note}" for note in notes)  # what was left out may be why
            )


def _numbers(folk: list[str], owner: Tensor, rows: dict[str, Tensor], trained: list[int]) -> Tensor:
    """Identity of each photo, [n]: in training as the run has numbered them, others from there on, by name."""
    place = {one: i for i, one in enumerate(trained)}
    new = torch.full((len(folk),), -1)
    for person in owner[rows["train"]].unique().tolist():
        new[person] = place[tie(folk[person])]
    others = [*owner[rows["val"]].unique().tolist(), *owner[rows["test"]].unique().tolist()]
    new[others] = torch.arange(len(others)) + len(trained)
    return new[owner]


def _about(groups: dict[str, Tensor], rows: Tensor, grey: Tensor, pca: WhitenedPCA | None) -> dict[str, Any]:
    about: dict[str, Any] = {"photo": rows}
    if groups:
        about["groups"] = {name: member[rows] for name, member in groups.items()}
    if pca is not None:
        about["baselines"] = {
            "pixels": {"embedding": pixel_embedding(grey[rows])},
            "pca": {"embedding": pca.embedding(grey[rows])},
        }
    return about
