"""A batch, an output or a prediction is a tensor, or a dict of tensors: one place that walks both."""

from collections.abc import Callable, Sequence
from typing import Any

import torch


def each(function: Callable[[torch.Tensor], Any], value: Any) -> Any:
    """`function` applied to every tensor of `value`; what is not a tensor passes through."""
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, dict):
        return {key: each(function, item) for key, item in value.items()}
    return value


def join(values: Sequence[Any]) -> Any:
    """The batches of a split put together again along their first dimension."""
    first = values[0]
    if isinstance(first, dict):
        return {key: join([value[key] for value in values]) for key in first}
    return torch.cat(list(values))
