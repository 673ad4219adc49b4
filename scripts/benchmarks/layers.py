"""Two layers that training on photos spends much of its time in, forward and backward, against their plain form.

The guided filter of model.guided_filter=8, whose windows overlap 25-fold, against windows summed one by one.
EfficientNet-Lite1, frozen, with its weights channels last against weights as they are in the file; without
its package there is no such row.
"""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from clock import now, repeats, report
from torch import Tensor
from torch.nn.functional import avg_pool2d

from dlthink import efficientnet_lite
from dlthink.models import _guided_filter

CALLS = 20


def plain_means(x: Tensor, high: int, wide: int) -> Tensor:
    return avg_pool2d(x, (high, wide), _guided_filter.STEP)


def filtered(means: Callable, photo: Tensor, change: Tensor) -> Tensor:
    kept, _guided_filter._means = _guided_filter._means, means
    try:
        return _guided_filter.guided_filter(change, photo, 8)
    finally:
        _guided_filter._means = kept


def once(layer: Callable[[Tensor], Tensor], x: Tensor) -> tuple[np.ndarray, Tensor]:
    """Seconds of a call, and the gradient."""
    began = now()
    for _ in range(CALLS):
        y = x.clone().requires_grad_()
        layer(y).square().sum().backward()
    return (now() - began) / CALLS, y.grad


def compare(name: str, ours: Callable, plain: Callable, x: Tensor, apart: float) -> None:
    runs = [[once(layer, x) for layer in (ours, plain)] for _ in range(1 + repeats(5))]  # in turns; the first warms up
    grad, same = (g for _, g in runs[0])
    assert (grad - same).norm() < apart * same.norm(), "not the same layer"
    report(name, None, *([row[i][0] for row in runs[1:]] for i in range(2)))


def main() -> None:
    g = torch.Generator().manual_seed(0)
    photo, change = (2 * torch.rand(1, 3, 128, 128, generator=g) - 1 for _ in range(2))
    ways = (partial(filtered, means, photo) for means in (_guided_filter._means, plain_means))
    compare("guided filter, 128 px / windows one by one", *ways, change, apart=1e-4)
    if not efficientnet_lite.installed(1):
        print("EfficientNet-Lite1: not installed, not measured", file=sys.stderr)
        return
    eyes = efficientnet_lite.load(1), efficientnet_lite.load(1).to(memory_format=torch.contiguous_format)
    photo = torch.rand(1, 3, 224, 224, generator=g)
    compare("EfficientNet-Lite1, 224 px / as in its file", *eyes, photo, apart=1e-3)


if __name__ == "__main__":
    main()
