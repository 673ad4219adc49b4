"""Which photos of a batch are compared: found on a table of distances, without gradients, in memory O(n^2).

Positives are listed for each anchor, padded: `partner` [n, k] photo numbers and `valid` [n, k] bool.
"""

import math

import torch
from torch import Tensor


def relations(y: Tensor) -> tuple[Tensor, Tensor]:
    """(same person and not the same photo, different people): twice [n, n] bool from identities [n]."""
    same = y[:, None] == y
    return same.clone().fill_diagonal_(False), ~same


def partners(same: Tensor) -> tuple[Tensor, Tensor]:
    """The positives of each anchor: partner [n, k], valid [n, k].

    On a CPU k is the largest number of positives. Elsewhere counting them would make the program wait for the device,
    so there k = n: every photo is listed, and `valid` says which are positives.
    """
    n = len(same)
    if same.device.type != "cpu":
        return torch.arange(n, device=same.device).expand(n, n), same
    count = same.sum(1)
    valid = torch.arange(int(count.max()) if n else 0) < count[:, None]
    partner = torch.zeros(valid.shape, dtype=torch.long)
    partner[valid] = same.nonzero()[:, 1]
    return partner, valid


@torch.no_grad()
def nearest_farther(d: Tensor, different: Tensor, partner: Tensor) -> Tensor:
    """For each pair (a, p) the nearest negative farther from a than p; if none is, the farthest: [n, k].

    Of equally near ones the first of the batch. Where an anchor has no negative the answer is any photo.
    """
    away, order = d.masked_fill(~different, math.inf).sort(dim=1, stable=True)
    farther = torch.searchsorted(away, d.gather(1, partner), right=True)
    last = away.gather(1, (different.sum(1, keepdim=True) - 1).clamp(min=0))
    return order.gather(1, farther.minimum(torch.searchsorted(away, last)))


@torch.no_grad()
def hardest(d: Tensor, same: Tensor, different: Tensor) -> tuple[Tensor, Tensor]:
    """The farthest positive and the nearest negative of each anchor: twice [n]; any photo where there is none."""
    return d.masked_fill(~same, -1.0).argmax(1), d.masked_fill(~different, math.inf).argmin(1)


@torch.no_grad()
def drawn(weights: Tensor, k: int) -> Tensor:
    """k photos for each anchor, with replacement, with probability weights / their sum: [n, k] from [n, n] >= 0.

    By torch's global generator. A photo of weight 0 is never drawn, unless the whole row is 0.
    """
    mass = weights.cumsum(1)
    total = mass[:, -1:].contiguous()
    at = torch.rand(len(weights), k, dtype=mass.dtype, device=mass.device) * total
    return torch.searchsorted(mass, at, right=True).minimum(torch.searchsorted(mass, total))
