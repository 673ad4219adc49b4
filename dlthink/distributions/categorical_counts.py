"""A distribution of counts from 0 to K with any probabilities."""

import math

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.distributions.count import CountDistribution
from dlthink.distributions.real import exact


class CategoricalCounts(CountDistribution):
    """P(k) = softmax(logits)_k for k = 0 .. K, and 0 beyond. logits: [batch..., K + 1]."""

    def __init__(self, logits: Tensor):
        self.dtype = logits.dtype
        self.log_p = exact(logits).log_softmax(-1)
        self.given = (self.log_p,)
        self.counts = torch.arange(logits.shape[-1], dtype=self.log_p.dtype, device=logits.device)
        Distribution.__init__(self, logits.shape[:-1], validate_args=False)

    def at(self, index: Tensor) -> "CategoricalCounts":
        return CategoricalCounts(self.log_p.flatten(0, -2)[index].unsqueeze(-2))

    def log_pmf(self, k: Tensor) -> Tensor:
        shape = torch.broadcast_shapes(k.shape, self.batch_shape)
        log_p = self.log_p.expand(*shape, len(self.counts))
        inside = k.expand(shape).clamp(max=len(self.counts) - 1).long()
        found = log_p.gather(-1, inside.unsqueeze(-1)).squeeze(-1)
        return torch.where(k < len(self.counts), found, -math.inf)

    @property
    def mean(self) -> Tensor:
        return (self.log_p.exp() @ self.counts).to(self.dtype)

    @property
    def variance(self) -> Tensor:
        p = self.log_p.exp()
        away = self.counts - (p @ self.counts).unsqueeze(-1)
        return (p * away.square()).sum(-1).to(self.dtype)
