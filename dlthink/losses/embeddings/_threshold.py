"""From which distance on are two photos of two people? By a false accept rate, or by the fewest mistakes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from dlthink.false_accept_rate import allowed
from dlthink.losses.embeddings._distances import between

MOST = 4000  # photos looked at: eight million pairs
CHUNK = 512  # rows of the table of distances that are there at a time
GRID = 2.0**-22  # distances are rounded to it, as an examination in float64 rounds them: equal photos tie exactly


def threshold(e: Tensor, y: Tensor, false_accept_rate: float, most: int = MOST, chunk: int = CHUNK) -> Tensor | None:
    """The largest t such that at most a share `false_accept_rate` of all pairs of different identities has d <= t.

    e: [n, dim] embeddings, y: [n] identities. Exact over all pairs of up to `most` photos (`_some`); t lies one step of
    2^-22 below the first pair to refuse, so that nobody's rounding accepts that one. Memory O(chunk n + far n^2). None
    when there are no two identities; 4, the largest d on the sphere, when all pairs may be accepted.
    """
    e, y = _some(e, y, most)
    n = len(e)
    pairs = (n * n - int(y.unique(return_counts=True)[1].square().sum())) // 2
    if pairs == 0:
        return None
    accepted = allowed(false_accept_rate, pairs)
    if accepted >= pairs:
        return e.new_tensor(4.0)
    nearest = e.new_empty(0)
    for d, same in _pairs(e, y, chunk):
        nearest = torch.cat([nearest, d[~same]])
        nearest = nearest.topk(min(accepted + 1, len(nearest)), largest=False).values
    return nearest.max() - GRID  # of the nearest pairs the first that must not be accepted


def most_accurate(e: Tensor, y: Tensor, most: int = MOST, chunk: int = CHUNK) -> Tensor | None:
    """The t at which (share of same pairs with d <= t) + (share of different pairs with d > t) is largest.

    Pairs of one person and of two weigh the same, as in the lists of LFW. Exact over all pairs of up to `most` photos;
    the middle of the gap up to the next pair, of several optima the first; below every pair when nothing is to be
    accepted. None without both kinds of pairs. e: [n, dim], y: [n]. Memory: some 30 bytes a pair.
    """
    e, y = _some(e, y, most)
    found = list(_pairs(e, y, chunk))
    d, same = (torch.cat(part) for part in zip(*found, strict=True)) if found else (e.new_empty(0), e.new_empty(0))
    positives = int(same.sum())
    if not 0 < positives < len(d):
        return None
    d, order = d.sort()
    same = same[order]
    # with whole numbers: a difference of shares times both numbers of pairs
    gain = torch.where(same, len(d) - positives, -positives).cumsum(0)
    gain[:-1][d[1:] == d[:-1]] = -1  # equal distances are accepted together
    k = int(gain.argmax())
    if gain[k] <= 0:
        return d[0] - GRID
    return d[k] if k + 1 == len(d) else (d[k] + d[k + 1]) / 2


def _some(e: Tensor, y: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """At most so many photos, two of each person in a seeded order, then two more; float64 where the device has it."""
    if len(e) > most:
        chance = torch.Generator().manual_seed(0)
        _, person, size = y.cpu().unique(return_inverse=True, return_counts=True)
        rows = torch.randperm(len(y), generator=chance)
        rows = rows[person[rows].argsort(stable=True)]
        place = torch.arange(len(y)) - torch.repeat_interleave(size.cumsum(0) - size, size)
        turn = torch.randperm(len(size), generator=chance)[person[rows]]
        order = (place // 2 * len(size) + turn).argsort(stable=True)
        index = rows[order[:most]].sort().values.to(e.device)
        e, y = e[index], y[index]
    return e if e.device.type == "mps" else e.double(), y


def _pairs(e: Tensor, y: Tensor, chunk: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Every two photos once, some rows of the table of distances at a time: (d, whether they show one person)."""
    n = len(e)
    for first in range(0, n, chunk):
        rows = slice(first, first + chunk)
        later = torch.arange(first, n, device=e.device) > torch.arange(n, device=e.device)[rows, None]
        d = (between(e[rows], e[first:])[later] / GRID).round() * GRID
        yield d, (y[rows, None] == y[first:])[later]
