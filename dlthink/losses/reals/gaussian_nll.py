"""The likelihood of a Gaussian whose mean and spread both depend on the input."""

from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.normal import Normal
from dlthink.losses.reals._spread import Link, WithSpread, normal_nll


class GaussianNLL(WithSpread):
    """NLL = mean over samples and targets of e^2 / (2 s^2) + log s + log(2 pi) / 2,  e = z - mean.

    Elicits the whole distribution where it is Gaussian; of any other its mean and spread.

    out: [n, 2 n_targets], mean and spread s of each target, s through the link `spread`; z is y standardized. The term
    is complete, in nats per standardized target. Its gradient on the mean is -e / s^2: where the spread has learned to
    be large, the mean is hardly taught any more.

    Source: Nix & Weigend 1994, ICNN.
    """

    trained_for = ("nll",)

    def __init__(self, n_targets: int, spread: Link = "softplus", calibrate: Calibrate = "none"):
        super().__init__(n_targets, spread, calibrate)

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        mean, spread = self.mean_and_spread(out)
        return {"nll": self.average(normal_nll(self.standardize(y, mean) - mean, spread), y)}

    def distribution(self, out: Tensor) -> Normal:
        return Normal(*self.mean_and_spread(out))
