"""A distribution of counts with any probabilities up to K, and a geometric tail beyond."""

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.distributions.count import CountDistribution, picked
from dlthink.distributions.real import broadcast_shape, exact


class CategoricalCounts(CountDistribution):
    """P(k) = p_k for k < K, P(k) = p_K (1 - q) q^(k - K) for k >= K, where p = softmax(logits): p_K is that of K or
    more.

    logits: [batch..., K + 1]; tail: q, 0 <= q < 1, of the batch's shape or what broadcasts with it. 0: nothing beyond K
    """

    def __init__(self, logits: Tensor, tail: Tensor | float = 0.0):
        self.dtype = logits.dtype
        self.log_p = exact(logits).log_softmax(-1)
        self.tail = exact(torch.as_tensor(tail, device=logits.device)).expand(logits.shape[:-1])
        self.given = (self.log_p, self.tail)
        beyond = self.tail / (1 - self.tail)  # the mean of k - K where k >= K
        self.counts = torch.arange(logits.shape[-1], dtype=self.log_p.dtype, device=logits.device)
        self.last = len(self.counts) - 1 + beyond
        self.scatter = beyond * (1 + beyond)
        Distribution.__init__(self, logits.shape[:-1], validate_args=False)

    def at(self, index: Tensor) -> "CategoricalCounts":
        return CategoricalCounts(self.log_p.flatten(0, -2)[index].unsqueeze(-2), picked(self.tail, index))

    def log_pmf(self, k: Tensor) -> Tensor:
        shape = broadcast_shape(k.shape, self.batch_shape)
        log_p = self.log_p.expand(*shape, len(self.counts))
        last = len(self.counts) - 1
        found = log_p.gather(-1, k.expand(shape).clamp(max=last).long().unsqueeze(-1)).squeeze(-1)
        return found + torch.where(k < last, 0.0, log_share_of_last(k - last, self.tail))

    @property
    def mean(self) -> Tensor:
        return self._mean(self.log_p.exp()).to(self.dtype)

    @property
    def variance(self) -> Tensor:
        p = self.log_p.exp()
        mean = self._mean(p)
        away = self.counts[:-1] - mean.unsqueeze(-1)
        last = (self.last - mean).square() + self.scatter
        return ((p[..., :-1] * away.square()).sum(-1) + p[..., -1] * last).to(self.dtype)

    def _mean(self, p: Tensor) -> Tensor:
        return p[..., :-1] @ self.counts[:-1] + p[..., -1] * self.last


def log_share_of_last(beyond: Tensor, tail: Tensor) -> Tensor:
    """log (1 - q) q^(k - K), the share of k in the last class, K or more. beyond: k - K; below 0 it means nothing."""
    return torch.xlogy(beyond.clamp(min=0), tail) + (-tail).log1p()
