"""From which distance on are two photos of two people? By a false accept rate, or by the fewest mistakes."""

import math

import torch
from torch import Tensor

from dlthink.losses._distances import between

MOST = 4000  # photos looked at: eight million pairs
CHUNK = 512  # rows of the table of distances that are there at a time
SLACK = 1e-9  # relative: 1e-2 * 300 pairs are three, whatever floating point says


def threshold(e: Tensor, y: Tensor, far: float, most: int = MOST, chunk: int = CHUNK) -> Tensor | None:
    """The largest t such that at most a share `far` of all pairs of different identities has d <= t.

    e: [n, dim] embeddings, y: [n] identities. Exact over all pairs of up to `most` photos, evenly spread over the n;
    memory O(chunk n + far n^2). None when there are no two identities; 4, the largest d on the sphere, when all
    pairs may be accepted.
    """
    if len(e) > most:
        index = torch.linspace(0, len(e) - 1, most, dtype=torch.float64).long().to(e.device)
        e, y = e[index], y[index]
    n = len(e)
    pairs = (n * n - int(y.unique(return_counts=True)[1].square().sum())) // 2
    if pairs == 0:
        return None
    allowed = math.floor(far * pairs * (1 + SLACK))
    if allowed >= pairs:
        return e.new_tensor(4.0)
    nearest = e.new_empty(0)
    for first in range(0, n, chunk):
        rows = slice(first, first + chunk)
        later = torch.arange(first, n, device=e.device) > torch.arange(n, device=e.device)[rows, None]
        d = between(e[rows], e[first:])[later & (y[rows, None] != y[first:])]
        nearest = torch.cat([nearest, d])
        nearest = nearest.topk(min(allowed + 1, len(nearest)), largest=False).values
    refused = nearest.max()  # of the nearest pairs the first that must not be accepted
    return torch.nextafter(refused, torch.full_like(refused, -1.0))


def most_accurate(e: Tensor, y: Tensor, most: int = MOST, chunk: int = CHUNK, bins: int = 4000) -> Tensor | None:
    """The t at which (share of same pairs with d <= t) + (share of different pairs with d > t) is largest.

    Pairs of one person and of two weigh the same, as in the lists of LFW. To 4 / `bins`, the middle of the best
    stretch; None without both kinds of pairs. e: [n, dim], y: [n].
    """
    if len(e) > most:
        index = torch.linspace(0, len(e) - 1, most, dtype=torch.float64).long().to(e.device)
        e, y = e[index], y[index]
    counts = e.new_zeros(2, bins, dtype=torch.float32)
    for first in range(0, len(e), chunk):
        rows = slice(first, first + chunk)
        later = torch.arange(first, len(e), device=e.device) > torch.arange(len(e), device=e.device)[rows, None]
        d = (between(e[rows], e[first:])[later] * (bins / 4)).long().clamp(0, bins - 1)
        same = (y[rows, None] == y[first:])[later]
        for row, some in enumerate((d[same], d[~same])):
            counts[row] += torch.bincount(some, minlength=bins)
    total = counts.sum(1, keepdim=True)
    if (total == 0).any():
        return None
    accepted = (counts / total).cumsum(1)
    gain = accepted[0] - accepted[1]
    best = (gain >= gain.max() - 1e-6).nonzero().flatten()
    return (best.double().mean() + 1).mul(4 / bins).to(e)
