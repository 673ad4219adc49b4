"""A batch, an output or what is known of samples: tensors, lists, and dicts of these. One place that walks them."""

from collections.abc import Callable, Sequence
from itertools import chain
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
    """The batches of a split put together again along their first dimension; None of what there is none of."""
    first = values[0]
    if first is None:
        return None
    if isinstance(first, dict):
        return {key: join([value[key] for value in values]) for key in first}
    if isinstance(first, list):
        return list(chain.from_iterable(values))
    return torch.cat(list(values))


def rows(value: Any) -> int:
    """How many rows a batch has: the length of its first tensor."""
    return rows(next(iter(value.values()))) if isinstance(value, dict) else len(value)
