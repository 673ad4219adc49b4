"""Photos of two domains, unpaired: what all data sets of translations share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dlthink.data.fixed_settings import fixed
from dlthink.data.fraction import thinned
from dlthink.data.seasons.color_transfer import ColorTransfer
from dlthink.data.seasons.domains import checked
from dlthink.data.seasons.translate import Translate
from dlthink.data.seasons.unpaired import Unpaired
from dlthink.errors import BadInput

ROLES = ("train", "val", "test")
SMALLEST = 32  # pixels a side; less is no landscape


@dataclass
class Splits:
    """The photos of every split: {role: {domain: uint8 [n, 3, l, l]}}, roles train, val, test.

    Those of val and test have data.size pixels a side, those of train data.load.
    truth: {role: {domain: uint8 [n, 3, s, s]}}: what photo i of the *other* domain looks like in this one.
    looks: hashes of the photos of train and val, as they are kept in the run's state.
    notes: lines for the terminal; tables: {file name: rows}, kept in the run's folder.
    """

    photos: dict[str, dict[str, Tensor]]
    truth: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    looks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: dict[str, list[list]] = field(default_factory=dict)


class TwoDomains:
    """Samples are pairs of photos that have nothing to do with each other, x = y = {a, b}.

    a and b are the names of the `domains`, as "summer" and "winter", which a subclass sets before anything else.

    size   pixels a side at which photos are examined
    load   pixels a side of training photos; None: 1.12 size
    crop   pixels a side of the random square of one that a step sees; None: size. Less makes quicker steps
    flip   probability of a mirrored photo in training
    fraction  of the training photos of each domain that are trained on, see `fraction.py`
    state  how a run's data were prepared: the colours of each domain, hashes of the photos seen
    elsewhere  these are not the photos of the run with that state, which is examined on all of them

    Raises BadInput.
    """

    predicts = "folder"
    baselines = ("untouched", "color_transfer")
    domains: Sequence[str]
    family = "photos of two domains"
    prepares: tuple[str, ...] = ("domains", "size")
    fixed: tuple[str, ...] = (*prepares, "fraction")  # once a run is trained

    def __init__(
        self,
        size: int = 128,
        load: int | None = None,
        crop: int | None = None,
        flip: float = 0.5,
        fraction: float = 1.0,
        state: dict[str, Any] | None = None,
        elsewhere: bool = False,
    ) -> None:
        self.domains = checked(self.domains)
        load, crop = round(1.12 * size) if load is None else load, size if crop is None else crop
        for name, side in (("size", size), ("crop", crop)):
            if not SMALLEST <= side <= 2048 or side % 4:
                raise BadInput(f"data.{name}={side}: pixels a side, a multiple of 4 from {SMALLEST} to 2048")
        if not crop <= load <= 4 * size:
            raise BadInput(
                f"data.load={load}, data.crop={crop}, data.size={size}: squares of `crop` pixels are cut from "
                f"photos of `load`, which has at least as many and at most 4 times `size`"
            )
        if not 0 <= flip <= 1:
            raise BadInput(f"data.flip={flip}: a probability lies between 0 and 1")
        self.size, self.load, self.fraction, self.elsewhere = size, load, fraction, elsewhere
        settings = fixed(self, state, elsewhere)
        found = self.splits(() if state is None else state["looks"])
        self.notes, self.tables = list(found.notes), found.tables
        found.photos["train"] = {one: _some(photos, fraction) for one, photos in found.photos["train"].items()}
        if state is None:
            colours = ColorTransfer.fit(found.photos["train"])
            state = settings | {"colours": colours.moments, "looks": found.looks}
        transfer = ColorTransfer(state["colours"])
        self.state = state
        self.facts: dict[str, Any] = {"n_targets": 3, "colors": 3, "domains": self.domains}
        self.train = Unpaired(found.photos["train"], crop, flip)
        self.val, self.test = (
            Unpaired(found.photos[role], size, truth=found.truth.get(role), transfer=transfer)
            for role in ("val", "test")
        )
        named = " + ".join(self.domains)
        train, val, test = (
            " + ".join(f"{split.count[domain]:,}" for domain in self.domains)
            for split in (self.train, self.val, self.test)
        )
        if elsewhere:
            self.notes.append(f"photos ({named}) that the run has not seen: {test}")
        else:
            self.notes.append(f"photos ({named}) for train / val / test: {train} / {val} / {test}")

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target that data with these settings have."""
        return "domains"

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of their facts."""
        return ("n_targets", "colors", "domains")

    def splits(self, seen: list[str]) -> Splits:
        """All photos of this data set. seen: hashes of what a run was trained with; none of it may be test."""
        raise NotImplementedError

    @classmethod
    def inputs(cls, path: str, state: dict, direction: str = "", long: str = "") -> Translate:
        """Photos of the user's, to be made into the other domain; shrunk to `long` pixels where they have more."""
        return Translate.read(path, state["domains"], direction, long)


def _some(photos: Tensor, fraction: float) -> Tensor:
    """Those of the photos that are trained on, by their places in the whole."""
    stay = thinned(["train"] * len(photos), range(len(photos)), fraction) == "train"
    return photos if stay.all() else photos[torch.from_numpy(stay)]
