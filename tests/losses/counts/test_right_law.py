"""On rides of inflated zeros, fits of each family tell the distribution that was drawn from: log score and PIT on new
counts."""

import pytest
import torch

from dlthink.data.recordings.spikes import Spikes
from dlthink.losses.counts.poisson import Poisson
from dlthink.metrics.counts.noise import Noise
from tests.data.recordings.made import known_of
from tests.losses.counts.made_counts import COSTS

DISPERSION = {"zero_inflated_poisson": 0.0, "zero_inflated_negative_binomial": 0.5}


def drawn(distribution):
    """Of training and of test: the log of the true rates of two neurons, x: [n, 2], and their counts."""
    ride = Spikes(
        minutes=6.0, neurons=2, rate=60.0, history=0, dispersion=DISPERSION[distribution], zero_inflation=1 / 3
    )
    return [(known_of(split)["rate"].double().log(), split.targets().double()) for split in (ride.train, ride.test)]


def fitted(name, train, test):
    """What a GLM by this cost, fitted to the first, says of the second."""
    (x, k), (new_x, new_k) = train, test
    loss = (Poisson if name == "poisson" else COSTS[name])(2).double()
    loss.prepare(k)
    line = torch.nn.Linear(2, 2).double()
    for weight in line.parameters():  # one start for all: from some the search ends in another optimum
        torch.nn.init.zeros_(weight)
    search = torch.optim.LBFGS([*line.parameters(), *loss.parameters()], max_iter=25, line_search_fn="strong_wolfe")

    def cost():
        search.zero_grad()
        term = loss(line(x), k)["nll"]
        term.backward()
        return term

    search.step(cost)
    return Noise(loss.predict(line(new_x))["distribution"], new_k)


@pytest.mark.parametrize("distribution", ["zero_inflated_poisson", "zero_inflated_negative_binomial"])
def test_inflated_zeros_are_told(distribution):
    train, test = drawn(distribution)
    others = ["poisson", "negative_binomial"]
    others += ["zero_inflated_poisson"] if distribution == "zero_inflated_negative_binomial" else []
    right = fitted(distribution, train, test)
    assert right.pit_passes == 1
    for name in others:
        other = fitted(name, train, test)
        ahead = (right.log_prob - other.log_prob).flatten()
        assert ahead.mean() > 3 * ahead.std() / len(ahead) ** 0.5, name
        assert other.pit_passes < 1, name
