"""The heteroscedastic sinusoid of Seitzer et al. 2022: where the plain likelihood gets stuck, and what does not."""

import math

import pytest
import torch
from torch import nn

from dlthink.losses.reals.beta_nll import BetaNLL
from dlthink.losses.reals.faithful import Faithful
from dlthink.losses.reals.gaussian_nll import GaussianNLL
from dlthink.losses.reals.mse import MSE

SPAN, LOW, HIGH = 4.0, 0.01, 0.1  # periods; noise at the left and the right end


class Network(nn.Module):
    """Two hidden layers of tanh; the columns `detached` are read from the last one with its input detached."""

    def __init__(self, width: int, detached: tuple[int, ...] = ()):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(1, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh())
        self.columns = nn.ModuleList(nn.Linear(128, 1) for _ in range(width))
        self.detached = detached

    def forward(self, x):
        h = self.trunk(x)
        return torch.cat([c(h.detach() if i in self.detached else h) for i, c in enumerate(self.columns)], 1)


def rmse(kind, seed=0, n=1000, steps=14_000, lr=3e-3):
    """Of the predicted mean against the true one, y = 0.4 sin(2 pi x) + noise, after training by Adam in batches."""
    g = torch.Generator().manual_seed(seed)
    x = SPAN * torch.rand(n, 1, generator=g)
    true = 0.4 * torch.sin(2 * math.pi * x)
    y = true + (LOW + (HIGH - LOW) * x / SPAN) * torch.randn(n, 1, generator=g)
    torch.manual_seed(seed)
    loss = kind(1)
    loss.prepare(y)
    network = Network(loss.outputs_per_target, getattr(loss, "detached", ()))
    loss.gradient_stopped = True  # the network sees to it
    optimizer = torch.optim.Adam(network.parameters(), lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        i = torch.randint(n, (128,), generator=g)
        optimizer.zero_grad()
        sum(loss(network(x[i]), y[i]).values()).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return float((loss.predict(network(x))["mean"] - true).square().mean().sqrt())


@pytest.fixture(scope="module")
def squared():
    return rmse(MSE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [BetaNLL, Faithful])
def test_these_predict_means_as_well_as_the_squared_error(kind, squared):
    assert rmse(kind) <= 1.05 * squared


@pytest.mark.slow
def test_the_plain_likelihood_does_not(squared):
    assert rmse(GaussianNLL) > 1.5 * squared
