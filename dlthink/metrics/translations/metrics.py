"""The examination of photos moved to another season: unpaired, so by sets of photos, and by what comes back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from dlthink.metrics.translations.features import Features
from dlthink.metrics.translations.kid import kids, summary
from dlthink.metrics.translations.probe import Probe
from dlthink.metrics.translations.ssim import edges, luminance, psnr, ssim

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OTHER = {"winter": "summer", "summer": "winter"}
BATCH = 32  # photos compared at a time
SHOWN = 6  # rows of the figure


class Translations:
    """Numbers and figures for photos of two seasons and what a network makes of them.

    features   what KID and the probe look at: `features.Features`; auto is the best that is installed
    inception  a TorchScript file with the Inception of FID instead, for figures as in papers
    draws      of photos, for the interval of KID

    read   {"winter", "summer"}: [n, 3, s, s] in [-1, 1], made of the photos of the other season; where the cost has
           them {"back_summer", "back_winter"}: made back again, {"same_winter", "same_summer"}: winter made winter
    y      {"summer", "winter"}: [n, 3, s, s] in [-1, 1], real photos that have nothing to do with each other
    known  {"first": {season: bool [n]}}: False where a photo is shown again, which then does not count;
           {"truth": {season: uint8}}: what the photo of the other season looks like in this one, where that is known;
           {"baselines": {NAME: {season: uint8}}}: other translations; their numbers end in _NAME

    For each direction, _to_winter and _to_summer, means over photos, colours in [0, 1]:
    psnr, ssim      against the truth: `ssim.psnr` in dB, `ssim.ssim` of luminance
    kid             100 times the squared distance of translated photos from real ones of that season: `kid.kids`;
                    kid_..._low, kid_..._high: 95 % of draws of photos
    kid_gain        how far KID lies below that of a baseline, over the same draws of photos: where the interval is
                    above 0, the network is better, though their own intervals, which share their photos, may overlap
    edge_ssim       SSIM of Sobel's edges of luminance before and after: is the content kept?
    probe_share     of translated photos that a linear classifier takes for that season: `probe.Probe`
    probe_ceiling   the same of real photos of that season
    cycle_l1        mean |there and back - photo|; cycle_psnr in dB
    identity_l1     mean |made winter - photo| of photos that are winter already (_to_summer: of summer photos)
    and kid alone, the mean of both directions.

    Embedded features are another measure, so its numbers are called kid_embedded, probe_share_embedded,
    probe_ceiling_embedded. A picture that is not finite makes nan of what it is in, and so does too little to compare.
    """

    best = ("kid", "min")
    reads = ("winter", "summer")

    def __init__(
        self,
        features: Literal["auto", "efficientnet_lite0", "embedded"] = "auto",
        inception: str | None = None,
        draws: int = 200,
    ):
        self.features = Features(features, inception)
        self.draws = draws
        self.mark = "_embedded" if self.features.name == "embedded" else ""
        self.best = (f"kid{self.mark}", "min")

    def numbers(self, read: dict, y: dict, known: dict) -> dict[str, float]:
        both = translated(read, y, known)
        made = self._looks(both)
        own = [made[f"kid{self.mark}_to_{one.target}"] for one in both]
        numbers = {f"kid{self.mark}": sum(own) / len(own)}
        for one in both:
            to = f"_to_{one.target}"
            numbers |= {name: value for name, value in made.items() if to in name}
            for name, pictures in one.made.items():
                compared = _compared(one, pictures)
                numbers |= {f"{number}{to}{name}": value for number, value in compared.items()}
            numbers |= {f"{name}{to}": value for name, value in _back(one).items()}
        return numbers

    def figures(self, read: dict, y: dict, known: dict) -> dict[str, Figure]:
        """pictures: there and back; features: KID and the probe's share beside those of the baselines."""
        from dlthink.metrics.translations import figures as draw  # here, since matplotlib takes its time to load

        both = translated(read, y, known)
        rows = {one.target: draw.columns(one, SHOWN) for one in both}
        return {"pictures": draw.pictures(rows), "features": draw.features(self._looks(both), self.mark)}

    def _looks(self, both: list[Translated]) -> dict[str, float]:
        """What sets of photos look like: KID and the probe's shares."""
        real = {season: self.features(photos) for season, photos in both[0].real.items()}
        probe = Probe(real["summer"], real["winter"])
        numbers = {}
        for one in both:
            to, drawn = f"_to_{one.target}", {}
            for name, pictures in one.made.items():
                photos = as_bytes(pictures, one.rows)
                fake = np.full((0, 1), math.nan) if photos is None else self.features(photos)
                drawn[name] = kids(fake, real[one.target], self.draws)
                numbers |= _with_interval(f"kid{self.mark}{to}{name}", drawn[name])
                if name:
                    numbers |= _with_interval(f"kid{self.mark}_gain{to}{name}", drawn[name] - drawn[""])
                share = math.nan if photos is None else probe.share(fake, one.source, one.target)
                numbers[f"probe_share{self.mark}{to}{name}"] = share
            numbers[f"probe_ceiling{self.mark}{to}"] = probe.ceiling(one.target)
        return numbers


@dataclass
class Translated:
    """One direction. Tensors of n samples, of which `rows` show a photo of the source season for the first time."""

    source: str
    target: str
    rows: Tensor
    before: Tensor
    made: dict[str, Tensor]  # by ending: "" is the network's own
    back: Tensor | None
    truth: Tensor | None
    same: tuple[Tensor, Tensor, Tensor] | None  # rows of real photos of the target season, they, what was made of them
    real: dict[str, Tensor]  # uint8, of both seasons, each photo once


def translated(read: dict, y: dict, known: dict) -> list[Translated]:
    """To winter and to summer."""
    rows = {season: known["first"][season].cpu().nonzero()[:, 0] for season in OTHER}
    real = {season: as_bytes(y[season], rows[season]) for season in OTHER}
    made = []
    for target, source in OTHER.items():
        baselines = {f"_{name}": pictures[target] for name, pictures in known.get("baselines", {}).items()}
        same = read.get(f"same_{target}")
        one = Translated(
            source, target, rows[source], y[source], {"": read[target]} | baselines, None, None, None, real
        )
        one.back = read.get(f"back_{source}")
        one.truth = known["truth"][target] if "truth" in known else None
        one.same = None if same is None else (rows[target], y[target], same)
        made.append(one)
    return made


def as_bytes(pictures: Tensor, rows: Tensor) -> Tensor | None:
    """The rows of [n, 3, s, s] as uint8, as a file would hold them; None where one is not finite."""
    made = [torch.zeros(0, *pictures.shape[1:], dtype=torch.uint8)]
    for (part,) in batches(rows, pictures):
        if not part.isfinite().all():
            return None
        made.append((255 * part).round().to(torch.uint8))
    return torch.cat(made)


def batches(rows: Tensor, *pictures: Tensor) -> Iterator[list[Tensor]]:
    """The rows of each of `pictures`, a few at a time, in [0, 1] on the CPU; nan where they are not finite."""
    for some in rows.split(BATCH) if len(rows) else ():
        yield [_unit(tensor.detach()[some.to(tensor.device)].cpu()) for tensor in pictures]


def _unit(photos: Tensor) -> Tensor:
    """uint8, or floats in [-1, 1], to [0, 1]."""
    if not photos.is_floating_point():
        return photos.float() / 255
    return torch.where(photos.isfinite(), (photos.float() + 1) / 2, math.nan).clamp(0, 1)


def _compared(one: Translated, pictures: Tensor) -> dict[str, float]:
    """Numbers of one translation, photo by photo."""
    numbers = {}
    if one.truth is not None:
        pairs = [(psnr(a, b), ssim(luminance(a), luminance(b))) for a, b in batches(one.rows, pictures, one.truth)]
        numbers = {"psnr": _mean([p for p, _ in pairs]), "ssim": _mean([s for _, s in pairs])}
    numbers["edge_ssim"] = _mean([ssim(edges(a), edges(b)) for a, b in batches(one.rows, pictures, one.before)])
    return numbers


def _with_interval(name: str, values: np.ndarray) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), summary(values), strict=True))


def _back(one: Translated) -> dict[str, float]:
    """Numbers of photos that should not have changed."""
    numbers = {}
    if one.back is not None:
        pairs = [(_l1(a, b), psnr(a, b)) for a, b in batches(one.rows, one.back, one.before)]
        numbers = {"cycle_l1": _mean([d for d, _ in pairs]), "cycle_psnr": _mean([p for _, p in pairs])}
    if one.same is not None:
        numbers["identity_l1"] = _mean([_l1(a, b) for a, b in batches(*one.same)])
    return numbers


def _l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().flatten(1).mean(1)


def _mean(parts: list[Tensor]) -> float:
    return float(torch.cat(parts).double().mean()) if parts else math.nan
