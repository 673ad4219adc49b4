"""Counts, and functions of them: looked up in a table where counts are few."""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from dlthink.losses.counts._log_factorial import log_factorial

Function = Callable[..., tuple[Tensor, ...]]


class CountTable:
    """Counts k: [n, n_targets], and functions of a count and of numbers that are the same for all samples.

    A batch holds few different counts. So lgamma(k + 1), and all else that does not depend on the mean, is worked out
    for each count up to the largest and each target, and looked up: an operation costs what its call costs, so fewer
    of them is all that counts in a small step. Where that is no gain (a number for each sample, large counts, few
    samples), where a count is no whole number, or where this cannot be known without waiting (a GPU) or at all (vmap),
    the function is asked about each count, with the same result to rounding.
    """

    def __init__(self, k: Tensor):
        self.k = k
        self.place = None
        if (most := _largest(k)) and not float(k.frac().amax()):
            self.rows, self.log_rows, target = _table(1 << most.bit_length(), k.shape[1], k.dtype)
            self.place = torch.add(target, k.long(), alpha=k.shape[1])  # of a count and target in the table, row by row

    def of(self, function: Function, *numbers: Tensor, table: Function | None = None) -> tuple[Tensor, ...]:
        """function(k, log k!, *numbers), elementwise; numbers: [n_targets] or [n, n_targets].

        table(rows, log rows!, *numbers) is the same for all counts from 0 on, rows: [counts, 1]; None: by function.
        """
        if self.place is None or any(each.ndim > 1 for each in numbers):
            return function(self.k, self.log_factorial, *numbers)
        found = (table or function)(self.rows, self.log_rows, *numbers)
        return tuple(each.expand_as(self.log_rows).take(self.place) for each in found)

    @property
    def log_factorial(self) -> Tensor:
        """log k!"""
        return log_factorial(self.k) if self.place is None else self.log_rows.take(self.place)


def _largest(k: Tensor) -> int:
    """At least 1, the largest count, where a table of all up to it and twice as many has no more rows than k has."""
    if k.ndim != 2 or len(k) < 4 or k.device.type != "cpu" or not k.is_floating_point():
        return 0
    try:
        least, most = (float(one) for one in torch.aminmax(k))
    except RuntimeError:  # under vmap nobody knows them
        return 0
    return max(int(most), 1) if least >= 0 and 2 * most <= len(k) else 0


@lru_cache(maxsize=16)
def _table(rows: int, n_targets: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """0, 1, ..: [rows, 1]; log k!: [rows, n_targets]; 0, 1, ..: [n_targets]."""
    k = torch.arange(rows, dtype=dtype).unsqueeze(-1)
    return k, torch.lgamma(k + 1).repeat(1, n_targets), torch.arange(n_targets)
