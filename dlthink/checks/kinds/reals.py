"""Real numbers: normal ones with a mean and spread of their own, and skewed ones; for costs that need it, positive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dlthink.checks.elicitation import SPREAD, spread
from dlthink.checks.finding import Finding, Report
from dlthink.checks.kinds.kind import Case, Make
from dlthink.checks.kinds.scalars import CLOSE, Found, Scalars, ratios
from dlthink.checks.missing import check_missing
from dlthink.checks.question import question
from dlthink.checks.truth import Truth, gathered, normal, skewed, skewed_mode

N = 1000  # samples of each group
POWER = 0.01  # by which a power of the true spread may be missed
TINY = 0.1  # of the true spread: as good as none
PLACES = ((-1.0, 0.4), (0.0, 0.4), (0.0, 1.2), (1.5, 0.8))  # of each group, in these
SHAPES = ((-0.5, 0.5, 0.5), (-0.5, 0.9, 0.9), (0.5, -0.6, 0.5), (0.8, 0.3, 0.7))  # median, scale, skewness


class RealNumbers(Scalars):
    """y in units of its own: two targets, one about 100, the other about 0.2."""

    name, whole, has_unit, is_mean = "reals", False, True, False
    units = ((100.0, 30.0), (0.2, 0.01))  # mean and spread of the two targets: parts per million, and shares

    beside = ("gaussian_nll", "mse", "mae")
    pictured, pictured_as = 1, "Expected cost over the answers to samples of one normal distribution"

    def narrower(self) -> Sequence[RealNumbers]:
        return Positive(), Shares()

    def facts(self, n: int = 2) -> dict[str, Any]:
        return {"n_targets": n, "unit": "", "target": "y", "names": ["a", "b"][:n]}

    def even(self) -> Truth:
        columns = [[normal(N, a + b * mean, b * std) for a, b in self.units] for mean, std in PLACES]
        return gathered(columns, "normal distributions")

    def skewed(self) -> Truth:
        columns, modes = [], []
        for middle, scale, shape in SHAPES:
            columns.append([skewed(N, a + b * middle, b * scale, shape) for a, b in self.units])
            modes.append([skewed_mode(a + b * middle, b * scale, shape) for a, b in self.units])
        return gathered(columns, "skewed distributions", torch.tensor(modes, dtype=torch.float64))

    def _beside(self, make: Make, loss: nn.Module, truth: Truth, start: Tensor) -> Iterator[Finding]:
        return check_missing(self, make, truth, start)

    def going_off(self, truth: Truth) -> Tensor:
        return truth.mean.flatten() + truth.std.flatten() * torch.linspace(-10, 10, 101, dtype=torch.float64)

    def scale(self, truth: Truth) -> Tensor:
        return truth.std

    @question("spread")
    def _spread(self, found: Found, speaks: bool) -> Iterator[Finding]:
        name = "spread"
        if spread(found.even[1].predicted) is None:
            none = "it says nothing of how targets scatter: interval, NLL and calibration cannot be examined"
            cure = "read out a std too, or a distribution; compare with loss=gaussian_nll, loss=quantile"
            if "distribution" in found.even[1].predicted:
                none = (
                    "what is read out has neither a finite variance nor quantiles (icdf): interval and calibration "
                    "cannot be examined"
                )
                cure = "give the distribution an icdf, or read out a family that has one; compare with loss=student_t"
            yield Finding(name, "told", none, cure)
            return
        if not speaks:
            yield Finding(
                name,
                "told",
                "blind to it: groups that scatter three times as much get the same spread, one for all",
                "compare with loss=gaussian_nll, loss=crps or loss=quantile, which have a spread for each answer",
            )
            return
        ratio = ratios(*found.even)
        least, most = ratio.min().item(), ratio.max().item()
        like = found.even[1].allowed(SPREAD)
        if least >= 1 - like and most <= 1 + like:
            yield Finding(name, "passed", "right in each group of normal samples, whether they scatter much or little")
        elif found.proper or max(abs(least - 1), abs(most - 1)) <= CLOSE:
            said = " to ".join(dict.fromkeys(f"{share:.2g}" for share in (least, most)))
            yield Finding(
                name,
                "told",
                f"on normal samples the spread that is read out is {said} of the true one: its family is another",
                "" if found.proper else "read out its distribution, and the spread is asked about in its own family",
            )
        else:
            worst = least if abs(least - 1) > abs(most - 1) else most
            yield Finding(
                name,
                "failed",
                f"on normal samples the spread that is read out is {worst:.2g} of the true one",
                _cure(ratio, found.even[0].std),
            )


class Positive(RealNumbers):
    """Targets above zero, for costs that take their logarithm."""

    units = ((100.0, 10.0), (0.2, 0.02))
    only = "positive targets: at one of zero or below it is not finite"

    def examined(self, make: Make, case: Case, report: Report) -> Iterator[Finding]:
        yield Finding("targets", "told", f"asked about {self.only}", "are all of yours?")
        yield from super().examined(make, case, report)


class Shares(Positive):
    """Targets between zero and one."""

    has_unit = False
    units = ((0.3, 0.02), (0.2, 0.02))
    only = "targets between 0 and 1: beyond them it is not finite"


def _cure(ratio: Tensor, std: Tensor) -> str:
    """Where to look, by the spread that is read out over the true one and that true one: [groups, n_targets]."""
    least, most = ratio.min().item(), ratio.max().item()
    if least < TINY and most <= 1 + SPREAD:
        return (
            "each step makes it smaller: is the sign of a term wrong, or are the quantiles the wrong way round "
            "(max(p e, (p - 1) e) with e = y - q)?"
        )
    same = "do forward and predict read the same columns by the same link and floor?"
    if most - least <= SPREAD * most:
        return (
            f"a factor is wrong, the same everywhere: is 1/2 where it belongs, is log of the spread whole, and each "
            f"normalizer of what is learned beside it? Or {same}"
        )
    power = 1 + _power(ratio, std)
    if abs(power - 2) <= POWER:
        return "a variance read out as a spread: it goes with the square of the true one. Take its root, exp(out / 2)"
    if abs(power - 0.5) <= POWER:
        return (
            "the root of a spread read out: it goes with the root of the true one. It is no variance, take it as it is"
        )
    return (
        f"is a variance read out as a spread, or a spread as a variance? Is all of the normalizer there, and a weight "
        f"that follows the answers detached? Or {same}"
    )


def _power(ratio: Tensor, std: Tensor) -> float:
    """p of ratio ~ std ** p between groups; nan where it is no power."""
    x, y = (one.log() - one.log().mean(0) for one in (std, ratio))
    power = (x * y).sum() / x.square().sum()
    return float(power) if bool((y - power * x).abs().max() <= POWER) else float("nan")
