"""Is all that a cost learns with its optimizer, and all that it keeps from step to step in its checkpoint?

Asked by copies that take steps: a run that goes on has only what the checkpoint holds.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from dlthink.errors import BadInput
from dlthink.training import rng
from dlthink.user_errors import written

FAR = 10**6  # steps: what a counter that grows by one a step may have come to
SAME = 1e-6  # costs that are nearer, in relation, are one

Ask = Callable[[nn.Module], dict[str, Tensor]]


def check_saved_state(loss: nn.Module, twin: Callable[[], nn.Module], ask: Ask) -> None:
    """`twin` makes a copy of the cost, `ask` the terms of a copy on one batch. Nothing is asked of what has no copy.

    Raises BadInput with the line where it is the user's own.
    """
    stepped, name = twin(), f"{written(type(loss).forward)}(out, y)"
    if stepped is loss:
        return
    if lazy := next((key for key, value in loss.named_parameters() if is_lazy(value)), None):
        raise BadInput(f"{written(type(loss))}: self.{lazy} has no size before it is asked; write nn.Linear(3, 1), say")
    if not isinstance(state := stepped.state_dict(), dict):
        raise BadInput(f"{written(type(loss).state_dict)}(): must return a dict of tensors, not {type(state).__name__}")
    _check_weights(name, loss, stepped, ask)
    _check_seed(name, twin, ask)
    ask(stepped)  # the second step
    _check_resumed(name, twin, stepped, ask)


def _check_weights(name: str, loss: nn.Module, stepped: nn.Module, ask: Ask) -> None:
    """The first step: are all weights made in time, and where an optimizer finds them?"""
    cost = reduce(add, ask(stepped).values())
    if late := stepped.state_dict().keys() - loss.state_dict().keys():
        made = min(late).partition("._extra_state")[0]
        raise BadInput(f"{name}: makes self.{made}, which its optimizer never sees: make it in __init__")
    for key, value in _unseen(stepped):
        if torch.autograd.grad(cost, [value], allow_unused=True, retain_graph=True)[0] is not None:
            raise BadInput(
                f"{name}: self.{key} gets gradients, and neither optimizer nor checkpoint sees it: write "
                f"nn.Parameter(...) for a weight, nn.ParameterList or nn.ModuleList for a list"
            )


def _check_seed(name: str, twin: Callable[[], nn.Module], ask: Ask) -> None:
    """Does chance go on as it would have gone on, whatever was drawn before?"""
    ends = []
    for _ in range(2):
        torch.rand(1)
        ask(twin())
        ends.append(rng.state()["torch"])
    if torch.equal(*ends):
        raise BadInput(f"{name}: sets the seed, so that every step draws the same, in the network, too; leave it out")


def _check_resumed(name: str, twin: Callable[[], nn.Module], stepped: nn.Module, ask: Ask) -> None:
    """Does a copy that has only what a checkpoint holds cost the same as the one that took the steps?"""
    resumed = twin()
    resumed.load_state_dict(stepped.state_dict())
    lost = {key: vars(place).get(key.rpartition(".")[2]) for key, place in _different(stepped, resumed)}
    if lost and not _alike(ask, stepped, resumed):
        key, value = next(iter(lost.items()))
        advice = f'in __init__ write self.register_buffer("{key.rpartition(".")[2]}", torch.zeros(())), say'
        if isinstance(value, torch.Generator):
            advice = "draw by torch's global generator, torch.rand(3)"
        raise BadInput(
            f"{name}: self.{key} changes from step to step and is not kept in checkpoints, so that a resumed run would "
            f"be another one; {advice}"
        )


def _alike(ask: Ask, one: nn.Module, other: nn.Module) -> bool:
    """Do both cost the same on the same draws, now and when what counts in them has come far?"""
    for far in (0, FAR):
        for key, place in _different(one, other) if far else ():
            value = vars(place)[key.rpartition(".")[2]]
            if isinstance(value, int | float) and not isinstance(value, bool):
                setattr(place, key.rpartition(".")[2], value + far)
        start, costs = rng.state(), []
        for asked in (one, other):
            rng.restore(start)
            try:
                costs.append(float(reduce(add, ask(asked).values())))
            except Exception:  # of a counter that cannot come so far
                return far > 0
        if not math.isclose(*costs, rel_tol=SAME) and all(map(math.isfinite, costs)):
            return False
    return True


def _different(one: nn.Module, other: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Plain attributes and buffers that two copies do not share: each name, and the module of `one` that has it."""
    for (place, a), (_, b) in zip(one.named_modules(), other.named_modules(), strict=True):
        for name, value in {**vars(a), **a._buffers}.items():
            if name.startswith("_") and name in vars(nn.Module()):
                continue
            if not _equal(value, {**vars(b), **b._buffers}.get(name)):
                yield f"{place}.{name}".strip("."), a


def _equal(a: Any, b: Any) -> bool:
    """Of numbers, tensors, generators and lists of these; what is of another kind says nothing."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.shape == b.shape and bool(torch.equal(a, b))
    if isinstance(a, torch.Generator):
        return isinstance(b, torch.Generator) and torch.equal(a.get_state(), b.get_state())
    if isinstance(a, int | float | str | None):
        return a == b
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, Sized) and isinstance(a, Iterable) and not isinstance(a, nn.Module):
        return isinstance(b, Sized) and len(a) == len(b) and all(map(_equal, a, b))
    return True


def _unseen(loss: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Weights in plain attributes, and in lists and dicts there, which no module of torch's tells of."""
    seen = {id(value) for value in loss.parameters()}
    for place, module in loss.named_modules():
        for name, value in vars(module).items():
            for weight in () if name.startswith("_") else _tensors(value):
                if weight.requires_grad and weight.is_leaf and id(weight) not in seen:
                    yield f"{place}.{name}".strip("."), weight


def _tensors(value: Any) -> Iterator[Tensor]:
    """A tensor, those of a module, or of a list or dict of such."""
    several = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
    for item in several:
        if isinstance(item, nn.Module):
            yield from item.parameters()
        elif isinstance(item, Tensor):
            yield item
