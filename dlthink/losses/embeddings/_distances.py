"""Squared Euclidean distances between embeddings, and their roots, with slopes that are finite everywhere."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

NEAREST = 1e-8  # squared; below it two embeddings are one point, and their distance has no direction


@contextmanager
def exact_products() -> Iterator[None]:
    """Matrix products in full float32: of near points the difference 2 - 2 ab matters, which TF32 would lose."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def between(a: Tensor, b: Tensor) -> Tensor:
    """d_ij = |a_i|^2 + |b_j|^2 - 2 a_i b_j, at least 0: [n, m] from [n, dim] and [m, dim]."""
    with exact_products():
        d = a @ b.T
    return d.mul_(-2).add_(a.square().sum(1)[:, None]).add_(b.square().sum(1)).clamp(min=0)


def squared(e: Tensor) -> Tensor:
    """d_ij = |e_i - e_j|^2: [n, n] from [n, dim]; the diagonal is exactly 0.

    Seen from the mean: near a collapse the differences are all there is, and 2 - 2 ab would round them away.
    """
    e = e - e.detach().mean(0)
    return between(e, e).fill_diagonal_(0)


def apart(a: Tensor, b: Tensor) -> Tensor:
    """d_i = |a_i - b_i|^2: [n] from twice [n, dim]."""
    return (a - b).square().sum(1)


def root(d: Tensor) -> Tensor:
    """sqrt(d); 0 with slope 0 below 1e-8, where the root's own slope has no bound."""
    distinct = d > NEAREST
    return torch.where(distinct, d, 1.0).sqrt() * distinct
