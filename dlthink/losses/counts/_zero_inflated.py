"""Zeros that have a cause of their own, beside any distribution of counts."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from dlthink.losses.counts._count_table import CountTable


def zero_inflated(counted: CountTable, logit: Tensor, value: Tensor, *slopes: Tensor) -> tuple[Tensor, ...]:
    """-log P(k) and its derivatives by what `slopes` are by, and by the logit of pi; from those of the distribution
    inside.

    P(0) = pi + (1 - pi) distribution(0), P(k) = (1 - pi) distribution(k): softplus(logit) - log(exp(logit) +
    distribution(0)) at 0, and beyond it the same with a logit of minus infinity. A zero is one of the distribution
    itself with probability sigmoid(value's negative - logit), which is the share of its slope that stays.
    """
    (at_zero,) = counted.of(_at_zero, logit)
    other = torch.sigmoid(at_zero + value)  # that this zero has the other cause
    nll = softplus(logit) - torch.logaddexp(at_zero, -value)
    own = (torch.addcmul(slope, slope, other, value=-1) for slope in slopes)
    return nll, *own, torch.sigmoid(logit) - other


def _at_zero(k: Tensor, _: Tensor, logit: Tensor) -> tuple[Tensor]:
    """The logit of pi where the count is 0; minus infinity elsewhere."""
    return (torch.where(k == 0, logit, -torch.inf),)
