"""Name of a cost: the word by which it is chosen, `loss=NAME`, which is that of its file."""

from torch import nn


def cost_name(loss: nn.Module) -> str:
    """poisson of dlthink.losses.counts.poisson.Poisson, my_cost of a class in my_cost.py."""
    return type(loss).__module__.rpartition(".")[2]
