"""GLMs of a real table by each family against statsmodels: 20,190 people and their visits to a doctor (randhie)."""

import numpy as np
import pytest
import torch

from dlthink.models.glm import GLM
from tests.losses.counts.made_counts import COSTS

PEERS = {  # of statsmodels: module, class, settings, how many of its parameters stand before the intercept
    "negative_binomial": ("discrete_model", "NegativeBinomialP", {"p": 2}, 0),
    "generalized_poisson": ("discrete_model", "GeneralizedPoisson", {"p": 2}, 0),
    "zero_inflated_poisson": ("count_model", "ZeroInflatedPoisson", {}, 1),
    "zero_inflated_negative_binomial": ("count_model", "ZeroInflatedNegativeBinomialP", {"p": 2}, 1),
}


def table(every):
    """x [n, 9] standardized, y [n]."""
    data = pytest.importorskip("statsmodels.datasets").randhie.load_pandas()
    x, y = data.exog.to_numpy(float)[::every], data.endog.to_numpy(float)[::every]
    return (x - x.mean(0)) / x.std(0), y


def fitted(name, x, y):
    """The log likelihood of a row at the optimum, and the weights."""
    k, numbers = torch.from_numpy(y)[:, None], torch.from_numpy(x)[:, None]
    loss, model = COSTS[name](1).double(), GLM(x.shape[1], n_out=1).double()
    loss.prepare(k)
    both = [*model.parameters(), *loss.parameters()]
    search = torch.optim.LBFGS(both, max_iter=400, tolerance_change=1e-13, line_search_fn="strong_wolfe")

    def asked():
        search.zero_grad()
        value = loss(model(numbers), k)["nll"]
        value.backward()
        return value

    search.step(asked)
    return -float(asked().detach()), model.linear.weight.detach()[0].numpy()


@pytest.mark.parametrize("every", [pytest.param(20, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PEERS)
def test_likelihood_and_weights_are_those_of_statsmodels(name, every):
    module, peer, settings, before = PEERS[name]
    x, y = table(every)
    ours, weights = fitted(name, x, y)
    model = getattr(pytest.importorskip(f"statsmodels.discrete.{module}"), peer)
    fit = model(y, np.column_stack([np.ones(len(y)), x]), **settings).fit(
        method="bfgs", maxiter=2000, gtol=1e-6, disp=0
    )
    assert ours == pytest.approx(fit.llf / len(y), abs=1e-6)
    np.testing.assert_allclose(weights, fit.params[before + 1 : before + 10], atol=1e-4)
