"""The examination of one split: the network's answers, the cost's reading of them, the data's own metrics."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn

from dlthink.advice import apt, on_other_data
from dlthink.nested_tensors import join, rows
from dlthink.protocols import Loss, Metrics, Split
from dlthink.training import rng


@dataclass
class Outputs:
    """What the network said about some samples, what was true, what else is known of them; the cost's terms by name.

    condensed: these are what the data's metrics keep of each batch (`condensing`), already read by the cost.
    """

    out: Any
    y: Any
    known: dict[str, Any]
    terms: dict[str, float]
    condensed: bool = False


class Answers(NamedTuple):
    """What numbers and figures are made from: what the cost reads, y, what is known of the samples."""

    predicted: dict[str, Any]
    y: Any
    known: dict[str, Any]


Condense = Callable[[Any, Any, dict], tuple[Any, Any, dict]]


def condensing(loss: nn.Module, metrics: Any) -> Condense | None:
    """What to keep of a batch in place of (out, y, known), where metrics say so: `condense(read, y, known)`.

    None where they don't, and where the cost fits something on all answers of a split.
    """
    if not Metrics.condense.given(metrics) or Loss.fit_on_validation.given(loss):
        return None
    return lambda out, y, known: metrics.condense(loss.predict(out), y, known)


def batches_of(split, batch: int, device: torch.device, most: int | None = None) -> list[torch.Tensor]:
    """Its samples in order, `batch` at a time or as few as it says (`at_once`); most: so many, evenly spread."""
    n, batch = len(split), min(batch, Split.at_once.of(split) or batch)
    index = torch.arange(n, device=device)
    if most is not None and most < n:
        index = index[torch.linspace(0, n - 1, most, device=device).long()]
    return list(index.split(batch))


@torch.no_grad()
def run_split(
    model: nn.Module,
    split,
    batches: list[torch.Tensor],
    loss: nn.Module | None = None,
    condense: Condense | None = None,
) -> Outputs:
    """The network's answers in evaluation mode, in order. With `loss` also its terms, averaged over the rows of y.

    condense: what is kept of a batch before the next one is asked (`condensing`); None: all of it.
    """
    outputs, targets, known, terms, sizes = [], [], [], [], []
    with evaluating(model, loss):
        for index in batches:
            x, y = split.take(index)
            out, about = model(x), split.known(index)
            if loss is not None:
                terms.append(loss(out, y))
                sizes.append(rows(y))
            if condense is not None:
                out, y, about = condense(out, y, about)
            outputs.append(out)
            targets.append(y)
            known.append(about)
    means = _means(terms, sizes) if terms else {}
    return Outputs(join(outputs), join(targets), join(known), means, condensed=condense is not None)


@contextmanager
def evaluating(*modules: nn.Module | None) -> Iterator[None]:
    """Modules in evaluation mode, for as long as the block lasts."""
    given = [module for module in modules if module is not None]
    training = [module.training for module in given]
    for module in given:
        module.eval()
    try:
        yield
    finally:
        for module, was in zip(given, training, strict=True):
            module.train(was)


def answer_of(model: nn.Module, loss: nn.Module) -> Callable[[Any], dict[str, Any]]:
    """x -> what the cost reads in the network's outputs."""
    return lambda x: loss.predict(model(x))


def _means(terms: list[dict[str, torch.Tensor]], sizes: list[int]) -> dict[str, float]:
    size = torch.tensor(sizes, dtype=torch.float64)
    share = size / size.sum()
    return {name: float((torch.stack([t[name] for t in terms]).cpu().double() * share).sum()) for name in terms[0]}


def remarks(metrics: Any, predicted: dict, y: Any, known: dict) -> list[str]:
    """What the data's metrics find wrong with these answers: one line each, with what to try. Most data have none."""
    return Metrics.remarks.of(metrics)(predicted, y, known)


def lines(metrics: Any, loss: nn.Module, predicted: dict, y: Any, known: dict, elsewhere: bool = False) -> list[str]:
    """What is said at the end: these, and which cost or setting the data ask for in place of this one.

    elsewhere: these are other data than the run's own, whose training settings are not to blame for what is wrong.
    """
    answers = predicted, y, known
    wrong, asked = remarks(metrics, *answers), Metrics.suggestions.of(metrics)(*answers)
    return [apt(line, loss) for line in (*(map(on_other_data, wrong) if elsewhere else wrong), *asked)]


def all_figures(metrics: Any, predicted: dict, y: Any, known: dict) -> dict[str, Any]:
    """The figures of an examination that stands alone: those of every validation and those of the end."""
    answers = predicted, y, known
    return metrics.figures(*answers) | Metrics.final_figures.of(metrics)(*answers)


@dataclass
class Standing:
    """Where a run stands on training samples: its cost, and the figure that picks the best checkpoint."""

    cost: float = math.nan
    figure: float = math.nan

    @classmethod
    def restored(cls, saved: Any) -> "Standing":
        """The same from a checkpoint, as far as that knows it."""
        return cls(*(float(saved.get(name, math.nan)) for name in ("cost", "figure")))


def doubt(metrics: Any, answers: Answers, first: Standing, now: Standing) -> str | None:
    """One line where answers on training samples are far wrong though their cost fell: it asks for something else.

    first: before anything was trained; its figure is that of the first validation.
    """
    found = remarks(metrics, *answers) if now.cost < first.cost else []
    if not found:
        return None
    name, direction = metrics.best
    better = now.figure > first.figure if direction == "max" else now.figure < first.figure
    question = "Has the cost the wrong sign, or does it ask for something else?"
    if better:
        question = (
            f"As {name} has become better on them: train longer. Else the cost asks for something else than that."
        )
    what = found[0].partition("; ")[0]
    return f"the cost fell from {first.cost:.4g} to {now.cost:.4g}, and yet on training samples {what}. {question}"


@dataclass
class Examined:
    """answers: what numbers and figures are made from. terms: the cost's terms by name, where they were asked for.

    fitted: what the examination fitted on validation where the cost reads nothing of that name (a threshold); it lies
    in the checkpoint.
    """

    answers: Answers
    terms: dict[str, float]
    fitted: dict[str, float]


@torch.no_grad()
def examine(
    model: nn.Module,
    loss: nn.Module,
    metrics: Any,
    split: Any,
    batches: list[torch.Tensor],
    fitted: dict[str, float] | None = None,
    terms: bool = False,
) -> Examined:
    """Ask network and cost about samples of a split, and let the examination ask on (`Metrics.roll_out`).

    fitted: of an earlier examination; None: this is validation, on which the cost and then the examination fit.
    """
    outputs = run_split(model, split, batches, loss if terms else None, condensing(loss, metrics))
    if fitted is None:
        Loss.fit_on_validation.of(loss)(outputs.out, outputs.y)
    predicted = outputs.out if outputs.condensed else loss.predict(outputs.out)
    predicted = predicted | _rolled_out(model, loss, metrics, split, batches)
    if fitted is None:
        fitted = Metrics.fit_on_validation.of(metrics)(predicted, outputs.y)
    predicted = {name: torch.tensor(value) for name, value in fitted.items()} | predicted
    return Examined(Answers(predicted, outputs.y, outputs.known), outputs.terms, fitted)


def _rolled_out(model: nn.Module, loss: nn.Module, metrics: Any, split: Any, batches: list[torch.Tensor]) -> dict:
    """What the examination finds by asking the network itself: drawn alike each time, and training draws as before."""
    if not Metrics.roll_out.given(metrics):
        return {}
    start = rng.state()
    try:
        rng.seed(0)
        with evaluating(model, loss):
            return metrics.roll_out(answer_of(model, loss), split, batches)
    finally:
        rng.restore(start)
