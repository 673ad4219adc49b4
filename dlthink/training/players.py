"""Who learns: the network with the cost's cooperating weights, and the cost's adversary if it has one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.protocols import Loss
from dlthink.training.precision import Precision

Terms = dict[str, torch.Tensor]


@dataclass
class Player:
    """One side of the game: its parameters, their optimizer, and the cost it descends."""

    name: str
    parameters: list[nn.Parameter]
    optimizer: torch.optim.Optimizer
    cost: Callable[[Any, Any], Terms]
    optim: Callable  # makes such an optimizer
    rates: list[float] = field(init=False)  # the learning rate of each parameter group, before any schedule

    def __post_init__(self):
        self.rates = [float(group["lr"]) for group in self.optimizer.param_groups]

    @property
    def prefix(self) -> str:
        """Before the names of its terms, so that two players' terms cannot be mistaken for each other."""
        return "" if self.name == "network" else f"{self.name}/"

    @property
    def searches(self) -> bool:
        """Does a step ask for the cost several times (L-BFGS)?"""
        return isinstance(self.optimizer, torch.optim.LBFGS)

    def restore(self, saved: dict) -> None:
        """Go on from an optimizer's saved state, with the settings of now, every one of them.

        Raises BadInput where what was saved does not suffice for these.
        """
        names = sorted({name for group in self.optimizer.param_groups for name in group} - {"params"})
        settings = [{name: group[name] for name in names} for group in self.optimizer.param_groups]
        changed = [
            name
            for name in names
            for group, before in zip(settings, saved["param_groups"], strict=True)
            if name != "lr" and _plain(group[name]) != _plain(before.get(name))  # a schedule has been at that one
        ]
        self.optimizer.load_state_dict(saved)
        for group, values in zip(self.optimizer.param_groups, settings, strict=True):
            group.update(values)
        if self.searches:
            if "history_size" in changed:
                self.forget()
        elif changed:
            self._check_state(changed)
        self._check_shapes()

    def forget(self) -> None:
        """Begin anew with the weights as they are: what the optimizer remembers of another cost misleads a search."""
        self.optimizer.state.clear()

    def _check_state(self, changed: list[str]) -> None:
        """Has each weight all that such an optimizer remembers of one, or nothing yet? It is asked on a probe."""
        tries = tried(self.optim, self.parameters[0].device).state.values()
        needed = {name for state in tries for name, value in state.items() if value is not None}
        for state in self.optimizer.state.values():
            lacking = needed - {name for name, value in state.items() if value is not None}
            if state and lacking:
                raise BadInput(
                    f"optim.{', optim.'.join(changed)}: the checkpoint has no {', '.join(sorted(lacking))} to go on "
                    f"from; leave it as it was, or train anew"
                )

    def _check_shapes(self) -> None:
        """Is all that is remembered of a weight as large as the optimizer will take it to be? ValueError.

        Kernels do not ask: a smaller one than that is written beyond its end.
        """
        wanted = self._as_after_a_step()
        for parameter, state in self.optimizer.state.items():
            for name, (shape, dtype) in wanted.get(parameter, {}).items() if state else ():
                value = state.get(name)
                if not isinstance(value, torch.Tensor) or (value.shape, value.dtype) != (shape, dtype):
                    raise ValueError(f"{name} of a weight of {list(parameter.shape)} is of another shape or kind")

    def _as_after_a_step(self) -> dict[nn.Parameter, dict[str, tuple[torch.Size, torch.dtype]]]:
        """Of each weight, shape and kind of the tensors that such an optimizer keeps. A search keeps lists of them, of
        sums that fail by themselves."""
        if self.searches:
            return {}
        twins = [nn.Parameter(parameter.detach().clone()) for parameter in self.parameters]
        for twin in twins:
            twin.grad = torch.zeros_like(twin)
        optimizer = self.optim(twins)
        optimizer.step()
        return {
            parameter: {k: (v.shape, v.dtype) for k, v in optimizer.state[twin].items() if isinstance(v, torch.Tensor)}
            for parameter, twin in zip(self.parameters, twins, strict=True)
        }

    def set_rate(self, factor: float) -> None:
        """Scale every learning rate by the schedule's factor."""
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor


def _plain(value: Any) -> Any:
    """A setting as YAML, a signature or a checkpoint may have it: a pair is a list or a tuple."""
    return list(value) if isinstance(value, tuple) else value


REFUSALS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def tried(optim: Callable, device: torch.device) -> torch.optim.Optimizer:
    """Such an optimizer after two steps down a small bowl: torch looks at some settings only when it takes one.

    Raises BadInput that names the settings it refuses.
    """
    try:
        return _stepped(optim, device)
    except REFUSALS as error:
        settings = optim.keywords if isinstance(optim, partial) else {}
        guilty = [name for name in settings if _works_without(optim, name, device)] or list(settings)
        named = ", ".join(f"optim.{name}={'null' if settings[name] is None else settings[name]}" for name in guilty)
        raise BadInput(f"{named or 'optim'}: torch refuses it ({str(error).splitlines()[0]})") from error


def _works_without(optim: partial, name: str, device: torch.device) -> bool:
    rest = {key: value for key, value in optim.keywords.items() if key != name}
    try:
        _stepped(partial(optim.func, *optim.args, **rest), device)
    except REFUSALS:
        return False
    return True


def _stepped(optim: Callable, device: torch.device) -> torch.optim.Optimizer:
    weight, steep = nn.Parameter(torch.ones(2, device=device)), torch.tensor([1.0, 10.0], device=device)

    def cost() -> torch.Tensor:
        weight.grad = None
        total = (steep * weight.square()).sum()
        total.backward()
        return total

    optimizer = optim([weight])
    for _ in range(2):
        optimizer.step(cost)
    if isinstance(optimizer, torch.optim.LBFGS) and not optimizer.state[weight].get("n_iter"):
        raise ValueError("a search needs an iteration")
    return optimizer


def networks_of(loss: nn.Module) -> list[nn.Module]:
    """The networks inside a cost, which run in the precision of training: its adversary, its frozen eye."""
    return [network for network in (Loss.adversary.of(loss), Loss.backbone.of(loss)) if network is not None]


def players(model: nn.Module, loss: nn.Module, optim: Callable, precision: Precision) -> list[Player]:
    """The network first, then the adversary: the published order of adversarial updates.

    A cost has an adversary when it has a module `adversary` (its parameters) and `adversary_loss(out, y)` (what
    they descend). All its other parameters cooperate: they descend the cost together with the network.
    """
    opponent = Loss.adversary.of(loss)
    opposing = [p for p in opponent.parameters() if p.requires_grad] if opponent is not None else []
    against = {id(p) for p in opposing}
    own = [p for p in [*model.parameters(), *loss.parameters()] if p.requires_grad and id(p) not in against]
    tried(optim, precision.device)
    sides = [Player("network", own, optim(own), loss, optim)] if own else []
    if opposing:
        sides.append(Player("adversary", opposing, optim(opposing), Loss.adversary_loss.of(loss), optim))
    if not sides:
        raise BadInput("neither the network nor the cost has a weight to train")
    if any(side.searches for side in sides) and (precision.scaler.is_enabled() or len(sides) > 1):
        raise BadInput("optim=lbfgs searches along a line: it needs one player and precision=fp32 or bf16")
    return sides
