"""Who learns: the network with the cost's cooperating weights, and the cost's adversary if it has one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.training.precision import Precision

Terms = dict[str, torch.Tensor]


@dataclass
class Player:
    """One side of the game: its parameters, their optimizer, and the cost it descends."""

    name: str
    parameters: list[nn.Parameter]
    optimizer: torch.optim.Optimizer
    cost: Callable[[Any, Any], Terms]
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

    def set_rate(self, factor: float) -> None:
        """Scale every learning rate by the schedule's factor."""
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor


def adversary(loss: nn.Module) -> nn.Module | None:
    """The network that a cost plays against the one being trained, if it has one."""
    return getattr(loss, "adversary", None)


def networks_of(loss: nn.Module) -> list[nn.Module]:
    """The networks inside a cost, which run in the precision of training: its adversary, its frozen eye."""
    return [network for network in (adversary(loss), getattr(loss, "eye", None)) if isinstance(network, nn.Module)]


def players(model: nn.Module, loss: nn.Module, optim: Callable, precision: Precision) -> list[Player]:
    """The network first, then the adversary: the published order of adversarial updates.

    A cost has an adversary when it has a module `adversary` (its parameters) and a method `critic(out, y)` (what
    they descend). All its other parameters cooperate: they descend the cost together with the network.
    """
    opponent = adversary(loss)
    opposing = [p for p in opponent.parameters() if p.requires_grad] if opponent is not None else []
    against = {id(p) for p in opposing}
    own = [p for p in [*model.parameters(), *loss.parameters()] if p.requires_grad and id(p) not in against]
    try:
        sides = [Player("network", own, optim(own), loss)] if own else []
        if opposing:
            sides.append(Player("critic", opposing, optim(opposing), loss.critic))
    except (ValueError, TypeError, IndexError) as error:  # a learning rate below zero, say
        raise BadInput(f"optim: {error}") from error
    if not sides:
        raise BadInput("neither the network nor the cost has a weight to train")
    if any(side.searches for side in sides) and (precision.scaler.is_enabled() or len(sides) > 1):
        raise BadInput("optim=lbfgs searches along a line: it needs one player and precision=fp32 or bf16")
    return sides
