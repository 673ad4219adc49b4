"""Scale: the width times one factor for each target, by maximum likelihood."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.calibration.maximum_likelihood import highest, known_mean
from dlthink.calibration.recalibration import Recalibration, Widened

OUTLIERS, BACKGROUND = 0.01, 1e-3  # share of targets that are outliers; their density, per standardized unit


class Scale(Recalibration):
    """The distribution `widened` by `factor`: [n_targets], 1 before it is fitted."""

    factor: Tensor

    def __init__(self, n_targets: int):
        super().__init__()
        self.register_buffer("factor", torch.ones(n_targets))

    def fit(self, predicted: Distribution, z: Tensor, widened: Widened) -> None:
        self.factor.copy_(most_likely_factor(partial(widened, predicted), z))

    def forward(self, predicted: Distribution, widened: Widened) -> tuple[Tensor, Distribution]:
        wider = widened(predicted, self.factor.to(predicted.mean))
        return wider.mean, wider


def most_likely_factor(widened: Callable[[Tensor], Distribution], z: Tensor) -> Tensor:
    """The factor f of each target for which the distributions widened(f) make z: [n, n_targets] most likely.

    What is missing in z, nan, is passed over; of a target that is missing altogether f is 1.

    Robust: one target in a hundred may be an outlier (density 1e-3 per standard deviation of the targets), so a
    few wild values do not widen everybody's spread, as they would a Gaussian's without bound.
    """
    wild = math.log(OUTLIERS * BACKGROUND)

    def score(f: Tensor) -> Tensor:
        f = f.to(z).expand(z.shape[-1])
        kind = widened(f).log_prob(z.nan_to_num()) + math.log1p(-OUTLIERS)
        return known_mean(torch.logaddexp(kind, torch.full_like(kind, wild)), z)

    return torch.where(z.isnan().all(0), 1.0, highest(score, 1e-3, 1e3))
