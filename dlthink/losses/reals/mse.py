"""The squared error: what one writes down before asking how the targets scatter."""

from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.normal import Normal
from dlthink.losses.reals._shared_spread import SharedSpread


class MSE(SharedSpread):
    """MSE = mean over samples and targets of (out - (y - mean) / std)^2.

    Elicits the mean.

    out and y: [n, n_targets]; y in its own units (counts per bin, ppm, ...). Targets are standardized inside, by the
    `mean` and `std` of each over the training samples, so that each weighs the same and out = 0 predicts the mean. The
    term has no unit: 1 is no better than predicting the mean.

    It is the likelihood of a Gaussian whose spread is one number per target (Bishop 2006, equation 1.62): the root mean
    squared residual on validation. For counts it is an identity link: nothing keeps a predicted mean above zero.
    """

    targets = {"counts", "reals"}
    trained_for = ("rmse",)

    def __init__(self, n_targets: int, calibrate: Calibrate = "none"):
        super().__init__(n_targets, calibrate)

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"mse": self.average(self.residual(out, y).square(), y)}

    def family(self, mean: Tensor, spread: Tensor) -> Normal:
        return Normal(mean, spread)
