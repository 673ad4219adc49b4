"""Monitor of a translation: inverted colours, one picture for all, no contrast, a discriminator never fooled."""

from __future__ import annotations

from collections import Counter, defaultdict, deque

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

REMEMBERED = 24  # photos whose figures are averaged
FEW = 8  # looks before which nothing is said, and those at a discriminator that are averaged: it has many patches
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
BOUNDS = {"luminance": -0.2, "variety": 0.2, "contrast": 0.1, "judged": 0.98}
REMARKS = {
    "luminance": "what becomes {to} is dark where the photo is bright: colours are being inverted; raise loss.identity "
    "or loss.cycle, or begin with another seed",
    "variety": "everything becomes the same {to}: the network has collapsed; raise loss.cycle, lower optim.lr, or look "
    "for copies in the data",
    "contrast": "what becomes {to} is flat: lower optim.lr, or raise loss.cycle",
    "judged": "the discriminator of {to} is never fooled, so the network learns nothing from it: try another loss.gan, "
    "a lower optim.lr, or more photos",
}


class _Latest(dict):
    """The latest figures by name."""

    def __missing__(self, name: str) -> deque[float]:
        self[name] = deque(maxlen=FEW if name.startswith("judged") else REMEMBERED)
        return self[name]


class Monitor:
    """Means over the latest photos, by the domain that they become; nothing that is trained depends on it.

    luminance  correlation over pixels of a photo's luminance with its translation's; -1: colours inverted
    variety    standard deviation over translations (8 x 8 pixels), as a share of that over their photos
    contrast   standard deviation within a translation, as a share of that within its photo
    judged     share of patches of real and of made photos that the discriminator puts on the right side of their middle
    """

    def __init__(self) -> None:
        self.small: dict[str, deque[Tensor]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self.looks: Counter[str] = Counter()
        self.numbers: dict[str, deque[float]] = _Latest()

    def state(self) -> dict:
        """The figures of the latest photos, for a checkpoint."""
        small = {to: torch.stack(list(photos)) for to, photos in self.small.items()}
        numbers = {name: list(values) for name, values in self.numbers.items()}
        return {"small": small, "numbers": numbers, "looks": dict(self.looks)}

    def restore(self, state: dict) -> None:
        """Put back what `state` returned."""
        for to, photos in state["small"].items():
            self.small[to] = deque(photos, maxlen=REMEMBERED)
        self.numbers.clear()
        for name, values in state["numbers"].items():
            self.numbers[name].extend(values)
        self.looks = Counter(state["looks"])

    @torch.no_grad()
    def watch(self, to: str, photos: Tensor, made: Tensor) -> dict[str, Tensor]:
        """photos [n, c, s, s] and what they have become."""
        self.looks[to] += 1
        x, m = luminance(photos), luminance(made)
        self.numbers[f"luminance_{to}"].extend(((x * m).mean(1) / (x.std(1) * m.std(1)).clamp(min=1e-6)).tolist())
        self.numbers[f"contrast_{to}"].extend((m.std(1) / x.std(1).clamp(min=1e-6)).tolist())
        self.small[to].extend(torch.stack([adaptive_avg_pool2d(p, 8) for p in (photos, made)], 1).cpu())
        before, after = torch.stack(list(self.small[to])).std(0, correction=0).square().mean((1, 2, 3)).sqrt()
        figures = {f"{name}_{to}": self._mean(f"{name}_{to}") for name in ("luminance", "contrast")}
        return figures | {f"variety_{to}": after / before.clamp(min=1e-6)}

    @torch.no_grad()
    def watch_discriminator(self, to: str, real: Tensor, made: Tensor) -> dict[str, Tensor]:
        """Verdicts of one discriminator."""
        middle = (real.mean() + made.mean()) / 2
        self.numbers[f"judged_{to}"].append(
            float(((real > middle).float().mean() + (made < middle).float().mean()) / 2)
        )
        return {f"judged_{to}": self._mean(f"judged_{to}")}

    def remark(self, seen: dict[str, float]) -> str | None:
        """One line with what to try, if a figure lies beyond its bound; the same words each time."""
        for name, value in seen.items():
            kind, _, to = name.partition("_")
            if kind not in BOUNDS or self.looks[to] < FEW:
                continue
            if value > BOUNDS[kind] if kind == "judged" else value < BOUNDS[kind]:
                return REMARKS[kind].format(to=to)
        return None

    def _mean(self, name: str) -> Tensor:
        return torch.tensor(self.numbers[name]).mean()


def luminance(photos: Tensor) -> Tensor:
    """[n, 3, s, s] or [n, 1, s, s] -> [n, s * s], with mean 0."""
    weight = photos.new_tensor(LUMINANCE if photos.shape[1] == 3 else (1.0,))
    flat = torch.einsum("c,nchw->nhw", weight, photos).flatten(1)
    return flat - flat.mean(1, keepdim=True)
