"""Samples and the list of all costs of real numbers, for their tests."""

import torch
from torch import Tensor

from dlthink.losses.reals._positive import Positive
from dlthink.losses.reals.beta_nll import BetaNLL
from dlthink.losses.reals.crps import CRPS
from dlthink.losses.reals.faithful import Faithful
from dlthink.losses.reals.gamma import GammaNLL
from dlthink.losses.reals.gaussian_nll import GaussianNLL
from dlthink.losses.reals.huber import Huber
from dlthink.losses.reals.laplace_nll import LaplaceNLL
from dlthink.losses.reals.lognormal import LogNormalNLL
from dlthink.losses.reals.mae import MAE
from dlthink.losses.reals.mse import MSE
from dlthink.losses.reals.natural_gaussian import NaturalGaussian
from dlthink.losses.reals.quantile import Quantile
from dlthink.losses.reals.student_t import StudentTNLL

COSTS = {
    "mse": (MSE, {}),
    "mae": (MAE, {}),
    "huber": (Huber, {"delta": 0.7}),
    "gaussian_nll": (GaussianNLL, {}),
    "beta_nll": (BetaNLL, {}),
    "faithful": (Faithful, {}),
    "natural_gaussian": (NaturalGaussian, {}),
    "laplace_nll": (LaplaceNLL, {}),
    "student_t": (StudentTNLL, {}),
    "student_t_fixed": (StudentTNLL, {"df": 4}),
    "lognormal": (LogNormalNLL, {}),
    "gamma": (GammaNLL, {}),
    "crps": (CRPS, {}),
    "crps_laplace": (CRPS, {"family": "laplace"}),
    "quantile": (Quantile, {}),
    "quantile_few": (Quantile, {"levels": [0.9, 0.1, 0.3]}),
}


def build(name: str, targets: int = 2, dtype: torch.dtype = torch.float64, **settings):
    kind, own = COSTS[name]
    return kind(targets, **(own | settings)).to(dtype)


def best_answer(loss, y: Tensor, *more: Tensor) -> Tensor:
    """The one answer to all of y that costs least, [outputs], by L-BFGS; `more` of the cost is fitted with it."""
    out = torch.zeros(loss.outputs_per_target, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([out, *more], max_iter=100, line_search_fn="strong_wolfe")

    def again():
        search.zero_grad()
        cost = loss(out.expand(len(y), -1), y)["nll"]
        cost.backward()
        return cost

    search.step(again)
    return out.detach()


def sample(loss, n: int = 40, members: int | None = None, seed: int = 0) -> tuple[Tensor, Tensor]:
    """An answer of the right shape, and targets in units of their own; `loss` is prepared on them."""
    g = torch.Generator().manual_seed(seed)
    dtype, targets = loss.mean.dtype, len(loss.mean)
    shape = (
        (n, loss.outputs_per_target * targets) if members is None else (n, members, loss.outputs_per_target * targets)
    )
    out = torch.randn(shape, generator=g, dtype=dtype)
    y = 100 + 30 * torch.randn(n, targets, generator=g, dtype=dtype) * torch.arange(1, targets + 1)
    y = (y / 100).exp() if isinstance(loss, Positive) else y
    loss.prepare(y)
    return out, y


def standardized(y: Tensor) -> Tensor:
    return (y - y.mean(0)) / y.std(0, correction=0)
