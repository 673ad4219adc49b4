"""What is kept of translated photos, a batch at a time: features, numbers of each photo, and a few to be shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlthink.metrics.translations.arena import Arena
from dlthink.metrics.translations.faults import contrast, tones
from dlthink.metrics.translations.ssim import edges, luminance, psnr, ssim

BATCH = 32  # photos compared at a time
SHOWN = 6  # rows of the figure


@dataclass
class Translated:
    """One direction. Tensors of n samples, of which `rows` show a photo of the source domain for the first time.

    shown  rows whose photos stand for all in a figure
    """

    source: str
    target: str
    rows: Tensor
    shown: Tensor
    before: Tensor
    made: dict[str, Tensor]  # by ending: "" is the network's own
    back: Tensor | None
    truth: Tensor | None  # the same scenes in the target domain
    same: tuple[Tensor, Tensor, Tensor] | None  # rows of real photos of the target domain, they, what was made of them


def translated(sources: dict[str, str], predicted: dict, y: dict, known: dict) -> list[Translated]:
    """Both directions. sources: {what is made: of what}."""
    rows = {domain: known["first"][domain].cpu().nonzero()[:, 0] for domain in sources}
    made = []
    for target, source in sources.items():
        shown = rows[source]
        if "example" in known:
            shown = shown[known["example"][source].cpu()[shown]]
        baselines = {f"_{name}": pictures[target] for name, pictures in known.get("baselines", {}).items()}
        same = predicted.get(f"same_{target}")
        made.append(
            Translated(
                source=source,
                target=target,
                rows=rows[source],
                shown=evenly(shown),
                before=y[source],
                made={"": predicted[target]} | baselines,
                back=predicted.get(f"back_{source}"),
                truth=known["truth"][target] if "truth" in known else None,
                same=None if same is None else (rows[target], y[target], same),
            )
        )
    return made


def condensed(both: list[Translated], features: Callable[[Tensor], np.ndarray], arena: Arena) -> dict[str, Any]:
    """{"real": {domain: F}, "made": {domain: {"features": {ending: F}, "numbers": {name: V}, "shown": {title: P}}},
    "tones": {"real": {domain: T}, "made": {domain: T}}, "contrast": {domain: V}}.

    both: the directions of a batch; of its photos that are shown for the first time. Lists of one array each, which
    batches append: F float [n, d] features, nan where a picture is not finite; V [n] numbers of each photo, by name and
    ending, contrast of real ones; P uint8 [s, s, 3] pictures, at most SHOWN; T [n, 3, c, c] of `faults.tones`.
    arena: where they are put.
    """
    real = {one.source: features_of(one.before, one.rows, features) for one in both}
    made = {
        one.target: {
            "features": {name: features_of(pictures, one.rows, features) for name, pictures in one.made.items()},
            "numbers": {name: [part.numpy() for part in parts] for name, parts in numbers_of(one).items()},
            "shown": columns(one),
        }
        for one in both
    }
    seen = {
        "real": {one.source: each(one.rows, tones, one.before) for one in both},
        "made": {one.target: each(one.rows, tones, one.made[""]) for one in both},
    }
    flat = {one.source: each(one.rows, contrast, one.before) for one in both}
    return _put({"real": real, "made": made, "tones": seen, "contrast": flat}, arena)


def each(rows: Tensor, function: Callable[..., Tensor], *pictures: Tensor) -> list[np.ndarray]:
    """`function` of the rows of `pictures`: a list of [some, ...]."""
    return [function(*parts).numpy() for parts in batches(rows, *pictures)]


def _put(kept: Any, arena: Arena) -> Any:
    if isinstance(kept, dict):
        return {name: _put(value, arena) for name, value in kept.items()}
    return [arena.put(array) for array in kept]


def features_of(pictures: Tensor, rows: Tensor, features: Callable[[Tensor], np.ndarray]) -> list[np.ndarray]:
    """Of the rows of [n, 3, s, s] as a file would hold them: a list of [some, d] float32."""
    found = []
    for (part,) in batches(rows, pictures):
        seen = features((255 * part.nan_to_num(0)).round().to(torch.uint8)).astype(np.float32)
        seen[~part.flatten(1).isfinite().all(1).numpy()] = math.nan
        found.append(seen)
    return found


def numbers_of(one: Translated) -> dict[str, list[Tensor]]:
    """Lists of [some] numbers of each photo."""
    numbers: dict[str, list[Tensor]] = {}
    for ending, pictures in one.made.items():
        if one.truth is not None:
            pairs = list(batches(one.rows, pictures, one.truth))
            numbers[f"psnr{ending}"] = [psnr(a, b) for a, b in pairs]
            numbers[f"ssim{ending}"] = [ssim(luminance(a), luminance(b)) for a, b in pairs]
        numbers[f"edge_ssim{ending}"] = [ssim(edges(a), edges(b)) for a, b in batches(one.rows, pictures, one.before)]
    if one.back is not None:
        pairs = list(batches(one.rows, one.back, one.before))
        numbers["cycle_l1"] = [_l1(a, b) for a, b in pairs]
        numbers["cycle_psnr"] = [psnr(a, b) for a, b in pairs]
    if one.same is not None:
        numbers["identity_l1"] = [_l1(a, b) for a, b in batches(*one.same)]
    return numbers


def columns(one: Translated) -> dict[str, list[np.ndarray]]:
    """Photos by the title of their column, [s, s, 3] uint8: there, back again, and the truth where it is known."""
    titles = {one.source: one.before, f"made {one.target}": one.made[""], "back again": one.back}
    titles[f"true {one.target}"] = one.truth
    return {title: _photos(pictures, one.shown) for title, pictures in titles.items() if pictures is not None}


def evenly(some: Any) -> Any:
    """At most SHOWN of them, the first and the last among these."""
    return [some[k] for k in places(len(some))] if isinstance(some, list) else some[places(len(some))]


def places(n: int) -> Tensor:
    return torch.linspace(0, n - 1, min(SHOWN, n)).round().long()


def batches(rows: Tensor, *pictures: Tensor) -> Iterator[list[Tensor]]:
    """The rows of each of `pictures`, a few at a time, in [0, 1] on the CPU; nan where they are not finite."""
    for some in rows.split(BATCH) if len(rows) else ():
        yield [_unit(tensor.detach()[some.to(tensor.device)].cpu()) for tensor in pictures]


def _unit(photos: Tensor) -> Tensor:
    """uint8, or floats in [-1, 1], to [0, 1]."""
    if not photos.is_floating_point():
        return photos.float() / 255
    return torch.where(photos.isfinite(), (photos.float() + 1) / 2, math.nan).clamp(0, 1)


def _l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().flatten(1).mean(1)


def _photos(pictures: Tensor, rows: Tensor) -> list[np.ndarray]:
    some = pictures.detach()[rows.to(pictures.device)].cpu()
    if some.is_floating_point():
        some = (127.5 * (some.float().nan_to_num(0, 1, -1).clamp(-1, 1) + 1)).round().to(torch.uint8)
    return list(some.permute(0, 2, 3, 1).numpy())
