"""The likelihood of a Laplace distribution whose centre and scale both depend on the input."""

from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.laplace import Laplace
from dlthink.losses.reals._spread import Link, WithSpread, laplace_nll


class LaplaceNLL(WithSpread):
    """NLL = mean over samples and targets of |z - mean| / b + log 2 b,  z = (y - mean_y) / std_y.

    Elicits the whole distribution where it is Laplace's; of any other its median.

    out: [n, 2 n_targets], centre and scale b of each target, b through the link `spread`; the std that is read out is
    b sqrt(2). In nats per standardized target. A wild target pulls with 1 / b, not with its distance.
    """

    trained_for = ("nll",)

    def __init__(self, n_targets: int, spread: Link = "softplus", calibrate: Calibrate = "none"):
        super().__init__(n_targets, spread, calibrate)

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        mean, spread = self.mean_and_spread(out)
        return {"nll": self.average(laplace_nll(self.standardize(y, mean) - mean, spread), y)}

    def distribution(self, out: Tensor) -> Laplace:
        return Laplace(*self.mean_and_spread(out))
