"""What does an answer say of a distribution? Its mean, its median, a quantile, ...: named by comparing with samples."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

NEAR = 0.02  # in units of `scale`: what counts as the same answer
LEVEL = 0.02  # by which levels of a quantile or expectile may differ between groups

WORDS = (  # what a docstring may say a cost elicits; longer ones first
    "centre between median and mean",
    "whole distribution",
    "mean",
    "median",
    "mode",
    "quantiles",
    "quantile",
    "expectile",
    "ranking",
    "neighbours",
    "nearness",
    "translation",
    "way back",
    "transformed mean",
    "nothing",
)


def claimed(docstring: str | None) -> str | None:
    """What a cost says that it elicits: the first known word behind `Elicits` in its docstring."""
    text = _said(docstring)
    places = {word: found.start() for word in WORDS if (found := re.search(rf"\b{word}\b", text))}
    return min(places, key=lambda word: (places[word], -len(word)), default=None)


def claimed_level(docstring: str | None) -> float | None:
    """The level of the quantile or expectile that a cost says it elicits, as 0.9 or 90 %; None where it says none."""
    clause = re.split(r"[:;,(]", _said(docstring))[0]
    found = re.findall(r"(\d*\.\d+)|(\d+)(?= ?%)", clause)
    return None if len(found) != 1 else float(found[0][0] or float(found[0][1]) / 100)


def _said(docstring: str | None) -> str:
    """The sentence behind `Elicits`."""
    said = re.search(r"\bElicits\b(.*?)(?:\.\s|\.$|\n\s*\n|\Z)", docstring or "", re.S)
    return "" if said is None else " ".join(said[1].split())


@dataclass(frozen=True)
class Named:
    """The word for what an answer is, and the same with its level or bias."""

    word: str
    text: str
    level: float | None = None


@dataclass
class Groups:
    """Samples of several known distributions: y [n, n_targets], `group` [n] says which row is of which."""

    y: Tensor
    group: Tensor

    def each(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """function([m, n_targets]) -> [n_targets] of every group: [groups, n_targets]."""
        return torch.stack([function(self.y[self.group == g]) for g in range(self.size)])

    @property
    def size(self) -> int:
        """How many groups."""
        return int(self.group.max()) + 1

    @property
    def mean(self) -> Tensor:
        return self.each(lambda y: y.mean(0))

    @property
    def std(self) -> Tensor:
        return self.each(lambda y: y.std(0, correction=0))

    def quantile(self, level: float) -> Tensor:
        """The sample quantile: [groups, n_targets]."""
        return self.each(lambda y: y.quantile(level, dim=0))

    def below(self, at: Tensor) -> Tensor:
        """Share of samples below, half of those that are equal: [groups, n_targets] from the same."""
        rows = [self.y[self.group == g] for g in range(self.size)]
        return torch.stack([((y < a).double() + 0.5 * (y == a)).mean(0) for y, a in zip(rows, at, strict=True)])

    def expectile(self, at: Tensor) -> Tensor:
        """The level of which `at` is the expectile: E[at - y]_+ / E|y - at|."""
        rows = [self.y[self.group == g] for g in range(self.size)]
        return torch.stack(
            [(a - y).clamp(min=0).mean(0) / (y - a).abs().mean(0) for y, a in zip(rows, at, strict=True)]
        )


TRANSFORMS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "the mean of square roots, squared": (torch.sqrt, torch.square),
    "the mean of log(1 + y), turned back": (torch.log1p, torch.expm1),
    "the geometric mean": (torch.log, torch.exp),
    "the harmonic mean": (torch.reciprocal, torch.reciprocal),
    "the root of the mean square": (torch.square, torch.sqrt),
}


def name_of(answer: Tensor, groups: Groups, scale: Tensor, mode: Tensor | None = None, near: float = NEAR) -> Named:
    """The functional that `answer` [groups, n_targets] is of each group's distribution.

    scale: [groups, n_targets], in which differences are judged, up to `near`. mode: of each group, where it is known.
    """
    mean, median = groups.mean, groups.quantile(0.5)

    def far(other: Tensor) -> float:
        return float(((answer - other) / scale).abs().max())

    bias = (answer - mean) / scale
    worst = bias.flatten()[bias.abs().argmax()].item()
    if far(mean) <= near:
        return Named("mean", "the mean")
    if far(median) <= near:
        return Named("median", "the median")
    beside = f"{abs(worst):.0%} {'above' if worst > 0 else 'below'} the mean"
    if bool((groups.y >= 0).all()):
        for text, (there, back) in TRANSFORMS.items():
            if bool((groups.y > 0).all()) or "log(1" in text or "square" in text:
                found = groups.each(lambda y: back(there(y).mean(0)))  # noqa: B023
                if far(found) <= near:
                    return Named("transformed mean", f"{text}, {beside}")
    level = groups.below(answer)
    if float(level.max() - level.min()) <= LEVEL and 0.005 < float(level.mean()) < 0.995:
        return Named("quantile", f"the quantile {float(level.mean()):.2g}", float(level.mean()))
    level = groups.expectile(answer)
    if float(level.max() - level.min()) <= LEVEL and 0.005 < float(level.mean()) < 0.995:
        return Named("expectile", f"the expectile {float(level.mean()):.2g}, {beside}", float(level.mean()))
    if mode is not None and far(mode) <= 0.1:
        return Named("mode", "the mode, about")
    times = float((answer * mean).sum() / mean.square().sum())
    if far(times * mean) <= near:
        return Named("nothing", f"the mean times {times:.3g}")
    more = float(bias.mul(scale).mean())
    if far(mean + more) <= near:
        return Named("nothing", f"the mean {'plus' if more > 0 else 'minus'} {abs(more):.3g}")
    above = answer > near * scale
    if bool(above.any()) and bool((groups.y >= 0).all()):
        less = float((mean - answer)[above].mean())
        if far((mean - less).clamp(min=0)) <= near:
            return Named("nothing", f"the mean minus {less:.3g}, and 0 where that is below 0")
    low, high = torch.minimum(mean, median), torch.maximum(mean, median)
    if bool(((answer >= low - near * scale) & (answer <= high + near * scale)).all()):
        return Named("centre between median and mean", "a centre between median and mean")
    return Named("nothing", f"nothing that has a name, {beside}")
