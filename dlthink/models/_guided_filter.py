"""What a photo explains of its change: a guided filter, which lets colours move and makes no new edges."""

from __future__ import annotations

from math import gcd

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

STEP = 4  # pixels from window to window
RIDGE = 1e-4  # of colours in [-1, 1]: where a photo varies by less than its root, a change is flat
MOST = 64  # pixels of radius: time grows with its square


def guided_filter(change: Tensor, photo: Tensor, radius: int) -> Tensor:
    """The part of `change` that is locally affine in the colours of `photo`, both [n, c, h, w]; linear in `change`.

    In each window, A and b minimize mean |A x + b - t|^2 + RIDGE |A|^2 over its pixels, x the photo's colours and t
    the change's. There is a window for each square of 4 x 4 pixels, its middle, of 2 radius + 4 pixels a side; borders
    are mirrored, of a side below radius + 1 all of it. The answer is A x + b, A and b interpolated between middles.
    h and w: multiples of 4. float32 at least, also under autocast: variances are differences of squares.

    Source: He, Sun & Tang 2013, IEEE TPAMI 35 (guided filter), with interpolation in place of their mean over windows,
    as He & Sun 2015, arXiv:1505.00996; Wu, Zheng, Zhang & Huang 2018, CVPR (within a network); Luan, Paris, Shechtman
    & Bala 2017, CVPR (why: what is locally affine in a photo's colours looks like a photo).
    """
    c, h, w = photo.shape[1:]
    with torch.autocast(photo.device.type, enabled=False):
        exact = torch.promote_types(photo.dtype, torch.float32)
        x, t = photo.to(exact), change.to(exact)
        both = torch.cat([x, t], 1)
        down, across = (min(radius, side - 1) for side in (h, w))
        framed = pad(torch.cat([both, _products(x, both)], 1), (across, across, down, down), mode="reflect")
        means = _means(framed, 2 * down + STEP, 2 * across + STEP)
        mean_x, mean_t, mean_products = means.split([c, c, 2 * c * c], 1)
        covariance = mean_products - _products(mean_x, means[:, : 2 * c])
        covariance = covariance.unflatten(1, (c, 2 * c)).permute(0, 3, 4, 1, 2)  # of x with x, of x with t
        ridge = RIDGE * torch.eye(c, dtype=exact, device=photo.device)
        # solve_ex: a ridge makes it regular, and solve would wait for the device to tell
        a = torch.linalg.solve_ex(covariance[..., :c] + ridge, covariance[..., c:])[0].permute(0, 3, 4, 1, 2)
        b = mean_t - _applied(a, mean_x)
        maps = interpolate(torch.cat([a.flatten(1, 2), b], 1), size=(h, w), mode="bilinear", align_corners=False)
        return _applied(maps[:, : c * c].unflatten(1, (c, c)), x) + maps[:, c * c :]


def _means(x: Tensor, high: int, wide: int) -> Tensor:
    """Means over windows of these sides, STEP apart: of means over the squares that they share, as each is in many."""
    shared = gcd(high, STEP), gcd(wide, STEP)
    windows, steps = (high // shared[0], wide // shared[1]), (STEP // shared[0], STEP // shared[1])
    return avg_pool2d(avg_pool2d(x, shared), windows, steps)


def _products(a: Tensor, b: Tensor) -> Tensor:
    """[n, i, h, w], [n, j, h, w] -> a_i b_j: [n, ij, h, w]."""
    return (a[:, :, None] * b[:, None]).flatten(1, 2)


def _applied(a: Tensor, x: Tensor) -> Tensor:
    """sum_i a_ij x_i, [n, i, j, h, w], [n, i, h, w] -> [n, j, h, w]; no product of matrices, which might be TF32."""
    return (a * x[:, :, None]).sum(1)
