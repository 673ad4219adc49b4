"""Can what a cost reads out be examined? Said in one line before anything is trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dlthink.user_errors import said


def misfit(predicted: dict[str, Any], shapes: dict[str, tuple[int | None, ...]], main: tuple[str, ...]) -> str | None:
    """What is wrong with a quantity that is there: no tensor, or another shape than `shapes` has for it (None: any
    length); or not a number, of those that the examination cannot do without (`main`). None where nothing is.
    """
    for name, shape in shapes.items():
        if name not in predicted:
            continue
        value, words = predicted[name], f"[{', '.join('any' if length is None else str(length) for length in shape)}]"
        if not isinstance(value, Tensor):
            return f"{name} must be a tensor {words}, not a {type(value).__name__}"
        if value.is_complex() or value.dtype == torch.bool:
            return f"{name} must be real numbers, not {str(value.dtype).removeprefix('torch.')}"
        if value.ndim != len(shape) or any(b is not None and a != b for a, b in zip(value.shape, shape, strict=True)):
            return f"{name} has the shape {list(value.shape)} where {words} is examined"
        if name in main and not bool(torch.isfinite(value).all()):
            lost = int((~torch.isfinite(value)).sum())
            return f"{name} is not finite in {lost} of {value.numel()} places though nothing was trained yet"
    return None


def no_distribution(distribution: Any, y: Tensor) -> str | None:
    """What is wrong with a distribution of y: [n, n_targets], one for each number of it. None where nothing is."""
    if isinstance(distribution, type):
        return f"distribution is the class {distribution.__name__}: read out one of it, {distribution.__name__}(...)"
    if not callable(getattr(distribution, "log_prob", None)):
        return f"distribution must be one, as those of torch.distributions are, not a {type(distribution).__name__}"
    try:
        found = distribution.log_prob(y)
    except NotImplementedError:  # then what asks for it is nan
        return None
    except (ValueError, RuntimeError, TypeError) as error:
        return f"distribution.log_prob(y) fails: {said(error)}"
    if not isinstance(found, Tensor) or found.shape != y.shape:
        shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
        return f"distribution.log_prob(y) has the shape {shape} where {list(y.shape)} is examined: one for each target"
    return None
