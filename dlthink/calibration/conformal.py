"""Conformal intervals: as wide as held-out answers were wrong, so that coverage holds whatever the network says."""

import math

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.calibration.conformity import SHARES, ConformityScore
from dlthink.calibration.recalibration import Recalibration, Widened
from dlthink.distributions.quantiles import Quantiles


class Conformal(Recalibration):
    """Central intervals as wide as validation asks for, whatever the family; a density between their ends is even.

    `conformity`: [n_targets, shares], the score that each interval reaches. The mean that is read out stays.
    """

    digits = True
    conformity: Tensor

    def __init__(self, n_targets: int, score: type[ConformityScore]):
        super().__init__()
        self.score = score
        self.register_buffer("conformity", score.start(n_targets))

    def fit(self, predicted: Distribution, z: Tensor, widened: Widened) -> None:
        if not z.isnan().all(0).any():
            self.conformity.copy_(quantiles_of(self.score.scores(predicted, z)))

    def forward(self, predicted: Distribution, widened: Widened) -> tuple[Tensor, Quantiles]:
        return predicted.mean, self.score.intervals(predicted, self.conformity)


def quantiles_of(scores: Tensor) -> Tensor:
    """The ceil((n + 1) p)-th smallest of n scores for each share p: [n, n_targets, shares] -> [n_targets, shares].

    nan where a target is missing. Fewer scores than that ask for an infinite one; the largest there is stands for it.
    Source: Lei et al. 2018, JASA 113 (split conformal), Algorithm 2.
    """
    columns = []
    for column in scores.unbind(1):
        known = column[~column[:, 0].isnan()].sort(0).values
        rank = [min(math.ceil((len(known) + 1) * p - 1e-9), len(known)) for p in SHARES.tolist()]
        columns.append(torch.stack([known[max(k, 1) - 1, place] for place, k in enumerate(rank)]))
    return torch.stack(columns)
