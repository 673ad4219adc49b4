"""What is wrong with a translation as a whole: a cast of colour, a way back that is lost, too few photos to tell."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

CELLS = 4  # a side of the grid over a photo in which its colours are averaged: a sky is apart from its ground
CHANNELS = ("red", "green", "blue")
FAR = 3.0  # standard deviations of the domain's photos
SPREAD = 0.04  # of colours in [0, 1], at least: a few photos may be alike by chance
LOST = 0.5  # of what a photo of one colour, its mean, would be off by
SEEN = 0.05  # of colours in [0, 1]: what is off by less comes back, be the photo as dark as a night
FEW = 30  # photos of a domain


def tones(photos: Tensor) -> Tensor:
    """Colours over a grid of CELLS x CELLS of [n, 3, s, s] in [0, 1], less their grey: [n, 3, CELLS, CELLS]."""
    mean = adaptive_avg_pool2d(photos, CELLS)
    return mean - mean.mean(1, keepdim=True)


def contrast(photos: Tensor) -> Tensor:
    """By how much a photo of one colour, its mean, is off: mean |photo - its mean colour|, [n]."""
    return (photos - photos.mean((2, 3), keepdim=True)).abs().flatten(1).mean(1)


def cast(made: np.ndarray, real: np.ndarray, before: np.ndarray) -> str | None:
    """The colour that is farthest from where it should be, if that is FAR: a few words, or None.

    made, real, before: tones [n, 3, CELLS, CELLS] of what was made, of real photos of that domain and of those it was
    made of. In a cell and channel: how far the mean of what is made lies beyond both other means, in standard
    deviations of real photos. A translation that stops half way has no cast. Two real photos are needed.
    """
    if len(real) < 2 or not all(len(some) and np.isfinite(some).all() for some in (made, real, before)):
        return None
    mean, usual, start = (some.mean(0) for some in (made, real, before))
    spread = real.std(0, ddof=1).clip(min=SPREAD)
    beyond = np.maximum(mean - np.maximum(usual, start), np.minimum(usual, start) - mean) / spread
    worst = np.unravel_index(beyond.argmax(), beyond.shape)
    if beyond[worst] < FAR:
        return None
    channel, row, _ = worst
    place = "at the top" if row < CELLS // 2 else "at the bottom"
    return (
        f"{CHANNELS[channel]} {place} {mean[worst]:+.2f} from grey, where photos have {usual[worst]:+.2f} "
        f"+- {spread[worst]:.2f}"
    )


def faults(kept: dict[str, Any], sources: dict[str, str]) -> list[str]:
    """A line for each fault, `what; what to try`. kept: see `condensed`; sources: {domain: of which it is made}."""
    found = []
    for target, source in sources.items():
        seen = kept["tones"]
        real, before, made = map(np.concatenate, (seen["real"][target], seen["real"][source], seen["made"][target]))
        if said := cast(made, real, before):
            found.append(
                f"what becomes {target} has a cast of colour ({said}); raise loss.identity or loss.cycle, "
                f"give more photos, or begin with another seed"
            )
        back = kept["made"][target]["numbers"].get("cycle_l1")
        if back is None:
            continue
        off, flat = (float(np.concatenate(parts).mean()) for parts in (back, kept["contrast"][source]))
        if off > max(LOST * flat, SEEN):
            found.append(
                f"{source} does not come back from {target}: cycle_l1 {off:.2f}, where one flat colour is off by "
                f"{flat:.2f}; raise loss.cycle"
            )
    return found


def too_few(kept: dict[str, Any], kid: str) -> list[str]:
    """A line where photos are so few that KID, called `kid`, tells little. kept: see `condensed`."""
    counts = {domain: sum(map(len, parts)) for domain, parts in kept["real"].items()}
    if min(counts.values()) >= FEW:
        return []
    named = " and ".join(f"{n} photos of {domain}" for domain, n in counts.items())
    return [
        f"{named}: too few for {kid} to rank anything, colour transfer included: its interval is wide (_low, _high); "
        f"give {FEW} of each to test, or train -m data.fold=0,1,2,3,4 and compare; until then trust your eyes"
    ]
