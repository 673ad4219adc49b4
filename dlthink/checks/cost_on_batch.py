"""A cost as checks ask it: each time a copy, under the same draws, in the widest numbers that it takes."""

from functools import cached_property, reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn

from dlthink.nested_tensors import each
from dlthink.training import rng
from dlthink.training.module_copy import deep_copy
from dlthink.training.operation_trace import Operations
from dlthink.training.sanity_sample_order import draws
from dlthink.training.terms import leaf_of, tensors, terms_of, twin

DRAWS = 16  # of a cost that draws by chance, where one is not enough
Values = Tensor | dict[str, Any]


class CostOnBatch:
    """A cost and one batch (out, y), asked again and again without leaving a trace.

    dtype: of out, y and the cost; None: float64 where the cost can do that, else float32.
    """

    def __init__(self, loss: nn.Module, out: Values, y: Values, dtype: torch.dtype | None = None):
        self.start = rng.state()
        for numbers in [torch.float64, torch.float32] if dtype is None else [dtype]:
            self.dtype, self.loss = numbers, twin(loss).to(numbers)  # it is asked on copies
            self.out, self.y = self.wide(out), self.wide(y)
            if dtype is not None or self._runs():
                break

    @property
    def draws(self) -> bool:
        """Does the cost draw by chance? Then another format draws something else."""
        rng.restore(self.start)
        return draws(self.loss, lambda: twin(self.loss), self.out, self.y)

    def _runs(self) -> bool:
        """Does the cost run in this format to its end? What it answers is kept."""
        try:
            if all(term.dtype == self.dtype for term in self._first[0].values()):
                return True
            del self._first
        except Exception:  # whatever a cost cannot do; in float32 it has been asked before
            pass
        return False

    def wide(self, value: Values) -> Values:
        """The same numbers in the format of this asking; whole numbers stay."""
        return each(lambda tensor: tensor.to(self.dtype) if tensor.is_floating_point() else tensor, value)

    def terms(self, out: Values | None = None, y: Values | None = None) -> dict[str, Tensor]:
        """The terms at these answers and targets; at those of the batch where none are given."""
        return self._first[0] if out is None and y is None else self._asked(out, y)

    def _asked(self, out: Values | None, y: Values | None) -> dict[str, Tensor]:
        out, y = (self.wide(own if other is None else other) for own, other in ((self.out, out), (self.y, y)))
        rng.restore(self.start)
        return terms_of(_again(self.loss), each(Tensor.clone, out), each(Tensor.clone, y))

    def value(self, out: Values | None = None, y: Values | None = None) -> float:
        """The cost: the sum of its terms."""
        with torch.no_grad():
            return float(reduce(add, self.terms(out, y).values()))

    def slopes(self, out: Values | None = None, y: Values | None = None) -> list[Tensor]:
        """The gradient at each tensor of answers, zeros where none arrives."""
        return self.terms_and_slopes(out, y)[1]

    def terms_and_slopes(
        self, out: Values | None = None, y: Values | None = None
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Both, asked once."""
        if out is None and y is None:
            terms, slopes = self._first
            return terms, [slope.clone() for slope in slopes]
        leaf = leaf_of(self.wide(self.out if out is None else out))
        leaves, terms = list(tensors(leaf)), self._asked(leaf, y)
        total = reduce(add, terms.values())
        found = torch.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else [None] * len(leaves)
        slopes = [torch.zeros_like(one) if slope is None else slope for one, slope in zip(leaves, found, strict=True)]
        return {name: term.detach() for name, term in terms.items()}, slopes

    @cached_property
    def _first(self) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Terms and slopes at the answers of the batch."""
        return self.terms_and_slopes(self.out)

    def often(self, out: Values | None = None, y: Values | None = None) -> list[tuple[dict[str, Tensor], list[Tensor]]]:
        """Terms and slopes; of a cost that draws by chance, of several draws."""
        if not self.draws:
            return [self.terms_and_slopes(out, y)]
        start, found = self.start, []
        for other in range(DRAWS):
            rng.seed(other)
            self.start = rng.state()
            found.append(self.terms_and_slopes(self.out if out is None else out, y))
        self.start = start
        return found

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
        return deep_copy(loss, shared=loss.parameters())
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
