"""Ask a distribution of anybody's: dlthink's, torch's, or one of the user's own, which may know less."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

STAND_INS = (0.0, 1.0, 0.5)  # one of them lies in any support: of counts, of positive numbers, of shares


def ask(distribution: Any, name: str, *given: Any) -> Any:
    """What it says of `given` by that method, or by that attribute; None where its family has no such formula.

    Torch's families have every method, and raise NotImplementedError for what they cannot do.
    """
    try:
        answer = getattr(distribution, name, None)
        return answer(*given) if callable(answer) else answer
    except NotImplementedError:
        return None


def log_prob(distribution: Any, value: Tensor) -> Tensor | None:
    """The log probability or density of value, -inf outside of the support, where torch's families raise ValueError."""
    support = ask(distribution, "support")
    inside = torch.ones((), dtype=torch.bool) if support is None else support.check(value)
    if bool(inside.all()):
        return ask(distribution, "log_prob", value)
    value = value.expand(inside.shape)
    for other in STAND_INS:
        value = torch.where(support.check(value), value, other)
    found = ask(distribution, "log_prob", value)
    return None if found is None else torch.where(inside, found, -math.inf)
