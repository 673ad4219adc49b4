"""A change of a photo that is, in every window, an affine function of the photo's own colours: edges stay edges."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

STEP = 4  # pixels from window to window
RIDGE = 1e-4  # of colours in [-1, 1]: where a photo varies by less than its root, a change is flat


def guided(change: Tensor, photo: Tensor, radius: int) -> Tensor:
    """The part of `change` that `photo` explains, both [n, c, h, w], h and w multiples of 4; linear in `change`.

    In each window, A and b minimize mean |A x + b - t|^2 + RIDGE |A|^2 over its pixels, x the photo's colours and t
    the change's. Windows have 2 radius + 4 pixels a side, one for each square of 4 x 4 pixels, which is their middle;
    borders are mirrored. Between middles, A and b are interpolated; the answer is A x + b.

    Source: He, Sun & Tang 2013, IEEE TPAMI 35 (guided filter); He & Sun 2015, arXiv:1505.00996 (coarse A and b); Wu,
    Zheng, Zhang & Huang 2018, CVPR (within a network); Luan, Paris, Shechtman & Bala 2017, CVPR (why: what is affine
    in a photo's colours looks like a photo).
    """
    c, h, w = photo.shape[1:]
    with torch.autocast(photo.device.type, enabled=False):  # variances are differences of squares
        exact = torch.promote_types(photo.dtype, torch.float32)
        x, t = photo.to(exact), change.to(exact)
        both = torch.cat([x, t], 1)
        products = torch.einsum("nihw,njhw->nijhw", x, both).flatten(1, 2)
        border = [min(radius, side - 1) for side in (w, h)]
        framed = pad(torch.cat([both, products], 1), (border[0],) * 2 + (border[1],) * 2, mode="reflect")
        means = avg_pool2d(framed, [2 * side + STEP for side in border[::-1]], STEP)
        mean_x, mean_t, products = means.split([c, c, 2 * c * c], 1)
        products = products.unflatten(1, (c, 2 * c))
        covariance = products - torch.einsum("nihw,njhw->nijhw", mean_x, means[:, : 2 * c])
        covariance = covariance.permute(0, 3, 4, 1, 2)  # of x with x, of x with t
        ridge = RIDGE * torch.eye(c, dtype=exact, device=photo.device)
        a = torch.linalg.solve(covariance[..., :c] + ridge, covariance[..., c:]).permute(0, 3, 4, 1, 2)
        b = mean_t - torch.einsum("nijhw,nihw->njhw", a, mean_x)
        maps = interpolate(torch.cat([a.flatten(1, 2), b], 1), size=(h, w), mode="bilinear", align_corners=False)
        a, b = maps[:, : c * c].unflatten(1, (c, c)), maps[:, c * c :]
        return torch.einsum("nijhw,nihw->njhw", a, x) + b
