"""Conformity scores: how far a target lies from its prediction, and which intervals reach as far."""

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.distributions.normal import ONE_STD
from dlthink.distributions.quantiles import Quantiles

SHARES = torch.tensor(
    [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99], dtype=torch.float64
)  # of central intervals
LEVELS = torch.cat([(1 - SHARES.flip(0)) / 2, (1 + SHARES) / 2])  # of their ends
NORMAL = torch.special.ndtri((1 + SHARES) / 2)  # how far those of a normal variable reach, in standard deviations


class ConformityScore:
    """One kind: the score q of each central interval, [n_targets, shares], and what is made of it."""

    @staticmethod
    def start(n_targets: int) -> Tensor:
        """q before anything is fitted: the intervals are about those that are predicted."""
        raise NotImplementedError

    @staticmethod
    def scores(predicted: Distribution, z: Tensor) -> Tensor:
        """Of each target, [n, n_targets, shares], nan where z is: it lies inside all intervals whose q is as large."""
        raise NotImplementedError

    @staticmethod
    def beyond(q: Tensor, last: int) -> Tensor:
        """q of the shares after `last`, whose own is the scalar q, where too few were scored: wider as predicted."""
        raise NotImplementedError

    @staticmethod
    def intervals(predicted: Distribution, q: Tensor) -> Quantiles:
        """The distribution whose central intervals have these scores."""
        raise NotImplementedError


class NormalizedResidual(ConformityScore):
    """|z - m| / s, m and s the predicted mean and standard deviation: intervals m +- q s.

    Source: Lei et al. 2018, section 5.2 (locally weighted).
    """

    @staticmethod
    def start(n_targets: int) -> Tensor:
        """q of each share before anything is fitted: a normal variable's."""
        return NORMAL.float().expand(n_targets, -1).clone()

    @staticmethod
    def scores(predicted: Distribution, z: Tensor) -> Tensor:
        away = (z - predicted.mean).abs() / predicted.stddev
        return away.unsqueeze(-1).expand(*away.shape, len(SHARES))

    @staticmethod
    def beyond(q: Tensor, last: int) -> Tensor:
        return q * (NORMAL[last + 1 :] / NORMAL[last]).to(q)

    @staticmethod
    def intervals(predicted: Distribution, q: Tensor) -> Quantiles:
        width = torch.cat([-q.flip(-1), q], -1).to(predicted.mean)
        return Quantiles(
            predicted.mean.unsqueeze(-1) + predicted.stddev.unsqueeze(-1) * width, LEVELS.to(predicted.mean)
        )


class LogResidual(NormalizedResidual):
    """|log z - c| / w, c the log of the predicted median, w half the log of the ratio of the quantiles at 16 and 84 %.

    Intervals exp(c +- q w), all above 0: `NormalizedResidual` of the logarithm, by quantiles, which every family has.
    """

    @staticmethod
    def scores(predicted: Distribution, z: Tensor) -> Tensor:
        centre, width = _of_log(predicted)
        away = (z.log() - centre).abs() / width
        return away.unsqueeze(-1).expand(*away.shape, len(SHARES))

    @staticmethod
    def intervals(predicted: Distribution, q: Tensor) -> Quantiles:
        centre, width = (t.unsqueeze(-1) for t in _of_log(predicted))
        wide = torch.cat([-q.flip(-1), q], -1).to(centre)
        return Quantiles((centre + width * wide).exp(), LEVELS.to(centre))


def _of_log(predicted: Distribution) -> tuple[Tensor, Tensor]:
    """Where the logarithm lies, and its spread: [n, n_targets] twice."""
    low, high, middle = (predicted.icdf(torch.full_like(predicted.mean, p)).log() for p in (*ONE_STD, 0.5))
    return middle, 0.5 * (high - low)


class QuantileError(ConformityScore):
    """max(q_low - z, z - q_high) of each central interval: intervals [q_low - q, q_high + q].

    Conformalized quantile regression: Romano, Patterson & Candès 2019, NeurIPS, equations 6 to 8.
    """

    @staticmethod
    def start(n_targets: int) -> Tensor:
        return torch.zeros(n_targets, len(SHARES))

    @staticmethod
    def scores(predicted: Distribution, z: Tensor) -> Tensor:
        low, high = _ends(predicted)
        return torch.maximum(low - z.unsqueeze(-1), z.unsqueeze(-1) - high)

    @staticmethod
    def beyond(q: Tensor, last: int) -> Tensor:
        return q.expand(len(SHARES) - last - 1)

    @staticmethod
    def intervals(predicted: Distribution, q: Tensor) -> Quantiles:
        low, high = _ends(predicted)
        ends = torch.cat([(low - q.to(low)).flip(-1), high + q.to(high)], -1)
        return Quantiles(ends, LEVELS.to(ends))


def _ends(predicted: Distribution) -> tuple[Tensor, Tensor]:
    """Lower and upper end of each central interval: [n, n_targets, shares] twice."""
    mean = predicted.mean
    ends = [predicted.icdf(torch.full_like(mean, level)) for level in LEVELS.tolist()]
    low, high = torch.stack(ends, -1).split(len(SHARES), -1)
    return low.flip(-1), high
