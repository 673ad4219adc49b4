"""log k!, which no parameter changes: worked out once for a batch, however often it is asked about."""

import weakref
from collections.abc import Callable

import torch
from torch import Tensor

_kept: tuple[Callable[[], Tensor | None], int, Tensor | None] = (lambda: None, 0, None)  # counts, version, log k!


def log_factorial(k: Tensor) -> Tensor:
    """lgamma(k + 1), elementwise and exact; not to be written into.

    A search along a line (L-BFGS) asks about one batch a hundred times, and this is a quarter of each time. So it is
    kept for the last tensor asked about, for as long as that lives and nobody writes into it.
    """
    global _kept
    if torch.compiler.is_compiling() or k.is_inference():  # nobody counts its changes
        return torch.lgamma(k + 1)
    of, version, found = _kept
    if found is None or of() is not k or version != k._version:
        found = torch.lgamma(k + 1)
        _kept = weakref.ref(k, _forget), k._version, found
    return found


def _forget(of: weakref.ref) -> None:
    global _kept
    if _kept[0] is of:
        _kept = lambda: None, 0, None
