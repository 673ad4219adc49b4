"""Sums over every triplet of a batch without a table of n^3 of them.

A triplet (a, p, n) costs f(d(a,p) - d(a,n)). The sum's slope on each distance is found without gradients: a table of
weights [n, n], + for positives and - for negatives. That is all the way back needs.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from dlthink.losses.embeddings._mining import partners


@torch.no_grad()
def linear(same: Tensor, different: Tensor, push: float = 1.0, dtype=torch.float32) -> tuple[Tensor, Tensor]:
    """Weights of sum d(a,p) - push d(a,n) over all triplets, and how many there are: [n, n], scalar."""
    positives, negatives = same.sum(1, keepdim=True), different.sum(1, keepdim=True)
    weights = same * negatives.to(dtype) - different * (push * positives.to(dtype))
    return weights, (positives * negatives).sum()


@torch.no_grad()
def active(d: Tensor, same: Tensor, different: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """Weights of sum [d(a,p) - d(a,n) + margin]_+ and how many triplets cost more than 0: [n, n], scalar of d's type.

    The sum itself is (weights d).sum() + margin * how many. How many negatives are nearer than a positive and margin
    is looked up in the sorted negatives, how many positives count for a negative in the sorted positives.
    """
    partner, valid = partners(same)
    reach = d.gather(1, partner) + margin
    away = d.masked_fill(~different, math.inf).sort(dim=1).values
    pull = torch.searchsorted(away, reach) * valid
    reach = reach.masked_fill(~valid, -1.0).sort(dim=1).values
    push = (reach.shape[1] - torch.searchsorted(reach, d, right=True)) * different
    weights = torch.zeros_like(d).scatter_add_(1, partner, pull.to(d.dtype)).sub_(push)
    return weights, pull.sum().to(d.dtype)


@torch.no_grad()
def soft(d: Tensor, same: Tensor, different: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights of sum log(1 + exp(d(a,p) - d(a,n))), the sum, and how many triplets there are: [n, n], scalars.

    A few anchors at a time, so that no table is larger than [n, n].
    """
    partner, valid = partners(same)
    n, k = partner.shape
    reach, weights, total = d.gather(1, partner), torch.zeros_like(d), d.new_zeros(())
    for rows in torch.arange(n, device=d.device).split(max(1, n // max(1, k))):
        there = valid[rows, :, None] & different[rows, None]
        x = reach[rows, :, None] - d[rows, None]
        total += (softplus(x) * there).sum()
        slope = x.sigmoid_() * there
        weights[rows] = torch.zeros_like(d[rows]).scatter_add_(1, partner[rows], slope.sum(2)).sub_(slope.sum(1))
    return weights, total, (same.sum(1) * different.sum(1)).sum()
