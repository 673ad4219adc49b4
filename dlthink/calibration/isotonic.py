"""Isotonic: predicted probabilities mapped to the frequencies that were observed."""

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.calibration.recalibration import Widened
from dlthink.calibration.scale import Scale
from dlthink.distributions.recalibrated import KNOTS, Recalibrated, identity

FEWEST = 10  # validation targets between two knots in use


class Isotonic(Scale):
    """The factor of `Scale`, then one monotone map for all targets (Kuleshov, Fenner & Ermon 2018).

    By the factor first, what is left to the map lies where it has knots. `mass`: [64], see `Recalibrated`. The mean
    that is read out is the one before the map.
    """

    digits = True
    mass: Tensor

    def __init__(self, n_targets: int):
        super().__init__(n_targets)
        self.register_buffer("mass", identity())

    def fit(self, predicted: Distribution, z: Tensor, widened: Widened) -> None:
        super().fit(predicted, z, widened)
        _, wider = super().forward(predicted, widened)
        self.mass.copy_(frequencies(wider.cdf(z.nan_to_num())[~z.isnan()]))

    def forward(self, predicted: Distribution, widened: Widened) -> tuple[Tensor, Distribution]:
        mean, wider = super().forward(predicted, widened)
        return mean, Recalibrated(wider, self.mass)


def frequencies(u: Tensor) -> Tensor:
    """Observed probability between neighbouring knots, from the predicted probabilities u = F(y) of all targets.

    Knots with fewer than 10 targets since the one before are passed over, and the map is linear across them: it stays
    strictly increasing, and noise is not learned. Fewer than 20 targets in all teach nothing. [64] float32.
    """
    place = torch.searchsorted(KNOTS.to(u), u.flatten().contiguous()).sub(1).clamp(0, len(KNOTS) - 2)
    counts = torch.bincount(place, minlength=len(KNOTS) - 1).tolist()
    edges, held = [0], []
    since = 0
    for i, count in enumerate(counts, 1):
        since += count
        if since >= FEWEST:
            edges.append(i)
            held.append(since)
            since = 0
    if len(held) < 2:
        return identity().to(u.device)
    held[-1] += since
    edges[-1] = len(counts)
    mass = KNOTS.diff()
    for a, b, many in zip(edges[:-1], edges[1:], held, strict=True):
        mass[a:b] *= many / u.numel() / (KNOTS[b] - KNOTS[a])
    return mass.float().to(u.device)
