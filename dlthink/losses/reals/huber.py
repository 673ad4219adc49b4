"""Huber's cost: squared for small errors, absolute for large ones."""

import math

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.huber import LeastFavourable
from dlthink.errors import BadInput
from dlthink.losses.reals._shared_spread import SharedSpread


class Huber(SharedSpread):
    """mean over samples and targets of rho(e): e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2).

    Elicits a centre between median and mean.

    e = out - (y - mean) / std; out and y: [n, n_targets]; delta in std of the target. For any spread s, rho(e) / s^2 is
    the likelihood of Huber's least favourable distribution with scale s: a Gaussian as far as delta, exponential
    beyond. s is one number per target, the most likely on validation.

    Raises BadInput unless delta > 0. Source: Huber 1964, Ann. Math. Statist. 35.
    """

    def __init__(self, n_targets: int, delta: float = 1.0, calibrate: Calibrate = "none"):
        super().__init__(n_targets, calibrate)
        if not 0 < delta < math.inf:
            raise BadInput(f"loss.delta={delta}: must be above 0, in standard deviations of the target")
        self.delta = delta

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        error = self.residual(out, y)
        rho = huber_loss(error, torch.zeros_like(error), reduction="none", delta=self.delta)
        return {"huber": self.average(rho, y)}

    def family(self, mean: Tensor, spread: Tensor) -> LeastFavourable:
        return LeastFavourable(mean, spread, self.delta / spread)
