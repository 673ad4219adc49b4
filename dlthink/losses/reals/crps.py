"""The continuous ranked probability score: a whole distribution scored in the units of its target."""

from typing import Literal

from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.laplace import Laplace, laplace_crps
from dlthink.distributions.normal import Normal, normal_crps
from dlthink.losses.reals._spread import Link, WithSpread

Family = Literal["normal", "laplace"]


class CRPS(WithSpread):
    """CRPS = mean over samples and targets of the integral of (F(x) - 1[x >= z])^2 dx, F the predicted cdf.

    Elicits the whole distribution where it is of that family.

    normal:  e (2 Phi(e / s) - 1) + s (2 phi(e / s) - 1 / sqrt(pi))   (Gneiting & Raftery 2007, equation 21)
    laplace: |e| + s exp(-|e| / s) - 3 s / 4                          (Jordan, Krüger & Lerch 2019)

    out: [n, 2 n_targets], centre and spread s of each target, s through the link `spread`; e = z - centre. In std of
    the target; without a spread it would be the absolute error. No log is in it: with spread=raw it does not fail as a
    likelihood does, but falls below zero without bound as s does.
    """

    trained_for = ("crps",)

    def __init__(
        self,
        n_targets: int,
        family: Family = "normal",
        spread: Link = "softplus",
        calibrate: Calibrate = "none",
    ):
        super().__init__(n_targets, spread, calibrate)
        self.family = family

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        mean, spread = self.mean_and_spread(out)
        score = normal_crps if self.family == "normal" else laplace_crps
        return {"crps": self.average(score(self.standardize(y, mean) - mean, spread), y)}

    def distribution(self, out: Tensor) -> Normal | Laplace:
        return (Normal if self.family == "normal" else Laplace)(*self.mean_and_spread(out))
