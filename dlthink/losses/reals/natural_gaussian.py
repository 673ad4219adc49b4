"""The Gaussian likelihood in its natural parameters, in which it is convex."""

import math

from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.normal import Normal
from dlthink.losses.reals._reals import Reals
from dlthink.losses.reals._spread import positive

FLOOR = 1e-14  # of the precision: the spread stays below 1e7 std of the target


class NaturalGaussian(Reals):
    """NLL = mean over samples and targets of (p z - eta1)^2 / (2 p) - log(p) / 2 + log(2 pi) / 2,  p = -2 eta2 > 0.

    Elicits the whole distribution where it is Gaussian; of any other its mean and spread.

    This is -eta1 z - eta2 z^2 - eta1^2 / (4 eta2) - log(-2 eta2) / 2 + log(2 pi) / 2 with its square completed, so that
    nothing large cancels. out: [n, 2 n_targets], eta1 and, through a softplus that is 1 at 0, the precision p. The
    mean is eta1 / p, the spread p^(-1/2). In nats per standardized target.

    Source: Immer et al. 2023, NeurIPS (effective Bayesian heteroscedastic regression).
    """

    outputs_per_target = 2
    trained_for = ("nll",)

    def __init__(self, n_targets: int, calibrate: Calibrate = "none"):
        super().__init__(n_targets, calibrate)

    def natural(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """eta1 and the precision, each [n, (members,) n_targets]."""
        eta, raw = self.columns(out)
        return eta, positive(raw, floor=FLOOR)

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        eta, precision = self.natural(out)
        root = precision.sqrt()
        error = root * self.standardize(y, eta) - eta / root
        return {"nll": self.average(0.5 * error.square() - root.log() + 0.5 * math.log(2 * math.pi), y)}

    def distribution(self, out: Tensor) -> Normal:
        eta, precision = self.natural(out)
        return Normal(eta / precision, precision.rsqrt())
