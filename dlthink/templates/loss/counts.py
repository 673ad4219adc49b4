"""A cost of counts to begin from: change forward, and have it checked, `dlthink check loss=my_cost`."""

import torch
from torch import nn


class MyCost(nn.Module):
    """Elicits the mean: a Poisson likelihood without log k!."""

    targets = {"counts"}  # what it fits
    outputs_per_target = 1  # numbers that it wants from the network for each target

    def __init__(self, n_targets, weight: float = 1.0):  # n_targets is given; weight is a setting, `loss.weight=2`
        super().__init__()
        self.weight = weight
        self.register_buffer("log_mean", torch.zeros(n_targets))  # a buffer is kept in checkpoints

    def prepare(self, y):  # all training counts, once, before the first step: so that an output of 0 is the mean
        self.log_mean = y.mean(0).clamp(min=1e-3).log()

    def log_rate(self, out):  # a network says any number; the rate is exp of it, so it is positive
        return (out + self.log_mean).clamp(max=15)  # and exp does not overflow

    def forward(self, out, y):  # out, y: [n, n_targets]; y in counts per bin
        log_rate = self.log_rate(out)
        nll = log_rate.exp() - y * log_rate
        return {"nll": self.weight * nll.mean()}  # terms by name, each one number; they are added up

    def predict(self, out):  # what the outputs mean: a rate, or a mean; a distribution if you have one
        return {"rate": self.log_rate(out).exp()}
