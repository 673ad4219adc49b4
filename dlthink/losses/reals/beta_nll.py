"""The Gaussian likelihood, weighted so that places with a large spread still teach the mean."""

from torch import Tensor

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.normal import Normal
from dlthink.errors import BadInput
from dlthink.losses.reals._spread import Link, WithSpread, normal_nll


class BetaNLL(WithSpread):
    """mean over samples and targets of sg(s^(2 beta)) (e^2 / (2 s^2) + log s + log(2 pi) / 2), sg: no gradient through.

    Elicits the whole distribution where it is Gaussian; of any other its mean and spread.

    out: [n, 2 n_targets], mean and spread s of each target; e = z - mean. beta = 0 is the likelihood itself; beta = 1
    gives the mean the gradient of a squared error. The value of the term is no log score: weights change with s.

    Raises BadInput unless 0 <= beta <= 1. Source: Seitzer et al. 2022, ICLR.
    """

    def __init__(self, n_targets: int, beta: float = 0.5, spread: Link = "softplus", calibrate: Calibrate = "none"):
        super().__init__(n_targets, spread, calibrate)
        if not 0 <= beta <= 1:
            raise BadInput(f"loss.beta={beta}: must be from 0 (the likelihood) to 1 (the mean learns as by loss=mse)")
        self.beta = beta

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        mean, spread = self.mean_and_spread(out)
        nll = normal_nll(self.standardize(y, mean) - mean, spread)
        return {"beta_nll": self.average(spread.detach() ** (2 * self.beta) * nll, y)}

    def distribution(self, out: Tensor) -> Normal:
        return Normal(*self.mean_and_spread(out))
