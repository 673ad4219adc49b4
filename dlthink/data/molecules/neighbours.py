"""The look-up that every network of molecules must beat: what the most similar molecules of training have."""

from __future__ import annotations

import torch
from torch import Tensor

from dlthink.data.molecules.features.fingerprints import nearest

NEIGHBOURS = 5
SHARPNESS = 4  # similarity to this power is the weight of a neighbour
LEAST = 1e-9  # weight, so that all are alike where nothing is in common
BINS = 5  # of similarity, each with as many molecules; a spread each


class Neighbours:
    """mean = average over the five most similar molecules that have the target, weighted by similarity^4; std = the
    root mean square error of training molecules that have a nearest neighbour as similar, each without itself.

    prints [n, BITS / 8], y [n, n_targets], nan where missing; ends [n_targets, BINS - 1] of similarity, ascending, and
    std [n_targets, BINS] between them. Tanimoto similarity of Morgan fingerprints.
    """

    def __init__(self, prints: Tensor, y: Tensor, ends: Tensor, std: Tensor) -> None:
        self.prints, self.y, self.ends, self.std = prints, y, ends, std

    @classmethod
    def fit(cls, prints: Tensor, y: Tensor) -> Neighbours:
        """From the molecules of training; of each target some value is known."""
        ends, std = [], []
        for column in y.unbind(1):
            known = (~column.isnan()).nonzero()[:, 0]
            overall = float(column[known].std(correction=0)) or 1.0
            if len(known) < 2 * BINS:
                ends.append(torch.zeros(BINS - 1))
                std.append(torch.full((BINS,), overall))
                continue
            mean, near = _average(prints[known], prints[known], column[known], itself=True)
            order = near.argsort()
            parts = order.tensor_split(BINS)
            ends.append(near[torch.stack([part[0] for part in parts[1:]])])
            error = column[known] - mean
            square = torch.stack([error[part].square().mean() for part in parts])
            std.append(square.sqrt().clamp(min=1e-3 * overall))
        return cls(prints, y, torch.stack(ends), torch.stack(std))

    def predict(self, prints: Tensor) -> dict[str, Tensor]:
        """mean and std [n, n_targets]."""
        read = {"mean": [], "std": []}
        for column, ends, spread in zip(self.y.unbind(1), self.ends, self.std, strict=True):
            known = ~column.isnan()
            mean, near = _average(prints, self.prints[known], column[known])
            read["mean"].append(mean)
            read["std"].append(spread[torch.searchsorted(ends.contiguous(), near.contiguous(), right=True)])
        return {name: torch.stack(columns, 1) for name, columns in read.items()}

    def state(self) -> dict[str, Tensor]:
        return {"prints": self.prints, "y": self.y, "ends": self.ends, "std": self.std}


def _average(prints: Tensor, others: Tensor, y: Tensor, itself: bool = False) -> tuple[Tensor, Tensor]:
    """The weighted average over neighbours, and how similar the nearest is: [n] each."""
    similarity, places = nearest(prints, others, NEIGHBOURS, itself)
    weight = similarity**SHARPNESS + LEAST
    weight = weight / weight.sum(1, keepdim=True)
    return (weight * y[places]).sum(1), similarity[:, 0]
