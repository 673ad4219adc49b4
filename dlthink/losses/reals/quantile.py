"""The pinball cost: quantiles without any family of distributions."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.calibration.conformity import QuantileError
from dlthink.distributions.quantiles import Quantiles
from dlthink.errors import BadInput
from dlthink.losses.reals._reals import Reals

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


class Quantile(Reals):
    """Pinball = mean over samples, targets and levels of max(p e, (p - 1) e),  e = z - q_p,  z = (y - mean_y) / std_y.

    Elicits quantiles, of any distribution.

    out: [n, len(levels) n_targets]; q_p = out + Phi^-1(p), so that out = 0 is the Gaussian with the targets' mean and
    spread. Half the CRPS when levels are many and even. Quantiles are sorted when they are read, so they never cross;
    between them the distribution is uniform, beyond them exponential, with a density that does not jump there. The
    mean that is read out is the integral of this quantile function, not the median.

    Raises BadInput unless there are at least two different levels, all between 0 and 1. Source: Koenker & Bassett 1978,
    Econometrica 46.
    """

    levels: Tensor  # [levels], ascending
    start: Tensor  # [levels], the quantiles of a normal variable
    conformity = QuantileError

    def __init__(self, n_targets: int, levels: Sequence[float] = LEVELS, calibrate: Calibrate = "none"):
        super().__init__(n_targets, calibrate)
        if len(levels) < 2 or len(set(levels)) < len(levels) or not all(0 < p < 1 for p in levels):
            raise BadInput(f"loss.levels={list(levels)}: must be two or more different numbers between 0 and 1")
        self.outputs_per_target = len(levels)
        ascending = torch.tensor(sorted(levels), dtype=torch.float64)
        self.register_buffer("levels", ascending.float(), persistent=False)
        self.register_buffer("start", torch.special.ndtri(ascending).float(), persistent=False)

    def quantiles(self, out: Tensor) -> Tensor:
        """As the network says them, in ascending order of level: [n, (members,) n_targets, levels]."""
        return torch.stack(self.columns(out), -1) + self.start

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        error = self.standardize(y, out).unsqueeze(-1) - self.quantiles(out)
        pinball = torch.maximum(self.levels * error, (self.levels - 1) * error).mean(-1)
        return {"pinball": self.average(pinball, y)}

    def distribution(self, out: Tensor) -> Quantiles:
        return Quantiles(self.quantiles(out), self.levels)
