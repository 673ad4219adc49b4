"""Where is the cost smallest? A free answer for each group of samples, found on a big sample."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn

from dlthink.checks.functionals import Groups
from dlthink.distributions import optional_formulas
from dlthink.protocols import Loss
from dlthink.training import rng
from dlthink.training.terms import twin

STEPS, TRIES = 50, 6  # of a search, and how often it goes on
STILL = 2e-3  # standard deviations: what has moved less in `LATELY` steps has come to rest
LATELY = 15
BEYOND = 1e7  # answers: nobody's true answer lies there
OUT = 100.0  # times the largest target, or 10: who has got there and still gains has no end to come to
FAR = (-100.0, 100.0)  # how far out each output alone is tried
ALONE = 24  # outputs that are tried alone, at most
POLISH = 40  # evaluations of L-BFGS
AGAIN, FEWER = 4, 15  # other draws of a cost that draws by chance, for each of which so few evaluations follow
SURE = 3.0  # standard errors
ON, LITTLE = 1e4, 0.05  # times as far on a way without end; of the cost: what is gained there at most


@dataclass
class Minimum:
    """The answers [groups, columns] at which a cost is smallest, and what it reads in them."""

    answers: Tensor
    value: float
    predicted: dict[str, Any]  # by `predict`: a row a group
    bounded: bool  # False: the cost falls without end
    settled: bool  # False: it had not come to rest
    noise: float = 0.0  # standard error of what is read out, in standard deviations, where the cost draws by chance

    def allowed(self, tolerance: float, times: float = 1.0) -> float:
        """A tolerance, in standard deviations times `times`, that chance alone does not exceed."""
        return tolerance + SURE * times * self.noise


def minimise(loss: nn.Module, groups: Groups, start: Tensor, sign: float = 1.0) -> Minimum:
    """The smallest cost over one free answer per group, and over the weights of the cost itself.

    By the signs of the gradient first (Rprop: Riedmiller & Braun 1993, ICNN), which asks for neither a unit nor a slope
    that belongs to the value, so that stopped gradients are followed as a network would; then by L-BFGS, kept where it
    makes the gradient smaller. sign=-1: where it is largest.
    """
    cost = twin(loss).train()
    answers = start.clone().requires_grad_()
    opponent = Loss.adversary.of(cost)
    opposing = {id(p) for p in opponent.parameters()} if opponent is not None else set()
    free = [answers, *(p for p in cost.parameters() if p.requires_grad and id(p) not in opposing)]
    draws = [rng.state()]

    def ask(slopes: bool = True) -> Tensor:
        rng.restore(draws[-1])
        for one in free:
            one.grad = None
        total = sign * reduce(add, cost(answers.index_select(0, groups.group), groups.y).values())
        if slopes and total.requires_grad:
            total.backward()
        return total

    spread, settled, bounded, value = groups.std.clamp(min=1e-12), False, True, math.nan
    search = torch.optim.Rprop(free, lr=0.1, step_sizes=(1e-10, 1e6))
    try:
        for _ in range(TRIES):
            for step in range(STEPS):
                value = float(ask().detach())
                if not math.isfinite(value) or float(answers.detach().abs().max()) > BEYOND:
                    bounded = False
                    break
                search.step()
                if step == STEPS - LATELY:
                    before = read(cost, answers.detach())
            if not bounded:
                break
            settled = _still(before, read(cost, answers.detach()), spread)
            if settled:
                break
    except Exception:  # of who has run off: a spread that has become 0, say
        if float(answers.detach().abs().max()) < max(FAR):
            raise
        bounded = False
    if bounded:
        value = _polish(ask, free)
        far_out = OUT * max(10.0, float(groups.y.abs().max()))
        ends = _Limit(lambda out: _numbers(read(cost, out)), spread)
        bounded = _has_an_end(ask, answers, start, value, far_out, ends)
    noise = 0.0
    if bounded and _draws(ask, draws[0]):
        noise = _average(ask, free, answers, draws, lambda: read(cost, answers.detach()), spread)
    found = answers.detach().clone()
    with torch.no_grad():
        fitted = twin(cost).eval()
        if bounded:
            Loss.fit_on_validation.of(fitted)(found[groups.group], groups.y)
        predicted = fitted.predict(found) if bounded else {}
        centres = [predicted[name] for name in ("mean", "rate") if name in predicted]
        bounded = bounded and all(bool(one.isfinite().all()) for one in centres)
        return Minimum(found, value, predicted, bounded, settled, noise)


def read(cost: nn.Module, answers: Tensor) -> dict[str, Any]:
    """What the cost reads in these answers."""
    with torch.no_grad():
        return twin(cost).eval().predict(answers.clone())  # which go on changing


def _draws(ask: Callable[[], Tensor], before: dict[str, Any]) -> bool:
    """Does the cost draw by chance?"""
    ask()
    after = rng.state()
    return not torch.equal(before["torch"], after["torch"]) or any(before[n] != after[n] for n in ("python", "numpy"))


def _average(
    ask: Callable[[], Tensor],
    free: list[Tensor],
    answers: Tensor,
    draws: list[dict[str, Any]],
    look: Callable[[], dict[str, Any]],
    spread: Tensor,
) -> float:
    """Of a cost that draws: the minimum of other draws too, and all of these averaged. Returns its noise."""
    places, seen = [[one.detach().clone() for one in free]], [look()]
    for other in range(1, AGAIN + 1):
        rng.seed(other)
        draws.append(rng.state())
        _polish(ask, free, FEWER)
        places.append([one.detach().clone() for one in free])
        seen.append(look())
    with torch.no_grad():
        for one, several in zip(free, zip(*places, strict=True), strict=True):
            one.copy_(torch.stack(several).mean(0))
    noise = 0.0
    for name, value in seen[0].items():
        if isinstance(value, Tensor) and value.shape == spread.shape:
            apart = torch.stack([one[name].double() for one in seen]).std(0) / spread
            noise = max(noise, float(apart.square().mean().sqrt()) / len(seen) ** 0.5)
    return noise


def _polish(ask: Callable[[], Tensor], free: list[Tensor], most: int = POLISH) -> float:
    """A search that knows curvature, from here; taken back where it leaves the gradient larger. The cost there."""
    value = float(ask().detach())
    before, size = [one.detach().clone() for one in free], _size(free)
    search = torch.optim.LBFGS(free, max_iter=most, max_eval=most, line_search_fn="strong_wolfe", history_size=20)
    try:
        search.step(ask)
        after = float(ask().detach())
    except Exception:  # a line search may ask far away, where the cost says no
        after = math.nan
    if not (math.isfinite(after) and _size(free) < size):
        with torch.no_grad():
            for one, old in zip(free, before, strict=True):
                one.copy_(old)
        return value
    return after


def _size(free: list[Tensor]) -> float:
    return math.sqrt(sum(float(one.grad.square().sum()) for one in free if one.grad is not None))


class _Limit:
    """Is a way that never ends one of a family that ends in another: a negative binomial in Poisson's law, Student's t
    in a normal one? Then what is read out has come to rest, and little is gained however far one goes."""

    def __init__(self, look: Callable[[Tensor], dict[str, Tensor]], spread: Tensor):
        self.look, self.spread = look, spread

    def reached(self, at: Callable[[Tensor], float], value: float, here: Tensor, there: Tensor) -> bool:
        """value: the cost here. A way on is from here to there, and on."""
        try:
            rests = _still(self.look(here), self.look(there), self.spread)
        except Exception:  # so far out a distribution may not exist
            return False
        return rests and not value - _or_nan(at, here + ON * (there - here)) > LITTLE * max(1.0, abs(value))


def _numbers(predicted: dict[str, Any]) -> dict[str, Any]:
    """What is read out, with the spread of the distribution among it."""
    variance = optional_formulas.ask(predicted.get("distribution"), "variance")
    return predicted if variance is None else predicted | {"spread": variance.sqrt()}


def _has_an_end(
    ask: Callable[..., Tensor], answers: Tensor, start: Tensor, value: float, far_out: float, limit: _Limit
) -> bool:
    """Is it no lower ten times as far on the same way, nor far out along any one output? Of many, `ALONE` are tried.

    A cost that has an infimum and no minimum (1 / s of a spread s) gains less and less: there the way that it has come
    says it.
    """
    here, way = answers.detach().clone(), answers.detach() - start

    def at(there: Tensor, slopes: bool = False) -> float:
        with torch.no_grad():
            answers.copy_(there)
        return float(ask(slopes).detach())

    aside = torch.eye(here.shape[1], dtype=here.dtype)
    aside = aside[:: math.ceil(len(aside) / ALONE)]
    ways = [(start, 10 * way), *((here, far * one) for one in aside for far in FAR)]
    half_way = torch.where(here.abs() > far_out / 10, here / 2, here)
    try:
        gains = float(here.abs().max()) > far_out and _or_nan(at, start + way / 10) - value > 1e-7
        if gains and not limit.reached(at, value, half_way, here):
            return False
        for begin, there in ways:
            if _or_nan(at, begin + there) < value - 1e-6 * max(1.0, abs(value)):
                at(begin + there, slopes=True)
                onward = float((answers.grad * there).sum()) < 0  # stopped gradients may lead back from a lower value
                if onward and not limit.reached(at, value, here, begin + there):
                    return False
    finally:
        with torch.no_grad():
            answers.copy_(here)
    return True


def _or_nan(at: Callable[[Tensor], float], there: Tensor) -> float:
    """The cost there, nan where it ends by an exception: so far out nobody stays."""
    try:
        return at(there)
    except Exception:
        return math.nan


def _still(before: dict[str, Any], after: dict[str, Any], spread: Tensor) -> bool:
    """Is what is read out the same, in standard deviations of the groups?"""
    for name, value in after.items():
        if isinstance(value, Tensor) and value.shape == spread.shape:
            moved = ((value - before[name]).abs() / spread).max()
            if not float(moved) <= STILL:
                return False
    return True
