"""Maximum likelihood of one positive number for each target: a search in its logarithm."""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def highest(score: Callable[[Tensor], Tensor], low: float, high: float) -> Tensor:
    """For each target the positive x in [low, high] with the highest score(x): [n_targets] -> [n_targets].

    A grid in log x, since likelihoods of outliers have several hills, then golden sections about its best point.
    """
    grid = torch.linspace(math.log(low), math.log(high), 61, dtype=torch.float64).tolist()
    first = score(torch.tensor(math.exp(grid[0])))
    scores = torch.stack([first, *(score(first.new_tensor(math.exp(x))) for x in grid[1:])])
    best = first.new_tensor(grid)[scores.nan_to_num(-math.inf).argmax(0)]
    step, golden = grid[1] - grid[0], (math.sqrt(5) - 1) / 2
    a, b = best - step, best + step
    for _ in range(30):
        left, right = b - golden * (b - a), a + golden * (b - a)
        lower = score(left.exp()) > score(right.exp())
        a, b = torch.where(lower, a, left), torch.where(lower, right, b)
    return (0.5 * (a + b)).exp()


def known_mean(values: Tensor, z: Tensor) -> Tensor:
    """Mean of each column of values [n, n_targets] over the rows that z knows, which are not nan: [n_targets]."""
    return torch.where(z.isnan(), math.nan, values).nanmean(0)
