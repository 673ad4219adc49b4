"""A term that does not look at the targets, and draws answers away from what the others ask for."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from dlthink.checks.finding import Finding
from dlthink.checks.minimum import Minimum, minimise
from dlthink.checks.question import question
from dlthink.checks.truth import Truth
from dlthink.training import rng
from dlthink.training.terms import twin


@question("terms")
def check_terms(loss: nn.Module, truth: Truth, start: Tensor, right: Callable[[Minimum], bool]) -> Iterator[Finding]:
    """Of a cost that asks for something wrong: is it right without one of its terms?"""
    for term in blind(loss, truth, start):
        found = minimise(without(loss, term), truth, start)
        if found.bounded and right(found):
            yield Finding(
                "terms",
                "failed",
                f"without its term {term}, which is the same whatever the targets are, what is read out is right: it "
                f"draws answers away from the truth",
                "leave it out; to keep a network from overfitting, punish its weights: optim.weight_decay",
            )


def without(loss: nn.Module, term: str) -> nn.Module:
    """The same cost, but for one of its terms."""

    class Without(type(loss)):
        def forward(self, out, y):
            return {name: value for name, value in super().forward(out, y).items() if name != term}

    cost = twin(loss)
    cost.__class__ = Without
    return cost


def blind(loss: nn.Module, truth: Truth, start: Tensor) -> list[str]:
    """The terms that are the same of other targets, if others are not."""
    out, values = start[truth.group], []
    for y in (truth.y, truth.y.flip(0)):
        rng.seed(0)  # the same draws, if it draws
        with torch.no_grad():
            values.append(twin(loss)(out, y))
    first, other = values
    same = [term for term, value in first.items() if torch.allclose(value, other[term], rtol=1e-9)]
    return same if len(same) < len(first) else []
