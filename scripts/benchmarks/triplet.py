"""The triplet cost, forward and backward on 1800 photos (45 people x 40) x 128, against pytorch-metric-learning.

Theirs is asked for the same: unit vectors, squared distances, margin 0.2, the mean over all triplets mined. Batch-hard
is the same cost (value and gradient are checked here). Its semi-hard miner lists every semi-hard triplet, millions
of them, where FaceNet takes one negative a pair: that row compares two answers to the same wish. Without
pytorch-metric-learning only our seconds are reported. Peak memory goes to stderr, in MB.
"""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from clock import now, peak, repeats, report
from torch import Tensor

from dlthink.losses.embeddings.triplet import Triplet

PEOPLE, PHOTOS, DIM, MARGIN = 45, 40, 128, 0.2


def photos() -> tuple[Tensor, Tensor]:
    """Outputs of a network: people hardly apart, as at the start."""
    g = torch.Generator().manual_seed(0)
    y = torch.arange(PEOPLE).repeat_interleave(PHOTOS)
    return 0.3 * torch.randn(PEOPLE, DIM, generator=g)[y] + torch.randn(len(y), DIM, generator=g), y


def ours(mining: str) -> Callable[[Tensor, Tensor], Tensor]:
    loss = Triplet(DIM, mining=mining, margin=MARGIN)
    return lambda out, y: loss(out, y)["triplet"]


def theirs(mining: str) -> Callable[[Tensor, Tensor], Tensor] | None:
    """The same by pytorch-metric-learning, if it is installed."""
    try:
        from pytorch_metric_learning import distances, losses, miners, reducers
    except ImportError:
        return None
    distance = distances.LpDistance(power=2)  # of vectors that it normalizes: |a - b|^2
    if mining == "batch_hard":
        miner = miners.BatchHardMiner(distance=distance)
    else:
        miner = miners.TripletMarginMiner(margin=MARGIN, type_of_triplets="semihard", distance=distance)
    loss = losses.TripletMarginLoss(margin=MARGIN, distance=distance, reducer=reducers.MeanReducer())
    return lambda out, y: loss(out, y, miner(out, y))


def once(cost: Callable, out: Tensor, y: Tensor) -> tuple[np.ndarray, Tensor, Tensor]:
    """Seconds, value, gradient."""
    out = out.clone().requires_grad_()
    began = now()
    value = cost(out, y)
    value.backward()
    return now() - began, value.detach(), out.grad


def main() -> None:
    out, y = photos()
    for mining, goal, usual in (("batch_hard", 0.4, 15), ("semi_hard", 0.05, 3)):
        costs = [cost for cost in (ours(mining), theirs(mining)) if cost is not None]
        n = repeats(usual)
        runs = [[once(cost, out, y) for cost in costs] for _ in range(1 + n)]  # in turns; the first warms up
        if len(costs) == 2 and mining == "batch_hard":
            (_, value, grad), (_, same, slope) = runs[0]
            torch.testing.assert_close(value, same, rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(grad, slope, rtol=1e-3, atol=1e-8)
        seconds = [[row[i][0] for row in runs[1:]] for i in range(len(costs))]
        report(f"triplet 1800 x 128, {mining.replace('_', '-')}", goal if len(costs) == 2 else None, *seconds)
        print(
            f"{mining}: peak MB {', '.join(f'{peak(partial(once, cost, out, y)):.0f}' for cost in costs)}",
            file=sys.stderr,
        )
    for mining in ("batch_all", "random"):
        cost = ours(mining)
        report(
            f"triplet 1800 x 128, {mining.replace('_', '-')}", None, [once(cost, out, y)[0] for _ in range(repeats(3))]
        )


if __name__ == "__main__":
    main()
