"""How hard does a target far away pull? The slope of one sample against its distance from what was predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from dlthink.checks.finding import Finding
from dlthink.checks.minimum import Minimum
from dlthink.checks.question import question
from dlthink.checks.truth import Truth
from dlthink.training.terms import twin

DISTANCES = (1.0, 10.0)  # standard deviations


def pulls(loss: nn.Module, answers: Tensor, y: Tensor) -> Tensor:
    """The length of the gradient of each sample alone: [n] from answers [n, columns], y [n, n_targets]."""
    found = []
    for answer, target in zip(answers, y, strict=True):
        out = answer.expand(2, -1).clone().requires_grad_()  # twice, since a batch of one is a case of its own
        total = reduce(add, twin(loss)(out, target.expand(2, -1)).values())
        found.append(torch.autograd.grad(total, out, allow_unused=True)[0].sum(0).norm())
    return torch.stack(found)


@question("outliers")
def check_outliers(
    loss: nn.Module, truth: Truth, found: Minimum, possible: Callable[[Tensor], Tensor]
) -> Iterator[Finding]:
    """At the best answer: how much harder does a target 10 standard deviations away pull than one at 1?

    possible: the nearest target that there can be, a whole number of counts.
    """
    mean, std = truth.mean, truth.std
    pulled = []
    for distance in DISTANCES:
        y = possible(mean + distance * std)
        share = ((y - mean) / std).mean(1) / distance  # of the distance, where only whole numbers are possible
        pulled.append((pulls(loss, found.answers, y) / share).mean())
    times = float(pulled[1] / pulled[0].clamp(min=1e-300))
    if times <= 2:
        yield Finding(
            "outliers",
            "passed",
            f"a target ten standard deviations out pulls {times:.2g} times as hard as one at one",
        )
    else:
        yield Finding(
            "outliers",
            "told",
            f"a target ten standard deviations out pulls {times:.2g} times as hard as one at one: a few wild values "
            f"decide the answer",
            "if there are such: a tail that is heavier (mae, huber, laplace_nll, student_t of reals)",
        )
