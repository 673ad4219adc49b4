"""Zeros that have a cause of their own, beside any law of counts."""

import torch
from torch import Tensor
from torch.nn.functional import softplus


def zero_inflated(k: Tensor, logit: Tensor, value: Tensor, *slopes: Tensor) -> tuple[Tensor, ...]:
    """-log P(k) and its derivatives by what `slopes` are by, and by the logit of pi; from those of the law inside.

    P(0) = pi + (1 - pi) law(0), P(k) = (1 - pi) law(k): softplus(logit) + value where k > 0, and at 0
    softplus(logit) - log(exp(logit) + law(0)). A zero is one of the law itself with probability sigmoid(value's
    negative - logit), which is the share of its slope that stays.
    """
    zero = k == 0
    other = torch.where(zero, torch.sigmoid(logit + value), 0.0)  # that this zero has the other cause
    nll = softplus(logit) + torch.where(zero, -torch.logaddexp(logit.expand_as(value), -value), value)
    own = 1 - other
    return nll, *(slope * own for slope in slopes), torch.sigmoid(logit) - other
