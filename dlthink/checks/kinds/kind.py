"""A kind of target, as checks need it: facts for the cost, a first batch, and what is asked of this kind alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from dlthink.checks.cost_on_batch import CostOnBatch, Values
from dlthink.checks.finding import Finding, Report
from dlthink.checks.landscape import Landscape
from dlthink.errors import BadInput
from dlthink.training.stop_gradient import stop_gradient

Make = Callable[..., nn.Module]  # facts by name -> a cost


@dataclass
class Case:
    """A cost that has learned from all targets, and a batch as at the first step."""

    loss: nn.Module
    out: Values
    y: Values

    @cached_property
    def asked(self) -> CostOnBatch:
        """In the widest numbers that the cost takes."""
        return CostOnBatch(self.loss, self.out, self.y)

    @cached_property
    def single(self) -> CostOnBatch:
        """In float32, as training asks it."""
        return CostOnBatch(self.loss, self.out, self.y, torch.float32)


class Kind:
    """One kind of target. A subclass holds all that is special about it."""

    name: str
    pictured_as: str  # the title of its landscape
    beside: tuple[str, ...]  # shipped costs of this kind to compare a landscape with

    def fitted(self, make: Make) -> "Kind":
        """The same kind with samples on which this cost is defined."""
        return self

    def facts(self) -> dict[str, Any]:
        """What a constructor may ask for by name."""
        raise NotImplementedError

    def case(self, make: Make) -> Case:
        """A first batch: answers as of a network with its first weights."""
        raise NotImplementedError

    def outliers(self, y: Values) -> Values:
        """The same targets, some of them ten standard deviations out."""
        return y

    def landscape(self, make: Make, name: str) -> Landscape:
        """The cost over its outputs, to be drawn."""
        raise BadInput(f"figure: a landscape over {self.name} cannot be drawn; leave the word out")

    def examined(self, make: Make, case: Case, report: Report) -> Iterator[Finding]:
        """The checks of this kind; what the cost elicits goes into `report.elicits`."""
        raise NotImplementedError


class Answers:
    """A split whose network has answered already: x are the answers."""

    def __init__(self, out: Values, y: Values):
        self.out, self.y = out, y

    def __len__(self) -> int:
        return len(next(iter(self.y.values()))) if isinstance(self.y, dict) else len(self.y)

    def take(self, index: Tensor) -> tuple[Values, Values]:
        """The answers and targets of these rows."""
        return _rows(self.out, index), _rows(self.y, index)


def _rows(value: Values, index: Tensor) -> Values:
    if isinstance(value, dict):
        return {name: _rows(item, index) for name, item in value.items()}
    return value[index]


def noise(*shape: int, seed: int, size: float = 1.0) -> Tensor:
    """Normal numbers, the same each time."""
    return size * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Readout(nn.Module):
    """A network that is its last layer: what costs that stop gradients before it look for."""

    def __init__(self) -> None:
        super().__init__()
        self.readout = nn.Identity()


def made(make: Make, facts: dict[str, Any]) -> nn.Module:
    """The cost for these facts, told that its free answers have no network that could be shaped."""
    torch.manual_seed(0)
    loss = make(**facts)
    stop_gradient(Readout(), loss)
    return loss
