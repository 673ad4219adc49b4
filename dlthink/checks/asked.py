"""A cost as checks ask it: each time a copy, under the same draws, in the widest numbers that it takes."""

import copy
from functools import cached_property, reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn

from dlthink.nested_tensors import each
from dlthink.training import rng
from dlthink.training.operation_trace import Operations
from dlthink.training.pairing import draws
from dlthink.training.terms import leaf_of, tensors, terms_of, twin

Values = Tensor | dict[str, Any]


class Asked:
    """A cost and one batch (out, y), asked again and again without leaving a trace.

    dtype: of out, y and the cost; None: float64 where the cost can do that, else float32.
    """

    def __init__(self, loss: nn.Module, out: Values, y: Values, dtype: torch.dtype | None = None):
        self.loss, self.start = loss, rng.state()  # it is asked on copies
        self.out, self.y, self.dtype = out, y, torch.float32
        if dtype is None and self._can(torch.float64):
            dtype = torch.float64
        self.dtype = dtype or torch.float32
        self.loss = twin(loss).to(self.dtype)
        self.out, self.y = self.wide(out), self.wide(y)

    @property
    def draws(self) -> bool:
        """Does the cost draw by chance? Then another format draws something else."""
        rng.restore(self.start)
        return draws(self.loss, lambda: twin(self.loss), self.out, self.y)

    def _can(self, dtype: torch.dtype) -> bool:
        self.dtype, self.loss = dtype, twin(self.loss).to(dtype)
        try:
            return all(term.dtype == dtype for term in self.terms(self.out, self.y).values())
        except Exception:  # whatever a cost cannot do; in float32 it has been asked before
            return False

    def wide(self, value: Values) -> Values:
        """The same numbers in the format of this asking; whole numbers stay."""
        return each(lambda tensor: tensor.to(self.dtype) if tensor.is_floating_point() else tensor, value)

    def terms(self, out: Values | None = None, y: Values | None = None) -> dict[str, Tensor]:
        """The terms at these answers and targets; at those of the batch where none are given."""
        out, y = (self.wide(own if other is None else other) for own, other in ((self.out, out), (self.y, y)))
        rng.restore(self.start)
        return terms_of(_again(self.loss), each(Tensor.clone, out), each(Tensor.clone, y))

    def value(self, out: Values | None = None, y: Values | None = None) -> float:
        """The cost: the sum of its terms."""
        if out is None and y is None:
            return self._value
        with torch.no_grad():
            return float(reduce(add, self.terms(out, y).values()))

    @cached_property
    def _value(self) -> float:
        return self.value(self.out)

    def slopes(self, out: Values | None = None, y: Values | None = None) -> list[Tensor]:
        """The gradient at each tensor of answers, zeros where none arrives."""
        if out is None and y is None:
            return [one.clone() for one in self._slopes]
        leaf = leaf_of(self.wide(self.out if out is None else out))
        leaves = list(tensors(leaf))
        total = reduce(add, self.terms(leaf, y).values())
        if not total.requires_grad:
            return [torch.zeros_like(one) for one in leaves]
        found = torch.autograd.grad(total, leaves, allow_unused=True)
        return [torch.zeros_like(one) if slope is None else slope for one, slope in zip(leaves, found, strict=True)]

    @cached_property
    def _slopes(self) -> list[Tensor]:
        return self.slopes(self.out)

    def operations(self) -> Operations:
        """Every operation of torch that the cost asks for, in order."""
        rng.restore(self.start)
        cost, out, y = _again(self.loss), leaf_of(self.out), each(Tensor.clone, self.y)
        with Operations() as noted:
            cost(out, y)
        return noted


def _again(loss: nn.Module) -> nn.Module:
    """A copy that keeps what it notes of a batch to itself; weights, which a look does not change, are shared."""
    try:
        return copy.deepcopy(loss, {id(weight): weight for weight in loss.parameters()})
    except Exception:
        return loss


def names_of(out: Values) -> list[str]:
    """A name for each tensor of answers that gradients pass through."""
    if not isinstance(out, dict):
        return ["out"]
    return [name for name, value in out.items() if isinstance(value, Tensor) and value.is_floating_point()]


def moved(out: Values, along: list[Tensor], by: float) -> Values:
    """out + by * along, tensor by tensor."""
    steps = iter(along)

    def step(tensor: Tensor) -> Tensor:
        return tensor + by * next(steps) if tensor.is_floating_point() else tensor

    return each(step, out)


def directions(out: Values, seed: int) -> list[Tensor]:
    """A random direction for each tensor of answers."""
    chance = torch.Generator().manual_seed(seed)
    return [torch.randn(one.shape, generator=chance, dtype=torch.float64).to(one) for one in tensors(out)]
