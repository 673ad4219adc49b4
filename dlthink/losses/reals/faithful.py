"""A mean as good as the squared error's, and a spread beside it that cannot spoil it."""

from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.normal import Normal
from dlthink.errors import BadInput
from dlthink.losses.reals._spread import Link, WithSpread, normal_nll


class Faithful(WithSpread):
    """mean over samples and targets of e^2 / 2, plus that of sg(e)^2 / (2 s^2) + log s + log(2 pi) / 2.

    Elicits the whole distribution where it is Gaussian; of any other its mean and spread.

    out: [n, 2 n_targets], mean and spread s of each target; e = z - mean; sg: no gradient through. The mean learns by
    the squared error alone, the spread by the likelihood with the mean as it is. Nor may the spread shape what both are
    read from: `detached` names the columns that the network reads from its last layer with that layer's input detached.

    Raises BadInput where a network's outputs come without that.
    Source: Stirn et al. 2023, AISTATS (faithful heteroscedastic regression).
    """

    detached = (1,)
    gradient_stopped = False  # until somebody has seen to the above

    def __init__(self, n_targets: int, spread: Link = "softplus", calibrate: Calibrate = "none"):
        super().__init__(n_targets, spread, calibrate)

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        if out.grad_fn is not None and not self.gradient_stopped:  # a network's, whose last layer knows nothing of it
            raise BadInput(
                "loss=faithful: its spread must not shape the network; in a training loop of your own call "
                "dlthink.training.stop_gradient.stop_gradient(network, loss) first"
            )
        mean, spread = self.mean_and_spread(out)
        error = self.standardize(y, mean) - mean
        nll = normal_nll(error.detach(), spread)
        return {"half_square": 0.5 * self.average(error.square(), y), "nll": self.average(nll, y)}

    def distribution(self, out: Tensor) -> Normal:
        return Normal(*self.mean_and_spread(out))
