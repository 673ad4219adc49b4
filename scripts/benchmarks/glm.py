"""Poisson GLMs by full-batch L-BFGS: `trainer=lbfgs model=glm` against sklearn's PoissonRegressor and nemos.

    NEMOS=path/to/python python scripts/bench.py glm

20,000 bins, 1,000 weights a neuron: 50 signals in the 20 bins up to the present one, smooth over a few bins as
behaviour is; or white noise, on which sklearn needs only seven evaluations; or 200 weights, of 4 bins.
Both sides start from the signals, gather the windows within their time, and compute in float32. dlthink's
clock is read when every neuron is at sklearn's final objective, to 1e-6 of it (float64, off the clock), and
again where dlthink stops by itself; with 200 weights that is by a tolerance of 1e-9, since by its own it stops when
the worst neuron is still 3e-6 above sklearn's, 7e-6 above nemos'. sklearn penalizes each neuron by alpha/2 |w|^2,
dlthink the mean over neurons by the mean of their l2/2 |w|^2, so alpha is l2.
nemos lives in an environment of its own (pip install nemos); its PopulationGLM fits all neurons by L-BFGS, one thread,
and is timed on its second fit, since the first compiles.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from clock import now, repeats, report
from ours import train, windows
from sklearn.linear_model import PoissonRegressor
from torch import Tensor

BINS, SIGNALS, LAGS, NEURONS, ALPHA = 20_000, 50, 20, 50, 1e-3
FLAT = ["optim.tolerance_change=1e-9"]
ONE_THREAD = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}  # nemos computes by XLA


class Problem:
    """Signals [BINS + lags - 1, SIGNALS], their windows [BINS, lags * SIGNALS] in float64, and counts of neurons."""

    def __init__(self, smooth: bool, lags: int = LAGS, words: Sequence[str] = ()):
        torch.manual_seed(0)
        self.lags, self.words = lags, words
        bell = torch.exp(-0.5 * torch.arange(-4.0, 5.0) ** 2) if smooth else torch.ones(1)  # s.d. of one bin
        noise = torch.randn(SIGNALS, 1, BINS + lags - 1 + len(bell) - 1)
        self.signals = torch.conv1d(noise, (bell / bell.norm())[None, None])[:, 0].T.contiguous()
        self.x = torch.from_numpy(self.windows()).double()
        self.y = torch.poisson((self.x @ torch.randn(lags * SIGNALS, NEURONS).double() / 100 - 1).exp()).float()

    def windows(self) -> np.ndarray:
        """Oldest bin first. A copy: rows that overlap in memory slow BLAS down."""
        view = np.lib.stride_tricks.sliding_window_view(self.signals.numpy(), self.lags, axis=0)
        return view.transpose(0, 2, 1).reshape(BINS, -1).copy()

    def objective(self, weight: Tensor, bias: Tensor) -> Tensor:
        """What sklearn minimizes, for each of the first neurons: half the mean deviance + alpha/2 |w|^2."""
        weight, bias, y = weight.detach().double(), bias.detach().double(), self.y[:, : len(bias)].double()
        log_rate = self.x @ weight.T + bias
        half = log_rate.exp() - y * log_rate + torch.special.xlogy(y, y) - y
        return half.mean(0) + ALPHA / 2 * weight.square().sum(1)

    def one_by_one(self, neurons: int) -> tuple[np.ndarray, Tensor]:
        """sklearn's seconds, and its final objectives."""
        began = now()
        x, counts = self.windows(), self.y.T.numpy()[:neurons]
        fits = [PoissonRegressor(alpha=ALPHA, solver="lbfgs").fit(x, k) for k in counts]
        seconds = now() - began
        weight = torch.tensor(np.array([fit.coef_ for fit in fits]))
        return seconds, self.objective(weight, torch.tensor([fit.intercept_ for fit in fits]))

    def by_nemos(self, neurons: int) -> tuple[np.ndarray, Tensor]:
        """nemos' seconds, and its final objectives."""
        with tempfile.TemporaryDirectory() as folder:
            problem, fit = Path(folder) / "problem.npz", Path(folder) / "fit.npz"
            np.savez(problem, x=self.windows(), y=self.y[:, :neurons].numpy(), alpha=ALPHA)
            command = [os.environ["NEMOS"], Path(__file__).with_name("nemos_fit.py"), problem, fit]
            subprocess.run(command, check=True, env=os.environ | ONE_THREAD)
            found = np.load(fit)
            weight, bias = (torch.from_numpy(found[name]) for name in ("weight", "bias"))
            return found["seconds"], self.objective(weight, bias)

    def jointly(self, neurons: int, target: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """dlthink's seconds until every neuron is at its target, and until the search stops by itself."""

        def enough(trainer) -> bool:
            linear = trainer.model.linear
            reached = self.objective(linear.weight, linear.bias + trainer.loss.log_mean)
            return bool((reached < target * (1 + 1e-6)).all())

        words = ["trainer=lbfgs", "model=glm", "loss=poisson", f"trainer.l2={ALPHA}", *self.words]
        counts = self.y[:, :neurons].contiguous()
        trainer = train(words, windows(self.signals, counts, history=self.lags - 1), enough)
        assert trainer.reached is not None, "dlthink stops above the other's objective"
        return trainer.reached, trainer.seconds

    def compare(self, name: str, neurons: int, times: int, goal: float, by: Callable | None = None) -> None:
        peer, ours = [], []
        for _ in range(times):
            seconds, target = (by or self.one_by_one)(neurons)
            peer.append(seconds)
            ours.append(self.jointly(neurons, target))
        reached, stopped = map(list, zip(*ours, strict=True))
        report(name, goal, reached, peer)
        report("    until it stops by itself", None, stopped, peer)


if __name__ == "__main__":
    smooth, white = Problem(smooth=True), Problem(smooth=False)
    smooth.jointly(1, smooth.one_by_one(1)[1])  # warms up
    smooth.compare("GLM of one neuron / sklearn", 1, repeats(7), goal=1.5)
    white.compare("GLM of one neuron, white inputs / sklearn", 1, repeats(7), goal=1.5)
    smooth.compare("GLM of 50 neurons at once / one by one", 50, max(1, repeats(7) // 5), goal=0.35)
    small, times = Problem(smooth=True, lags=4, words=FLAT), max(1, repeats(7) // 2)
    small.compare("GLM of 50 neurons, 200 weights / one by one", 50, times, goal=0.35)
    if "NEMOS" in os.environ:
        small.compare("GLM of 50 neurons, 200 weights / nemos", 50, times, goal=0.2, by=small.by_nemos)
