"""Zeros that have a cause of their own, beside any distribution of counts."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from dlthink.losses.counts._count_table import CountTable

NEVER = -1e30  # a logit as good as minus infinity, which times a count of 0 is 0


def zero_inflated(counted: CountTable, logit: Tensor, value: Tensor, *slopes: Tensor) -> tuple[Tensor, ...]:
    """-log P(k) and its derivatives by what `slopes` are by, and by the logit of pi; from those of the distribution
    inside.

    P(0) = pi + (1 - pi) distribution(0), P(k) = (1 - pi) distribution(k): softplus(logit) - log(exp(logit) +
    distribution(0)) at 0, and beyond it the same with a logit of minus infinity. A zero is one of the distribution
    itself with probability sigmoid(value's negative - logit), which is the share of its slope that stays.
    """
    at_zero = torch.add(logit, counted.k, alpha=NEVER)
    other = torch.sigmoid(at_zero + value)  # that this zero has the other cause
    nll = softplus(logit) - torch.logaddexp(at_zero, -value)
    own = (torch.addcmul(slope, slope, other, value=-1) for slope in slopes)
    return nll, *own, torch.sigmoid(logit) - other
