"""A cost of real numbers to begin from: change forward, and have it checked, `dlthink check loss=my_cost`."""

import torch
from torch import nn
from torch.distributions import Normal
from torch.nn.functional import softplus


class MyCost(nn.Module):
    """Elicits the whole distribution where it is Gaussian: a mean and a spread for each target."""

    targets = {"reals"}  # what it fits
    outputs_per_target = 2  # numbers that it wants from the network for each target

    def __init__(self, n_targets, least: float = 1e-4):  # n_targets is given; least is a setting, `loss.least=0.01`
        super().__init__()
        self.least = least
        self.register_buffer("mean", torch.zeros(n_targets))  # a buffer is kept in checkpoints
        self.register_buffer("std", torch.ones(n_targets))

    def prepare(self, y):  # all training targets, once, before the first step
        self.mean, self.std = y.mean(0), y.std(0)

    def columns(self, out):  # [n, 2 n_targets] -> mean and spread, [n, n_targets] each, in std of the targets
        mean, raw = out.unflatten(-1, (-1, 2)).unbind(-1)
        return mean, softplus(raw) + self.least  # a network says any number; a spread is positive

    def forward(self, out, y):  # y: [n, n_targets] in its own unit
        mean, spread = self.columns(out)
        z = (y - self.mean) / self.std  # so that the unit does not matter
        nll = 0.5 * ((z - mean) / spread).square() + spread.log()
        return {"nll": nll.mean()}  # terms by name, each one number; they are added up

    def predict(self, out):  # what the outputs mean, in the units of y; a std or a distribution may be left out
        mean, spread = self.columns(out)
        mean, std = self.mean + self.std * mean, self.std * spread
        return {"mean": mean, "std": std, "distribution": Normal(mean, std, validate_args=False)}
