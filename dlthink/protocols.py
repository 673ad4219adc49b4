"""What passes between the rooms: every hook of a data set, a split, a cost, a network and an examination.

A batch is `(x, y)`: x is what the network may see, y what the cost may see; tensors, or dicts of tensors, whose rows go
along their first dimension. What else is `known` of the samples goes to the examination only, so no leak can be written
by accident.

Hooks without a mark must be there. `@optional` ones may be left out; their docstring says what happens then, and their
body does it: `Loss.prepare.of(loss)` is the cost's own `prepare`, or else this one. `lacks` and `methods` ask a class
of the user's own whether it has what it must have. Nobody asks in any other way.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # the contract is read where torch is not loaded, too
    from pathlib import Path

    import torch
    from torch import Tensor

    Values = Tensor | dict[str, Any]  # of a batch: a tensor, or tensors by name
    Terms = dict[str, Tensor]  # of a cost: scalars by name, which are added up
    Read = dict[str, Any]  # what a cost reads in outputs: quantities by name, a row a target row
    Answer = Callable[[Values], Read]  # x -> what the cost reads in the network's outputs


class optional:
    """A hook that may be left out: what stands in for it, and its docstring. value: an attribute, not a method."""

    def __init__(self, stand_in: Callable, value: bool = False) -> None:
        self.stand_in, self.value = stand_in, value
        self.__doc__, self.name = stand_in.__doc__, stand_in.__name__

    def given(self, owner: Any) -> bool:
        """Does the owner have it?"""
        return hasattr(owner, self.name)

    def of(self, owner: Any) -> Any:
        """The owner's own, or what stands in for it."""
        if self.given(owner):
            return getattr(owner, self.name)
        return self.stand_in(owner) if self.value else partial(self.stand_in, owner)


optional_value = partial(optional, value=True)


def lacks(owner: Any, protocol: type) -> set[str]:
    """The hooks that an object, or a class, must have and has not."""
    hooks = {**vars(protocol).get("__annotations__", {}), **vars(protocol)}
    must = {name for name, hook in hooks.items() if not name.startswith("_") and not isinstance(hook, optional)}
    return {name for name in must if not hasattr(owner, name)}


def methods(owner: type, protocol: type) -> Iterator[tuple[Callable, list[str]]]:
    """The methods of a protocol that a class has, and the names of what each is given, `self` first where it asks."""
    for name, hook in vars(protocol).items():
        if isinstance(hook, optional):
            hook = None if hook.value else hook.stand_in
        if inspect.isfunction(hook) and not name.startswith("_") and hasattr(owner, name):
            given = list(inspect.signature(hook).parameters)
            bound = isinstance(inspect.getattr_static(owner, name), staticmethod | classmethod)
            yield getattr(owner, name), given[1:] if bound else given


class Split(Protocol):
    """A part of the data: samples by their index 0 .. len - 1."""

    def __len__(self) -> int:
        """How many samples it has."""

    def take(self, index: Tensor) -> tuple[Values, Values]:
        """The batch (x, y) of the samples `index`: [n], on the split's device. Of a sample, y may have several rows."""

    def known(self, index: Tensor) -> dict[str, Any]:
        """What only the examination may see: true rates, a baseline's guess; row for row of y, {} if nothing is."""

    def targets(self) -> Values:
        """y of all samples, which `Loss.prepare` learns from."""

    def to(self, device: torch.device) -> Split:
        """The same samples on that device."""

    @optional
    def draw(self, index: Tensor) -> tuple[Values, Values]:
        """A `take` for training steps, which may augment by torch's global generator. Left out: `take`."""
        return self.take(index)

    @optional
    def masked(self, x: Values) -> Values:
        """Photos with a mask over the lower face, which an audit asks about. Left out: it does not ask."""
        return x

    @optional
    def epoch(self, batch: int, generator: torch.Generator) -> list[Tensor] | None:
        """The batches of one epoch, in order: indices [<= batch] each. Left out: all samples in random order."""

    @optional_value
    def at_once(self) -> int | None:
        """Most samples that an examination may ask about at a time. Left out: as `trainer.examine_batch` says."""


class Data(Protocol):
    """A problem: its samples, split, and what network, cost and examination may know of them as a whole."""

    facts: dict[str, Any]
    """What constructors of network, cost and examination may ask for by name: n_targets, n_features, names, ..."""

    train: Split
    val: Split
    test: Split

    state: dict[str, Any]
    """How to prepare another file the same way, and what decided about the splits. Plain values and tensors."""

    notes: list[str]
    """What was read, left out or mended: a line each, printed before training."""

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target ("counts", "reals", "identities", "domains") with these settings: which costs fit it."""

    @classmethod
    def fact_names(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of its facts with these settings, known before anything is loaded."""

    @optional_value
    def family(self) -> str | None:
        """Data of one family are prepared alike, so `evaluate on=` takes any of them. Left out: that word is refused.

        A constructor takes `elsewhere=True` beside the `state` of another, and all of it is test but what that run has
        seen."""

    @optional_value
    def prepares(self) -> tuple[str, ...]:
        """Settings that decide what a network sees: those of the run, wherever it is examined. Left out: none."""
        return ()

    @optional_value
    def tables(self) -> dict[str, list[list]]:
        """{file name: rows, a header first}: CSV in the run's folder. Left out: none."""
        return {}

    @optional_value
    def baselines(self) -> list[str]:
        """What one could predict without a cost: numbers of its examination that end in _NAME. Left out: none."""
        return []

    @optional_value
    def predicts(self) -> str:
        """Does `dlthink predict` write a "file" or a "folder"? Left out: a file."""
        return "file"

    @optional
    def contents(self, path: str) -> list[str]:
        """What is in a user's file, and its names, a line each, for `dlthink show`; a class method. Left out: none."""
        return []

    @classmethod
    def inputs(cls, path: str, state: dict[str, Any], **words: Any) -> Inputs:
        """The samples of a user's file, for `dlthink predict`; further arguments are words of that command."""


class Inputs(Protocol):
    """Samples to predict: a split without targets, which writes down what is read in their outputs."""

    def __len__(self) -> int:
        """How many samples it has."""

    def take(self, index: Tensor) -> tuple[Values, None]:
        """(x, None) of the samples `index`."""

    def known(self, index: Tensor) -> dict[str, Any]:
        """What pictures of predictions may show beside them."""

    def to(self, device: torch.device) -> Inputs:
        """The same samples on that device."""

    def write(self, predicted: Read, path: str | Path) -> None:
        """What the cost reads of all samples, whole or not at all."""

    def summary(self) -> str:
        """What was predicted, in a few words: "12 molecules"."""

    @optional_value
    def at_once(self) -> int | None:
        """Most samples that may be asked about at a time. Left out: as `trainer.examine_batch` says."""

    @optional
    def parts(self, path: str | Path) -> Iterator[Inputs]:
        """Inputs one after the other, where all at once are too much to hold. Left out: itself, once."""
        yield self


class Loss(Protocol):
    """A cost, an `nn.Module`: a scalar of outputs and targets, and what the outputs mean."""

    targets: set[str]
    """The kinds of targets that it fits."""

    outputs_per_target: int
    """How many numbers it wants from the network for each target."""

    def forward(self, out: Values, y: Values) -> Terms:
        """The terms of the cost by name, scalars, added up. out: [n, (members,) n_targets * outputs_per_target]."""

    def predict(self, out: Values) -> Read:
        """Quantities by name ("rate"; "mean", "std"; "embedding"), in the units of y, and their "distribution"."""

    @optional_value
    def members(self) -> bool:
        """Does it take the answers of an ensemble, [n, members, n_targets * outputs_per_target]? Left out: no."""
        return False

    @optional
    def prepare(self, y: Values) -> None:
        """Learn what it needs of all training targets, once, before the first step. Left out: nothing."""

    @optional
    def misfit(self, y: Values) -> str | None:
        """What is wrong with targets of all splits, `what; what to do`, asked before training. Left out: nothing."""

    @optional
    def fit_on_validation(self, out: Values, y: Values) -> None:
        """Fit what `predict` needs (a spread, a threshold) on validation, before each examination. Left out: none."""

    @optional_value
    def detached(self) -> tuple[int, ...]:
        """Outputs per target that must not shape the network: cut before its last layer. Left out: none."""
        return ()

    @optional_value
    def advice(self) -> str:
        """What to try when a term is not finite. Left out: a smaller learning rate."""
        return "Try a smaller optim.lr, or trainer.clip=1"

    @optional
    def watch(self, out: Values, y: Values) -> Terms:
        """Figures of the latest training batch, logged beside the terms. Left out: none."""
        return {}

    @optional
    def remark(self, seen: dict[str, float]) -> str | None:
        """One line when the figures of `watch` look wrong, always in the same words. Left out: nothing is said."""

    @optional_value
    def adversary(self) -> torch.nn.Module | None:
        """The second player's networks, whose parameters descend `adversary_loss`. Left out: there is one player."""

    @optional
    def adversary_loss(self, out: Values, y: Values) -> Terms:
        """What the adversary descends, on outputs that are detached; needed beside an `adversary`."""
        raise NotImplementedError(f"{type(self).__name__} has an adversary and needs adversary_loss(out, y)")

    @optional_value
    def trained_for(self) -> tuple[str, ...]:
        """Scores that the cost itself descends ("nll"): a comparison by them favours it. Left out: none."""
        return ()

    @optional_value
    def backbone(self) -> torch.nn.Module | None:
        """A frozen network that the cost looks through, in the run's precision in training. Left out: none."""


class Model(Protocol):
    """A network, an `nn.Module`: constructed from the data's facts and `n_out`."""

    def forward(self, x: Values) -> Values:
        """Outputs of a batch: [n, n_out], of an ensemble [n, members, n_out], or a dict of tensors."""

    @optional_value
    def readout(self) -> torch.nn.Module | None:
        """The last layer, before which `Loss.detached` is cut; of any module within. Left out: no such cost fits."""

    @optional
    def penalty(self) -> Tensor | None:
        """What its weights cost by themselves, added to the cost in training; of any module within. Left out: none."""

    @optional
    def figures(self) -> dict[str, Any]:
        """matplotlib figures of its weights, by name, once it is trained. Left out: none."""
        return {}


class Metrics(Protocol):
    """The examination of one kind of problem: the same for every cost."""

    best: tuple[str, str]
    """The number that picks the best checkpoint, and "max" or "min"."""

    def numbers(self, predicted: Read, y: Values, known: dict[str, Any]) -> dict[str, float]:
        """The metrics by name, of all samples of a split."""

    def figures(self, predicted: Read, y: Values, known: dict[str, Any]) -> dict[str, Any]:
        """matplotlib figures by name, of each validation and of test."""

    @optional
    def final_figures(self, predicted: Read, y: Values, known: dict[str, Any]) -> dict[str, Any]:
        """More figures, of test alone, at the end. Left out: none."""
        return {}

    @optional_value
    def needs(self) -> tuple[str, ...]:
        """What a cost must read out: one of these names. Left out: anything will do."""
        return ()

    @optional_value
    def scores(self) -> dict[str, str]:
        """Numbers that costs are compared by, {name: "max" or "min"}, proper scores first. Left out: `best`."""
        return dict([self.best])

    @optional_value
    def directions(self) -> dict[str, str]:
        """Which way other numbers are better, {name: "max" or "min"}. Left out: of none."""
        return {}

    @optional_value
    def glossary(self) -> dict[str, str]:
        """What numbers are, {name: a few plain words}, said where they are printed. Left out: nothing is said."""
        return {}

    @optional
    def item_scores(self, predicted: Read, y: Values, known: dict[str, Any]) -> dict[str, Any]:
        """Scores of single items (a molecule, a person), for paired comparisons. Left out: none.

        By name, [items] each: "item", a number; "weight" in the whole; "target", a sum of its y, by which it is known
        again; and scores, whose weighted mean is the number of that name."""
        return {}

    @optional
    def roll_out(self, answer: Answer, split: Split, batches: list[Tensor]) -> dict[str, Any]:
        """What only asking the network itself gives (a structure built step by step). Left out: none.

        Quantities by name, of the samples in `batches`: added to what the cost reads, in every examination. Chance is
        the same each time."""
        return {}

    @optional
    def condense(self, predicted: Read, y: Values, known: dict[str, Any]) -> tuple[Read, Values, dict[str, Any]]:
        """What to keep of a batch for `numbers` and `figures`, where answers are large. Left out: all of it."""
        return predicted, y, known

    @optional_value
    def target_names(self) -> list[str]:
        """Who is predicted, where that may differ between runs (units that seldom fire in a fold). Left out: none."""
        return []

    @optional
    def misfit(self, predicted: Read, y: Values) -> str | None:
        """One line on what cannot be examined in it, a wrong shape say; asked before training. Left out: nothing."""

    @optional
    def fit_on_validation(self, predicted: Read, y: Values) -> dict[str, float]:
        """Numbers fitted on validation that a cost did not read (a threshold), added to it. Left out: none."""
        return {}

    @optional
    def remarks(self, predicted: Read, y: Values, known: dict[str, Any]) -> list[str]:
        """What is wrong with these answers: a line each, `what; what to try`. Left out: nothing is said."""
        return []

    @optional
    def suggestions(self, predicted: Read, y: Values, known: dict[str, Any]) -> list[str]:
        """Which cost or setting the data ask for, a line each, `what; what to try`. Left out: nothing is said."""
        return []

    @optional
    def projection(self, predicted: Read, y: Values, known: dict[str, Any]) -> tuple | None:
        """Vectors, labels and pictures for TensorBoard's projector. Left out: none."""

    @optional
    def drawings(self, predicted: Read, known: dict[str, Any]) -> Iterable[tuple[str, Any]]:
        """(name, figure) of predictions, one at a time (`dlthink predict figures=`). Left out: that word is refused."""
        return ()

    @optional
    def audit(self, answer: Answer, split: Split, batches: list[Tensor]) -> tuple[dict[str, float], dict[str, Any]]:
        """Numbers and figures that ask the network itself (`evaluate audit=true`). Left out: that word is refused."""
        return {}, {}
