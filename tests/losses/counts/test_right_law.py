"""Where zeros are inflated, fits of each family tell the law that was drawn from: log score and PIT on new counts."""

import numpy as np
import pytest
import torch

from dlthink.losses.counts.poisson import Poisson
from dlthink.metrics.counts.noise import Noise
from tests.losses.counts.made_counts import COSTS

ROWS = 1500


def drawn(law, seed):
    """A covariate x: [2 ROWS, 1] and counts of two targets, a third of them set to zero whatever the mean."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2 * ROWS, 1))
    mean = np.exp(1 + 0.5 * x + [0.0, 0.4])
    if law == "zero_inflated_negative_binomial":
        mean = mean * rng.gamma(2.0, 0.5, mean.shape)
    k = rng.poisson(mean) * (rng.random(mean.shape) > 1 / 3)
    return torch.from_numpy(x), torch.from_numpy(k).double()


def fitted(name, x, k):
    """What a GLM by this cost, fitted to the first half, says of the second."""
    loss = (Poisson if name == "poisson" else COSTS[name])(2).double()
    loss.prepare(k[:ROWS])
    line = torch.nn.Linear(1, 2).double()
    for weight in line.parameters():  # one start for all: from some the search ends in another optimum
        torch.nn.init.zeros_(weight)
    search = torch.optim.LBFGS([*line.parameters(), *loss.parameters()], max_iter=25, line_search_fn="strong_wolfe")

    def cost():
        search.zero_grad()
        term = loss(line(x[:ROWS]), k[:ROWS])["nll"]
        term.backward()
        return term

    search.step(cost)
    return Noise(loss.predict(line(x[ROWS:]))["distribution"], k[ROWS:])


@pytest.mark.parametrize("law", ["zero_inflated_poisson", "zero_inflated_negative_binomial"])
def test_inflated_zeros_are_told(law):
    x, k = drawn(law, seed=0)
    others = ["poisson", "negative_binomial"]
    others += ["zero_inflated_poisson"] if law == "zero_inflated_negative_binomial" else []
    right = fitted(law, x, k)
    assert right.pit_passes == 1
    for name in others:
        other = fitted(name, x, k)
        ahead = (right.log_prob - other.log_prob).flatten()
        assert ahead.mean() > 3 * ahead.std() / len(ahead) ** 0.5, name
        assert other.pit_passes < 1, name
