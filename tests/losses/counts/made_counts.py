"""Samples and the list of all costs of counts, for their tests."""

import torch
from torch import Tensor

from dlthink.losses.counts.com_poisson import ComPoisson
from dlthink.losses.counts.generalized_poisson import GeneralizedPoisson
from dlthink.losses.counts.negative_binomial import NegativeBinomial
from dlthink.losses.counts.zero_inflated_negative_binomial import ZeroInflatedNegativeBinomial
from dlthink.losses.counts.zero_inflated_poisson import ZeroInflatedPoisson

COSTS = {
    "negative_binomial": NegativeBinomial,
    "generalized_poisson": GeneralizedPoisson,
    "com_poisson": ComPoisson,
    "zero_inflated_poisson": ZeroInflatedPoisson,
    "zero_inflated_negative_binomial": ZeroInflatedNegativeBinomial,
}
WHERE = ("shared", "target", "network")


def build(name: str, targets: int = 3, dtype: torch.dtype = torch.float64, **settings):
    return COSTS[name](targets, **settings).to(dtype)


def counts(n: int = 40, targets: int = 3, dtype: torch.dtype = torch.float64, seed: int = 0, mean: float = 3.0):
    """Over-dispersed counts: [n, targets]."""
    g = torch.Generator().manual_seed(seed)
    rate = mean * torch.rand(n, targets, generator=g, dtype=dtype) ** 2 * torch.arange(1, targets + 1)
    return torch.poisson(rate, generator=g)


def sample(loss, n: int = 40, seed: int = 0, mean: float = 3.0) -> tuple[Tensor, Tensor]:
    """An answer of the right shape, and counts on which `loss` was prepared; what it learns has moved, too."""
    dtype, targets = loss.log_mean.dtype, len(loss.log_mean)
    g = torch.Generator().manual_seed(seed + 1)
    k = counts(n, targets, dtype, seed, mean)
    loss.prepare(k)
    for weight in loss.parameters():
        weight.data.add_(0.3 * torch.randn(weight.shape, generator=g, dtype=dtype))
    return 0.3 * torch.randn(n, loss.outputs_per_target * targets, generator=g, dtype=dtype), k
