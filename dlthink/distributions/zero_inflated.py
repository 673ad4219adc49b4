"""A distribution of counts with more zeros than it would have by itself."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from dlthink.distributions.count import CountDistribution, picked
from dlthink.distributions.real import exact


class ZeroInflated(CountDistribution):
    """0 with probability pi, else as `base`: P(0) = pi + (1 - pi) base(0), P(k) = (1 - pi) base(k).

    logit: of pi, of the base's shape or what broadcasts with it; minus infinity is the base alone.
    Source: Lambert 1992, Technometrics 34.
    """

    def __init__(self, base: CountDistribution, logit: Tensor):
        super().__init__(*base.given, logit)
        self.base = base
        self.dtype = torch.promote_types(base.dtype, logit.dtype)

    def at(self, index: Tensor) -> "ZeroInflated":
        base = self.base.at(self._of_base(index))
        return ZeroInflated(base, picked(self.given[-1], index))

    @property
    def logit(self) -> Tensor:
        return exact(self.given[-1])

    def _of_base(self, index: Tensor) -> Tensor:
        """Places of the base's own flattened batch, which may be smaller."""
        shape = self.base.batch_shape
        if shape == self.batch_shape:
            return index
        own = torch.arange(shape.numel(), device=index.device).view(shape)
        return own.expand(self.batch_shape).flatten()[index]

    def log_pmf(self, k: Tensor) -> Tensor:
        other = logsigmoid(-self.logit) + self.base.log_pmf(k)
        return torch.where(k == 0, torch.logaddexp(logsigmoid(self.logit), other), other)

    @property
    def mean(self) -> Tensor:
        return (torch.sigmoid(-self.logit) * exact(self.base.mean)).to(self.dtype)

    @property
    def variance(self) -> Tensor:
        mean = exact(self.base.mean)
        within = exact(self.base.variance) + torch.sigmoid(self.logit) * mean.square()
        return (torch.sigmoid(-self.logit) * within).to(self.dtype)

    @property
    def bulk(self) -> tuple[Tensor, Tensor]:
        return self.base.bulk

    def sample(self, sample_shape: tuple[int, ...] = ()) -> Tensor:
        shape = self._extended_shape(torch.Size(sample_shape))
        drawn = self.base.sample(shape[: len(shape) - len(self.base.batch_shape)])
        stays = torch.rand(shape, dtype=self.logit.dtype, device=self.logit.device) < torch.sigmoid(-self.logit)
        return (drawn * stays).to(self.dtype)
