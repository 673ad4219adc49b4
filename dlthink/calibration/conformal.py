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
            self.conformity.copy_(quantiles_of(self.score.scores(predicted, z), self.score))

    def forward(self, predicted: Distribution, widened: Widened) -> tuple[Tensor, Quantiles]:
        return predicted.mean, self.score.intervals(predicted, self.conformity)


def quantiles_of(scores: Tensor, score: type[ConformityScore]) -> Tensor:
    """The ceil((n + 1) p)-th smallest of n scores for each share p: [n, n_targets, shares] -> [n_targets, shares].

    nan where a target is missing. A share for which n scores are too few asks for an infinite one: its interval is
    wider than the last by as much as `score` says (`beyond`), so that a density is left between their ends.
    Source: Lei et al. 2018, JASA 113 (split conformal), Algorithm 2.
    """
    columns = []
    for column in scores.unbind(1):
        known = column[~column[:, 0].isnan()].sort(0).values
        ranks = [math.ceil((len(known) + 1) * p - 1e-9) for p in SHARES.tolist()]
        reached = torch.stack([known[rank - 1, place] for place, rank in enumerate(ranks) if rank <= len(known)])
        columns.append(torch.cat([reached, score.beyond(reached[-1], len(reached) - 1)]))
    return torch.stack(columns)
