"""The examination of photos moved to another domain: unpaired, so by sets of photos, and by what comes back."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from dlthink.errors import BadInput
from dlthink.metrics.prediction_shapes import misfit
from dlthink.metrics.translations.arena import Arena
from dlthink.metrics.translations.batch_summary import condensed, evenly, translated
from dlthink.metrics.translations.faults import faults, too_few
from dlthink.metrics.translations.features import Features
from dlthink.metrics.translations.kid import kids, summary
from dlthink.metrics.translations.per_photo import per_photo
from dlthink.metrics.translations.probe import Probe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_DRAWS = 2_000  # of photos; each is a weight for every photo
GLOSSARY = {
    "kid": "kernel distance of made photos from real ones, x 100: 0 at best",
    "kid_gain": "how far kid lies below that of a baseline, over the same draws of photos: above 0 is better",
    "psnr": "made photos against the true ones, dB",
    "ssim": "structural similarity of made photos to the true ones: 1 is equal",
    "edge_ssim": "similarity of edges before and after, the content: 1 is all kept",
    "cycle_l1": "photos against there and back again, colours in 0 .. 1",
    "cycle_psnr": "the same in dB",
    "identity_l1": "photos against their translation into what they are, colours in 0 .. 1",
    "probe_share": "share of made photos that a linear probe takes for that domain",
    "probe_ceiling": "share of real photos of that domain that the probe takes for it",
}
MARKED = re.compile(r"^(kid|probe_share|probe_ceiling)")  # numbers that say what they look at


class Translations:
    """Numbers and figures for photos of two domains and what a network makes of them.

    domains    the names of both, a and b, as "summer" and "winter": numbers, columns and figures are called after them
    features   what KID and the probe look at: `features.Features`; auto is the best that is installed
    inception  a TorchScript file with the Inception of FID instead, for figures as in papers
    draws      of photos, for the interval of KID

    predicted  {a, b}: [n, 3, s, s] in [-1, 1], made of the photos of the other domain; where the cost has them
           {back_a, back_b}: made back again, {same_a, same_b}: made into what they are
    y      {a, b}: [n, 3, s, s] in [-1, 1], real photos that have nothing to do with each other
    known  {"first": {domain: bool [n]}}: False where a photo is shown again, which then does not count;
           {"truth": {domain: uint8}}: what the photo of the other domain looks like in this one, where that is known;
           {"baselines": {NAME: {domain: uint8}}}: other translations; their numbers end in _NAME;
           {"example": {domain: bool [n]}}: photos that stand for all in a figure; else some evenly spread ones do

    A photo weighs megabytes by the time it has been there and back: `condense` keeps of each batch what is needed, and
    `numbers` and `figures` take either.

    For each direction, _to_a and _to_b, means over photos, colours in [0, 1]:
    psnr, ssim      against the truth: `ssim.psnr` in dB, `ssim.ssim` of luminance
    kid             100 times the squared distance of translated photos from real ones of that domain: `kid.kids`;
                    kid_..._low, kid_..._high: 95 % of draws of photos
    kid_gain        how far KID lies below that of a baseline, over the same draws of photos: where the interval is
                    above 0, the network is better, though their own intervals, which share their photos, may overlap
    edge_ssim       SSIM of Sobel's edges of luminance before and after: is the content kept?
    probe_share     of translated photos that a linear classifier takes for that domain: `probe.Probe`
    probe_ceiling   the same of real photos of that domain
    cycle_l1        mean |there and back - photo|; cycle_psnr in dB
    identity_l1     mean |made - photo| of photos that are of that domain already
    and kid alone, the mean of both directions.

    Embedded features are another measure, so its numbers are called kid_embedded, probe_share_embedded,
    probe_ceiling_embedded. A picture that is not finite makes nan of what it is in, and so does too little to compare.
    """

    best = ("kid", "min")

    def __init__(
        self,
        domains: list[str],
        features: Literal["auto", "efficientnet_lite0", "embedded"] = "auto",
        inception: str | None = None,
        draws: int = 200,
    ):
        if not 0 <= draws <= MOST_DRAWS:
            raise BadInput(f"metrics.draws={draws}: must be 0 to {MOST_DRAWS:,}")
        a, b = domains
        self.source = {b: a, a: b}  # of what each is made
        self.needs = (b, a)
        self.features = Features(features, inception)
        self.draws, self.arena = draws, Arena()
        self.mark = "_embedded" if self.features.name == "embedded" else ""
        self.best = (f"kid{self.mark}", "min")
        self.directions = dict.fromkeys(("psnr", "ssim", "edge_ssim", "cycle_psnr"), "max")
        self.directions |= dict.fromkeys((f"kid{self.mark}_gain", f"probe_share{self.mark}"), "max")
        self.directions |= dict.fromkeys(("cycle_l1", "identity_l1"), "min")
        self.glossary = {MARKED.sub(rf"\1{self.mark}", name): words for name, words in GLOSSARY.items()}

    def condense(self, predicted: dict, y: dict, known: dict) -> tuple[dict, dict, dict]:
        """What to keep of a batch, in place of all of it: features and numbers of each photo, a few to be shown."""
        both = translated(self.source, predicted, y, known)
        return {"condensed": condensed(both, self.features, self.arena)}, {}, {}

    def numbers(self, predicted: dict, y: dict, known: dict) -> dict[str, float]:
        kept = self._kept(predicted, y, known)
        made = self._looks(kept)
        endings = next(iter(kept["made"].values()))["features"]  # "" is the network's own, then the baselines
        numbers = {
            f"kid{self.mark}{name}": math.fsum(made[target][f"kid{self.mark}_to_{target}{name}"] for target in made) / 2
            for name in endings
        }
        for target, looks in made.items():
            to = f"_to_{target}"
            numbers |= looks
            for name, parts in kept["made"][target]["numbers"].items():
                stem = next((n for n in ("edge_ssim", "psnr", "ssim") if name == n or name.startswith(f"{n}_")), name)
                numbers[f"{stem}{to}{name.removeprefix(stem)}"] = _mean(parts)
        return numbers

    def item_scores(self, predicted: dict, y: dict, known: dict) -> dict[str, np.ndarray]:
        """KID and means over photos, of both directions, by what each photo adds to them."""
        kept = self._kept(predicted, y, known)
        real = {domain: _joined(kept["real"][domain]) for domain in self.source}
        if not all(map(len, real.values())):
            return {}
        return per_photo(self.source, real, kept["made"], f"kid{self.mark}")

    def misfit(self, predicted: dict, y: dict) -> str | None:
        """One line where a photo is missing, has another size, or is not finite."""
        missing = [name for name in self.needs if name not in predicted]
        if missing:
            return f"there is no {missing[0]}: photos of both, {' and '.join(self.needs)}, are examined"
        return misfit(predicted, {name: tuple(y[name].shape) for name in self.needs}, self.needs)

    def figures(self, predicted: dict, y: dict, known: dict) -> dict[str, Figure]:
        """pictures: there and back; features: KID and the probe's share beside those of the baselines."""
        from dlthink.metrics.translations import figures as draw  # here, since matplotlib takes its time to load

        kept = self._kept(predicted, y, known)
        rows = {
            target: {title: evenly(photos) for title, photos in made["shown"].items()}
            for target, made in kept["made"].items()
        }
        return {"pictures": draw.pictures(rows), "features": draw.features(self._looks(kept), self.mark)}

    def remarks(self, predicted: dict, y: dict, known: dict) -> list[str]:
        """A cast of colour, a way back that is lost."""
        return faults(self._kept(predicted, y, known), self.source)

    def suggestions(self, predicted: dict, y: dict, known: dict) -> list[str]:
        """Where photos are too few for KID to tell."""
        return too_few(self._kept(predicted, y, known), f"kid{self.mark}")

    def _kept(self, predicted: dict, y: dict, known: dict) -> dict[str, Any]:
        return (
            predicted["condensed"] if "condensed" in predicted else self.condense(predicted, y, known)[0]["condensed"]
        )

    def _looks(self, kept: dict[str, Any]) -> dict[str, dict[str, float]]:
        """What sets of photos look like, by what they were made into: KID and the probe's shares."""
        real = {source: _joined(kept["real"][source]) for source in self.source.values()}
        probe, looks = Probe(real), {}
        for target, source in self.source.items():
            to, drawn, numbers = f"_to_{target}", {}, {}
            for name, parts in kept["made"][target]["features"].items():
                fake = _joined(parts)
                drawn[name] = kids(fake, real[target], self.draws)
                numbers |= _with_interval(f"kid{self.mark}{to}{name}", drawn[name])
                if name:
                    numbers |= _with_interval(f"kid{self.mark}_gain{to}{name}", drawn[name] - drawn[""])
                numbers[f"probe_share{self.mark}{to}{name}"] = probe.share(fake, source, target)
            numbers[f"probe_ceiling{self.mark}{to}"] = probe.ceiling(target)
            looks[target] = numbers
        return looks


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros((0, 1))


def _with_interval(name: str, values: np.ndarray) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), summary(values), strict=True))


def _mean(parts: list[np.ndarray]) -> float:
    return float(torch.from_numpy(np.concatenate(parts)).double().mean()) if parts else math.nan
