"""Poisson GLMs by full-batch L-BFGS: `trainer=lbfgs model=glm` against sklearn's PoissonRegressor.

20,000 bins, 1,000 weights a neuron: 50 signals, smooth over a few bins, in the 20 bins up to the present one.
Both sides start from the signals, gather the windows within their time, and compute in float32. dlthink's
clock is read when every neuron is at sklearn's final objective, to 1e-6 of it (float64, off the clock), and
again where dlthink stops by itself. sklearn penalizes each neuron by alpha/2 |w|^2, dlthink the mean over
neurons by l2/2 |w|^2, so alpha = l2 * neurons.
"""

import numpy as np
import torch
from clock import now, repeats, report
from ours import train
from sklearn.linear_model import PoissonRegressor
from torch import Tensor

BINS, SIGNALS, LAGS, NEURONS, ALPHA = 20_000, 50, 20, 50, 1e-3

torch.manual_seed(0)
bell = torch.exp(-0.5 * torch.arange(-4.0, 5.0) ** 2)  # a standard deviation of one bin
noise = torch.randn(SIGNALS, 1, BINS + LAGS - 1 + len(bell) - 1)
S = torch.conv1d(noise, (bell / bell.norm())[None, None])[:, 0].T.contiguous()


def windows() -> np.ndarray:
    """[BINS, LAGS * SIGNALS], oldest bin first. A copy: rows that overlap in memory slow BLAS down."""
    view = np.lib.stride_tricks.sliding_window_view(S.numpy(), LAGS, axis=0)
    return view.transpose(0, 2, 1).reshape(BINS, -1).copy()


X = torch.from_numpy(windows()).double()
Y = torch.poisson((X @ torch.randn(LAGS * SIGNALS, NEURONS).double() / 100 - 1).exp()).float()


def objective(weight: Tensor, bias: Tensor, y: Tensor) -> Tensor:
    """What sklearn minimizes, for each neuron: half the mean deviance + alpha/2 |w|^2."""
    weight, bias, y = weight.detach().double(), bias.detach().double(), y.double()
    log_rate = X @ weight.T + bias
    half = log_rate.exp() - y * log_rate + torch.special.xlogy(y, y) - y
    return half.mean(0) + ALPHA / 2 * weight.square().sum(1)


def one_by_one(y: Tensor) -> tuple[np.ndarray, Tensor]:
    """sklearn's seconds, and its final objectives."""
    began = now()
    x = windows()
    fits = [PoissonRegressor(alpha=ALPHA, solver="lbfgs").fit(x, counts) for counts in y.T.numpy()]
    seconds = now() - began
    weight = torch.tensor(np.array([fit.coef_ for fit in fits]))
    return seconds, objective(weight, torch.tensor([fit.intercept_ for fit in fits]), y)


def jointly(y: Tensor, target: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """dlthink's seconds until every neuron is at its target, and until the search stops by itself."""

    def enough(model, loss) -> bool:
        reached = objective(model.linear.weight, model.linear.bias + loss.log_mean, y)
        return bool((reached < target * (1 + 1e-6)).all())

    words = ["trainer=lbfgs", "model=glm", "loss=poisson", f"trainer.l2={ALPHA / y.shape[1]}"]
    trainer = train(words, S, y, history=LAGS - 1, enough=enough)
    assert trainer.reached is not None, "dlthink stops above sklearn's objective"
    return trainer.reached, trainer.seconds


def compare(name: str, y: Tensor, times: int, goal: float) -> None:
    peer, ours = [], []
    for _ in range(times):
        seconds, target = one_by_one(y)
        peer.append(seconds)
        ours.append(jointly(y, target))
    reached, stopped = map(list, zip(*ours, strict=True))
    report(name, goal, reached, peer)
    report("    until it stops by itself", None, stopped, peer)


if __name__ == "__main__":
    one = Y[:, :1].contiguous()
    jointly(one, one_by_one(one)[1])  # warms up
    compare("GLM of one neuron / sklearn", one, repeats(7), goal=1.5)
    compare("GLM of 50 neurons at once / one by one", Y, max(1, repeats(7) // 5), goal=0.35)
