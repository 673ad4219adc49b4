"""The absolute error: one wild target pulls no harder than any other."""

from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.laplace import Laplace
from dlthink.losses.reals._shared_spread import SharedSpread


class MAE(SharedSpread):
    """MAE = mean over samples and targets of |out - (y - mean) / std|.

    Elicits the median.

    out and y: [n, n_targets]. It is the likelihood of a Laplace distribution whose scale
    is one number per target: the mean absolute residual on validation.
    """

    trained_for = ("mae",)

    def __init__(self, n_targets: int, calibrate: Calibrate = "none"):
        super().__init__(n_targets, calibrate)

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"mae": self.average(self.residual(out, y).abs(), y)}

    def family(self, mean: Tensor, spread: Tensor) -> Laplace:
        return Laplace(mean, spread)
