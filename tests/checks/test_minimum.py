"""The smallest cost of one that draws by chance: averaged over draws, with its standard error."""

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from dlthink.checks.elicitation import first
from dlthink.checks.functionals import NEAR
from dlthink.checks.minimum import minimise
from dlthink.checks.truth import gathered, normal
from tests.checks.run_checks import checked, failed, is_caught


class Blurred(nn.Module):
    """The squared error of an answer that noise has moved."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise

    def forward(self, out, y):
        return {"e": (out + self.noise * torch.randn_like(out) - y).square().mean()}

    def predict(self, out):
        return {"mean": out}


class Energy(nn.Module):
    """E|X - y| - E|X - X'| / 2 by draws of a normal distribution. Elicits the whole distribution."""

    targets = {"reals"}
    outputs_per_target = 2

    def __init__(self, n_targets, draws=8, pairs_of_different=True):
        super().__init__()
        self.draws, self.pairs = draws, draws * (draws - 1 if pairs_of_different else draws)
        self.register_buffer("mean", torch.zeros(n_targets))
        self.register_buffer("std", torch.ones(n_targets))

    def prepare(self, y):
        self.mean, self.std = y.mean(0), y.std(0)

    def family(self, out):
        middle, wide = out.unflatten(-1, (-1, 2)).unbind(-1)
        return torch.distributions.Normal(self.mean + self.std * middle, self.std * (softplus(wide) + 1e-3))

    def forward(self, out, y):
        x = self.family(out).rsample((self.draws,))
        apart = (x[:, None] - x).abs().sum((0, 1)) / self.pairs
        return {"energy": (((x - y).abs().mean(0) - apart / 2) / self.std).mean()}

    def predict(self, out):
        read = self.family(out)
        return {"mean": read.mean, "std": read.stddev, "distribution": read}


def test_of_a_cost_that_draws_the_minimum_is_a_mean_and_its_noise_is_known():
    truth = gathered([[normal(200, 1.0, 1.0)], [normal(200, 5.0, 2.0)]], "normal distributions")
    start = first(torch.empty(2, 1))
    still, moved = (minimise(Blurred(noise).double(), truth, start) for noise in (0.0, 1.0))
    assert still.noise == 0 and float((still.answers - truth.mean).abs().max()) < 1e-6
    off = float(((moved.answers - truth.mean) / truth.std).abs().max())
    assert 0.01 < moved.noise < 0.06 and off < moved.allowed(0.0)  # 1 / sqrt(200 * 5) is 0.03
    assert still.allowed(NEAR) == NEAR


@pytest.mark.slow
@pytest.mark.parametrize("draws", [8, 3])
def test_an_energy_score_of_draws_is_no_false_alarm(draws):
    report = checked(Energy, draws=draws)
    assert not failed(report) and report.elicits == "whole distribution", report
    assert report["mean or sum"].outcome == report["units"].outcome == "passed"


@pytest.mark.slow
def test_an_energy_score_of_all_pairs_is_caught():
    is_caught(checked(Energy, pairs_of_different=False), "proper score", "of m (m - 1) and not of m^2")
