"""Name of a cost: the word by which it is chosen, `loss=NAME`, which is that of its file."""

from torch import nn


def cost_name(loss: nn.Module) -> str:
    """poisson of dlthink.losses.counts.poisson.Poisson, my_cost of a class in my_cost.py."""
    return choice_name(type(loss))


def choice_name(made: type) -> str:
    """mlp of dlthink.models.mlp.MLP: the word by which a class is chosen, where one file holds one choice."""
    return made.__module__.rpartition(".")[2]
