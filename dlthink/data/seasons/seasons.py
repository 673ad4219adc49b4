"""The embedded seasons: drawn landscapes, unpaired in training; of test, the other season is known."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from dlthink.data.photos.pixels import drawn
from dlthink.data.seasons.domains import swapped
from dlthink.data.seasons.landscapes import picture
from dlthink.data.seasons.two_domains import ROLES, Splits, TwoDomains
from dlthink.errors import BadInput


class Seasons(TwoDomains):
    """Landscapes that a program draws (see `landscapes/`), each scene as it looks in summer and in winter.

    scenes       photos of each season in training; no scene is seen in both
    val_scenes   of each season in validation, test_scenes in test; there the other season of each is known
    size         pixels a side
    seed         of the drawing; the run has a seed of its own
    """

    domains = ("summer", "winter")
    fixed = (*TwoDomains.fixed, "seed", "scenes", "val_scenes", "test_scenes")

    def __init__(
        self,
        scenes: int = 600,
        val_scenes: int = 64,
        test_scenes: int = 200,
        size: int = 64,
        seed: int = 0,
        **changing,
    ) -> None:
        for name, value in (("scenes", scenes), ("val_scenes", val_scenes), ("test_scenes", test_scenes)):
            if value < 2:
                raise BadInput(f"data.{name}={value}: must be 2 or more")
        if seed < 0:
            raise BadInput(f"data.seed={seed}: must be 0 or more")
        self.scenes, self.val_scenes, self.test_scenes, self.seed = scenes, val_scenes, test_scenes, seed
        super().__init__(size=size, **changing)

    def splits(self, seen: list[str]) -> Splits:
        photos, truth, first, looks = {}, {}, 0, []
        for role, scenes in zip(ROLES, (self.scenes, self.val_scenes, self.test_scenes), strict=True):
            size = self.load if role == "train" else self.size
            own = {"summer": range(first, first + scenes), "winter": range(first + scenes, first + 2 * scenes)}
            called = [f"drawn {self.seed}-{scene}" for scene in range(first, first + 2 * scenes)]
            looks += called if role != "test" else []
            if role == "test" and not {*seen}.isdisjoint(called):
                raise BadInput(
                    f"data.seed={self.seed}: the run was trained with some of these scenes; give another data.seed"
                )
            photos[role] = {season: self._drawn(some, size, season) for season, some in own.items()}
            if role != "train":
                truth[role] = {season: self._drawn(other, size, season) for season, other in swapped(own).items()}
            first += 2 * scenes
        return Splits(photos, truth, looks)

    def _drawn(self, scenes: range, size: int, season: str) -> Tensor:
        settings = (scenes.start, len(scenes), size, self.seed, season)
        shape = (len(scenes), 3, size, size)
        make = partial(picture.draw, scenes, size, self.seed, season)
        return drawn(picture.__package__, settings, shape, make)
