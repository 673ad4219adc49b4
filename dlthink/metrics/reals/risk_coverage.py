"""Which rows are trusted most, and whether rightly: rank correlation and risk against coverage.

Rows of one spread cannot be told apart: each takes the mean of their values, so the order of rows never matters.
All tensors are [rows] in float64.
"""

import math

import torch
from torch import Tensor


def spearman(a: Tensor, b: Tensor) -> float:
    """Correlation of the ranks of a and b, ties at their mean rank; nan where one of them does not vary or is nan.

    Source: Spearman 1904, American Journal of Psychology 15.
    """
    if len(a) < 2 or bool((a.isnan() | b.isnan()).any()):
        return math.nan
    a, b = (ranks - ranks.mean() for ranks in (_ranks(a), _ranks(b)))
    scale = a.norm() * b.norm()
    return float(a @ b / scale) if scale > 0 else math.nan


def confident_first(values: Tensor, std: Tensor) -> Tensor:
    """`values` with the smallest std first; a row without a std (nan) comes last."""
    _, group, size = std.nan_to_num(nan=math.inf, posinf=math.inf).unique(return_inverse=True, return_counts=True)
    level = values.new_zeros(len(size)).index_add(0, group, values) / size
    return level.repeat_interleave(size)


def risk(error: Tensor, std: Tensor) -> Tensor:
    """risk[k - 1] = mean |error| of the k most confident rows, k = 1 .. rows; its mean is the AURC.

    Source: Geifman & El-Yaniv 2017, NeurIPS 30.
    """
    total = confident_first(error.abs(), std).cumsum(0)
    return total / torch.arange(1, len(total) + 1)


def ence(error: Tensor, std: Tensor, bins: int) -> float:
    """Mean over bins of |RMV - RMSE| / RMV; bins of equally many rows, sorted by std; RMV^2 = mean std^2 in a bin.

    With fewer rows than `bins`, each is a bin. nan where a bin has no spread.
    Source: Levi, Gispan, Giladi & Fetaya 2022, Sensors 22 (arXiv:1905.11659), ENCE.
    """
    bins = min(bins, len(error))
    square, variance = (confident_first(v, std).tensor_split(bins) for v in (error**2, std**2))
    rmse = torch.stack([v.mean() for v in square]).sqrt()
    rmv = torch.stack([v.mean() for v in variance]).sqrt()
    return float(torch.where(rmv > 0, (rmv - rmse).abs() / rmv, math.nan).mean())


def _ranks(values: Tensor) -> Tensor:
    _, group, size = values.unique(return_inverse=True, return_counts=True)
    return (size.cumsum(0) - (size - 1) / 2).double()[group]
