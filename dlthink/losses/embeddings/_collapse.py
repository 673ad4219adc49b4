"""Has an embedding collapsed? What one looks at to see it early."""

import math

import torch
from torch import Tensor


def mean_cosine(e: Tensor) -> Tensor:
    """Mean of e_i e_j over pairs i != j: a scalar from unit vectors [n, dim]. 1: all are one point; nan: no pair."""
    n = len(e)
    if n < 2:
        return e.new_tensor(math.nan)
    return (e.sum(0).square().sum() - e.square().sum()) / (n * (n - 1))


def effective_rank(e: Tensor) -> Tensor:
    """exp(-sum p log p), p = s / sum s, s the singular values of e: a scalar in 1 .. min(n, dim) from [n, dim].

    Not centred: 1 when all embeddings are one point, or lie on one line through 0. 1 too when all are 0.
    Source: Roy & Vetterli 2007, EUSIPCO (the effective rank).
    """
    s = torch.linalg.svdvals(e)
    p = s / s.sum().clamp(min=torch.finfo(s.dtype).tiny)
    return torch.special.entr(p).sum().exp()
