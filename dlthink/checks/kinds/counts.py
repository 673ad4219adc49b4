"""Counts: Poisson about known rates, and others that scatter more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dlthink.checks.elicitation import SPREAD, spread
from dlthink.checks.exposure import check_exposure
from dlthink.checks.finding import Finding, Report
from dlthink.checks.kinds.kind import Case, Make, noise
from dlthink.checks.kinds.scalars import CLOSE, Found, Scalars, ratios
from dlthink.checks.question import question
from dlthink.checks.truth import Truth, counts, gathered, levels, negative_binomial, poisson

N = 500  # samples of each group
RATES = ((0.3, 1.0), (2.0, 0.6), (6.0, 2.5))  # of each group, of the two targets
FEW = 1.0  # of the r of a negative binomial: variance mean + mean^2
MOST = 200


class Counts(Scalars):
    """y in counts per bin: two targets."""

    name, whole, has_unit, is_mean = "counts", True, False, True
    rates, most = RATES, math.inf
    beside = ("poisson", "mse", "negative_binomial")
    pictured, pictured_as = 1, "Expected cost over the answers to counts of one Poisson distribution"

    def narrower(self) -> Sequence[Counts]:
        return Few(), Zeros()

    def facts(self, n: int = len(RATES[0])) -> dict[str, Any]:
        most = int(max(truth.y.max() for truth in (self.even(), self.skewed())))
        names = [f"unit {i}" for i in range(n)]
        return {"n_targets": n, "units": names, "bin": 0.05, "n_in": 4, "window": 1, "largest_count": most}

    def even(self) -> Truth:
        most = int(min(self.most, MOST))
        return gathered([[counts(N, poisson(rate), most) for rate in rates] for rates in self.rates], "Poisson counts")

    def skewed(self) -> Truth:
        most = int(min(self.most, MOST))
        columns = [[counts(N, negative_binomial(rate, FEW), most) for rate in rates] for rates in self.rates]
        return gathered(columns, "counts that scatter more than Poisson")

    def _beside(self, make: Make, loss: nn.Module, truth: Truth, start: Tensor) -> Iterator[Finding]:
        if "counts with exposure" in loss.targets:
            yield from check_exposure(loss, noise(64, start.shape[1], seed=8, size=0.3))

    def going_off(self, truth: Truth) -> Tensor:
        return torch.arange(min(math.ceil(truth.mean + 10 * truth.std), self.most) + 1, dtype=torch.float64)

    def scale(self, truth: Truth) -> Tensor:
        return truth.mean

    @question("spread")
    def _spread(self, found: Found, speaks: bool) -> Iterator[Finding]:
        name = "spread"
        if spread(found.even[1].predicted) is None or not speaks:
            right = "the right mean, and " if found.word == "mean" else ""
            yield Finding(
                name,
                "told",
                f"{right}blind to spread: how counts scatter about it, twice as much say, changes nothing",
                "compare with loss=poisson, a likelihood: it reads out a distribution",
            )
            return
        plain, wild = ratios(*found.even), ratios(*found.skewed)
        worst = plain.flatten()[plain.log().abs().argmax()].item()
        like, likewise = found.even[1].allowed(SPREAD), found.skewed[1].allowed(SPREAD)
        if abs(worst - 1) > like:
            wide = wild.min().item() >= 1 - likewise and wild.max().item() <= 1 + likewise
            yield Finding(
                name,
                "told" if found.proper or (wide and abs(worst - 1) <= CLOSE) else "failed",
                f"on Poisson counts the spread that is read out is {worst:.2g} of the true one"
                + (", right where they scatter more: its family ends near Poisson" * wide),
                ""
                if wide or found.proper
                else "a count of rate m has variance m, if it is Poisson. Is all of -log p in the cost? What "
                "is learned beside the rate needs its normalizer, lgamma(k + r) - lgamma(r) say",
            )
            return
        worst = wild.flatten()[wild.log().abs().argmax()].item()
        if abs(worst - 1) > likewise:
            yield Finding(
                name,
                "told",
                f"right on Poisson counts; where counts scatter more it reads out {worst:.2g} of the true spread",
                "where they do, compare with a family that has a dispersion",
            )
        else:
            yield Finding(name, "passed", "right on Poisson counts, and on counts that scatter more")


class Few(Counts):
    """Counts below ten, for costs of so many and no more."""

    rates, most = ((0.3, 1.0), (1.0, 0.6), (2.0, 1.5)), 9
    only = "counts up to 9: larger ones it does not take"

    def examined(self, make: Make, case: Case, report: Report) -> Iterator[Finding]:
        yield Finding("targets", "told", f"asked about {self.only}", "are all of yours?")
        yield from super().examined(make, case, report)


class Zeros(Few):
    """0 and 1: whether anything happened."""

    shares, most = ((0.1, 0.5), (0.3, 0.2), (0.7, 0.4)), 1
    only = "zeros and ones: larger counts it does not take"

    def even(self) -> Truth:
        return self._of(self.shares)

    def skewed(self) -> Truth:
        return self._of([[1 - share / 2 for share in shares] for shares in self.shares])

    def _of(self, shares: Sequence[Sequence[float]]) -> Truth:
        return gathered([[(levels(N) > 1 - p).double() for p in group] for group in shares], "zeros and ones")

    def _spread(self, found: Found, speaks: bool) -> Iterator[Finding]:
        return iter(())  # it follows from the mean
