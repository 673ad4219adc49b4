"""A distribution of anybody's completed: what its family has no formula for comes from a table or an integral."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from dlthink.distributions.count import CountDistribution
from dlthink.distributions.integrated import Integrated
from dlthink.distributions.optional_formulas import ask
from dlthink.distributions.tabulated import tabulated


def completed(distribution: Any, shape: torch.Size, whole: bool | None = None, at: Tensor | None = None) -> Any:
    """The distribution with cdf, quantiles and CRPS: its own, or those of a table of counts, or of an integral.

    shape   of the values that it is for
    whole   are these counts? None: as its support says; one without a support stays as it is
    at      of counts: places of the flattened shape, [m]; then that of these distributions, [m, 1]

    What can be neither tabulated nor integrated stays as it is; None instead where only some places are wanted.
    """
    if isinstance(distribution, CountDistribution):
        return distribution if at is None else distribution.at(at)
    support = ask(distribution, "support")
    if whole is None and support is None:
        return distribution
    if support.is_discrete if whole is None else whole:
        table = tabulated(distribution, shape, at)
        return distribution if table is None and at is None else table
    half = None if distribution is None else ask(distribution, "icdf", torch.tensor(0.5, dtype=torch.float64))
    variance = ask(distribution, "variance")
    if half is not None or variance is None or ask(distribution, "mean") is None or not variance.isfinite().any():
        return distribution
    return WithIntegrals(distribution)


@dataclass
class WithIntegrals:
    """A distribution of reals without quantiles: each formula is its family's own, or an integral."""

    own: Any

    @cached_property
    def integrated(self) -> Integrated:
        return Integrated(self.own)

    @property
    def support(self) -> Any:
        return ask(self.own, "support")

    @property
    def mean(self) -> Tensor:
        return self.own.mean

    @property
    def variance(self) -> Tensor:
        return self.own.variance

    @property
    def stddev(self) -> Tensor:
        own = ask(self.own, "stddev")
        return self.variance.sqrt() if own is None else own

    def log_prob(self, value: Tensor) -> Tensor:
        return self.own.log_prob(value)

    def cdf(self, value: Tensor) -> Tensor:
        own = ask(self.own, "cdf", value)
        return self.integrated.cdf(value) if own is None else own

    def icdf(self, value: Tensor) -> Tensor:
        own = ask(self.own, "icdf", value)
        return self.integrated.icdf(value) if own is None else own

    def crps(self, value: Tensor) -> Tensor:
        own = ask(self.own, "crps", value)
        return self.integrated.crps(value) if own is None else own
