"""Targets that are numbers, one by one: counts and reals. What is asked of both."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlthink.checks import elicitation
from dlthink.checks.claim import asks_for
from dlthink.checks.elicitation import LEVELS, centre, spread
from dlthink.checks.extremes import check_flat
from dlthink.checks.finding import Finding, Report
from dlthink.checks.functionals import NEAR
from dlthink.checks.gradients import check_dead
from dlthink.checks.kinds.kind import Case, Kind, Make, made, noise
from dlthink.checks.landscape import Landscape
from dlthink.checks.likelihood import check_log_score
from dlthink.checks.minimum import Minimum, minimise, read
from dlthink.checks.outliers import check_outliers
from dlthink.checks.predict_mismatch import predict_mismatch
from dlthink.checks.question import question
from dlthink.checks.reduction import check_alone, check_reduction, check_row_by_row
from dlthink.checks.scalar_landscape import over_answers
from dlthink.checks.spare_term import check_terms
from dlthink.checks.truth import Truth
from dlthink.checks.units import check_units
from dlthink.protocols import Loss

FIRST = 64  # samples of a first batch
ENOUGH = 3  # of them right under a foreign truth make a cost of quantiles
CLOSE = 0.1  # a spread on samples of another family: as near is told, farther fails


@dataclass
class Found:
    """What was found where the cost is smallest: on an even truth, on a skewed one, on its own distributions."""

    even: tuple[Truth, Minimum]
    skewed: tuple[Truth, Minimum]
    own: tuple[Truth, Minimum] | None
    proper: bool
    word: str = ""  # what it elicits


class Scalars(Kind):
    """Counts or reals: y [n, n_targets], answers [n, n_targets * outputs_per_target]."""

    pictured: int  # group whose landscape is drawn
    whole: bool  # are they whole numbers?
    has_unit: bool  # is there another unit to measure them in?
    is_mean: bool  # is what is read out a mean by its name?
    most = math.inf  # no target is larger

    def narrower(self) -> Sequence[Scalars]:
        """The same kind with samples for costs that do not take all of these targets."""
        return ()

    def fitted(self, make: Make) -> Scalars:
        """The first of this kind and narrower ones all of whose targets the cost takes; none: this one."""
        return next((kind for kind in (self, *self.narrower()) if kind.suits(make)), self)

    def suits(self, make: Make) -> bool:
        """Is the cost finite for all of these targets, at first answers?"""
        truths = self.even(), self.skewed()
        try:
            case = self.case(make)
            for truth in truths:
                out = case.out[torch.arange(len(truth.y)) % len(case.out)]
                with torch.no_grad():
                    if not all(bool(term.isfinite()) for term in case.loss(out, truth.y.float()).values()):
                        return False
            return True
        except Exception:  # whatever a cost says of targets that it is not for; the questions that follow show the rest
            return False

    def even(self) -> Truth:
        """The truth that most costs of this kind were made for, with a spread of its own in each group."""
        raise NotImplementedError

    def skewed(self) -> Truth:
        """Another one, on which mean, median and mode differ, or which scatters more."""
        raise NotImplementedError

    def scale(self, truth: Truth) -> Tensor:
        """In which a centre is judged: [groups, n_targets]."""
        raise NotImplementedError

    def case(self, make: Make) -> Case:
        truth = self.even()
        loss = made(make, self.facts())
        y = truth.y.float()
        Loss.prepare.of(loss)(y)
        out = noise(FIRST, truth.y.shape[1] * loss.outputs_per_target, seed=1, size=0.5).float()
        return Case(loss, out, y[:FIRST])

    def outliers(self, y: Tensor) -> Tensor:
        far = y.clone()
        far[::5] = self.possible(y.mean(0) + 10 * y.std(0))
        return far

    def possible(self, y: Tensor) -> Tensor:
        """The nearest targets that there can be."""
        return (y.round() if self.whole else y).clamp(max=self.most)

    def landscape(self, make: Make, name: str) -> Landscape:
        whole = self.even()
        few = whole.y[whole.group == self.pictured, :1][::5]
        truth = Truth(few, torch.zeros(len(few), dtype=torch.long), whole.name)
        loss = elicitation.prepared(made(make, self.facts(1)), whole.y[:, :1]).eval()
        return over_answers(loss, truth, self.going_off(truth), name, "rate" if self.whole else "mean")

    def going_off(self, truth: Truth) -> Tensor:
        """Targets from the middle to ten standard deviations out: [m]."""
        raise NotImplementedError

    def examined(self, make: Make, case: Case, report: Report) -> Iterator[Finding]:
        asked = case.asked
        yield from check_dead(asked, self.name)
        yield from check_flat(asked)
        yield from check_reduction(asked)
        yield from check_alone(asked)
        yield from check_row_by_row(case.single)
        ranged = list(self._range(case))
        yield from ranged
        if any(finding.outcome == "failed" for finding in ranged):
            return
        found = yield from self.elicited(make, report)
        if found is not None:
            yield from check_log_score(self, make, *found.even, self.whole)

    @question("range", "failed", "what is read out ends the run")
    def _range(self, case: Case) -> Iterator[Finding]:
        """Can what is read out of any answers be what it is called?"""
        said = read(case.loss, noise(FIRST, case.out.shape[1], seed=6, size=2.0).float())
        name, wide, least = "range", spread(said), float(centre(said).min())
        if wide is not None and not bool((wide > 0).all()):
            why = f"a spread that is read out can be {float(wide.min()):.2g}: a network says any number"
            yield Finding(name, "failed", why, "a link makes it positive: softplus(out), exp(out)")
            return
        if self.whole and least < 0:
            why = f"a rate that is read out can be {least:.2g}, below zero"
            yield Finding(name, "told", why, "a link makes it positive, exp(out) or softplus(out)")
            return
        yield Finding(name, "passed", "whatever the network answers, what is read out has a meaning")

    @question("asks for")
    def elicited(self, make: Make, report: Report) -> Iterator[Finding]:
        """What the cost asks for. Returns what was found, or None where nothing is smallest."""
        even, skewed = self.even(), self.skewed()
        loss = elicitation.prepared(made(make, self.facts()), even.y)
        start = elicitation.first(torch.empty(even.size, even.y.shape[1] * loss.outputs_per_target))
        first = minimise(loss, even, start)
        if not first.bounded:
            yield from elicitation.check_said(read(loss, start))  # which may be why
            yield from elicitation.check_minimum(loss, even, first, start, self.scale(even))
            return None
        other = elicitation.prepared(made(make, self.facts()), skewed.y)
        second = minimise(other, skewed, start)
        if not second.bounded:
            yield from elicitation.check_minimum(other, skewed, second, start, self.scale(skewed))
            return None
        speaks = _differs(spread(read(loss, noise(8, start.shape[1], seed=4)))) or _differs(spread(first.predicted))
        own, proper = (yield from self._proper(loss, start) if speaks else ()) or (None, False)
        found = Found((even, first), (skewed, second), own, proper)
        lines = [*self._centre(loss, found, speaks, report), *self._spread(found, speaks)]
        yield from lines
        if any(line.outcome == "failed" for line in lines):
            yield from check_terms(loss, even, start, lambda other: self._right(even, other, speaks))
        if self.has_unit:
            yield from check_units(self, make, even, first, start)
        yield from self._beside(make, loss, even, start)
        if self.most == math.inf:
            yield from check_outliers(loss, even, first, self.possible)
        return found

    def _beside(self, make: Make, loss: nn.Module, truth: Truth, start: Tensor) -> Iterator[Finding]:
        """What comes with targets of this kind alone, beside their values."""
        return iter(())

    def _right(self, truth: Truth, found: Minimum, speaks: bool) -> bool:
        """Is its mean or median, and its spread if it has one, read out there?"""
        if speaks and float((ratios(truth, found) - 1).abs().max()) > found.allowed(elicitation.SPREAD):
            return False
        return elicitation.named(found, truth, self.scale(truth)).word in ("mean", "median")

    @question("proper score")
    def _proper(
        self, loss: nn.Module, start: Tensor
    ) -> Generator[Finding, None, tuple[tuple[Truth, Minimum] | None, bool]]:
        """Its own distributions, found again or not, and whether that is what a proper score finds."""
        answers = noise(4, start.shape[1], seed=5, size=0.5)
        findings, truth, third = elicitation.check_proper(loss, answers, self.whole)
        yield from findings
        if truth is None or third is None:
            return None, False
        if not third.bounded:
            yield from elicitation.check_minimum(loss, truth, third, elicitation.first(answers), self.scale(truth))
        return (truth, third), any(f.check == "proper score" and f.outcome == "passed" for f in findings)

    @question("asks for")
    def _centre(self, loss: nn.Module, found: Found, speaks: bool, report: Report) -> Iterator[Finding]:
        here, fails = elicitation.check_centre(
            *found.skewed, found.even, self.scale(found.skewed[0]), self.scale(found.even[0]), self.is_mean
        )
        word, text = here.word, here.text
        where = f"on samples of {found.skewed[0].name} it finds {text}"
        if speaks and found.proper:
            right = self._right_levels(*found.skewed)
            if len(right) >= ENOUGH and not self.whole:
                word, where = (
                    "quantiles",
                    f"of any samples the quantiles {', '.join(f'{p:g}' for p in right)} are right",
                )
            else:
                word, where = "whole distribution", f"the whole distribution, within its family; {where}"
            fails = False
        shared = fails and elicitation.right_alone(loss, *found.skewed, self.scale(found.skewed[0]))
        report.elicits = found.word = word = "mean" if shared else word
        if shared:
            why = f"the mean of one distribution alone; its own weights are shared by all, and {where}"
            cure = "its family is another; read out its `distribution`, and it is asked in its own"
            yield asks_for(loss, word, why, "told", cure)
        elif fails:
            noun = "rate" if self.whole else "mean"
            where = f"not for the {noun} that it reads out: {where}"
            cure = (
                f"compare {noun} and y as they are, ({noun} - y)^2, or by a likelihood of y with all that belongs to "
                f"it: where a function of them is compared, or {noun} divides, the cost is smallest elsewhere"
            )
            truth, best = found.even
            if word == "nothing" and text.startswith("the mean "):
                cure = (
                    "a factor or a constant too many: does each of target and answer stand in the cost once, as it is?"
                )
            elif spread(found.even[1].predicted) is not None and found.own is None:
                cure = f"{cure}. Is it a likelihood? Read out its `distribution`, and it is asked in its own family"
            elif why := predict_mismatch(truth, best, self.scale(truth)):
                where, cure = f"{where}; {why[0]}", why[1]
            yield asks_for(loss, word, where, "failed", cure, level=here.level)
        elif word in ("mean", "whole distribution", "quantiles"):
            yield asks_for(loss, word, where, "passed", has_distribution=found.own is not None)
        else:
            say = f'if that is what you want, say so in its docstring: "Elicits the {word}."'
            if word == "nothing":
                say = "it depends on how targets are distributed; what has a name: loss=mae, loss=mse, a likelihood"
            yield asks_for(loss, word, where, "told", say, has_distribution=found.own is not None, level=here.level)

    def _right_levels(self, truth: Truth, found: Minimum) -> list[float]:
        """The levels at which quantiles that are read out are those of a truth that is not of its family."""
        distribution, right = found.predicted["distribution"], []
        for level in LEVELS:
            try:
                said = distribution.icdf(torch.tensor(level, dtype=torch.float64)).double()
            except NotImplementedError:
                return []
            if float(((said - truth.quantile(level)) / truth.std).abs().max()) <= found.allowed(2 * NEAR):
                right.append(level)
        return right

    def _spread(self, found: Found, speaks: bool) -> Iterator[Finding]:
        """Does it say how targets scatter about their mean?"""
        raise NotImplementedError


def ratios(truth: Truth, found: Minimum) -> Tensor:
    """The spread read out over the true one: [groups, n_targets]."""
    said = spread(found.predicted)
    return torch.full_like(truth.std, float("nan")) if said is None else said / truth.std


def _differs(said: Tensor | None) -> bool:
    """Does a spread that is read out follow the network's answers? Not where there is none."""
    return said is not None and bool((said.std(0) > 1e-3 * said.mean(0)).all())
