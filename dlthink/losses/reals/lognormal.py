"""The likelihood of a log-normal distribution: of prices and amounts, whose logarithm scatters as a Gaussian."""

import math

from torch import Tensor

from dlthink.distributions.lognormal import LogNormal
from dlthink.losses.reals._positive import Positive


class LogNormalNLL(Positive):
    """NLL = mean over samples and targets of (log z - m)^2 / (2 s^2) + log s + log(2 pi) / 2 + log z,  z = y / std_y.

    Elicits the whole distribution where it is log-normal; of any other mean and spread of its logarithm.

    out: [n, 2 n_targets], m and s of each target, in std of log y, s through the link `spread`. Targets are above 0.
    The mean that is read out is exp(m + s^2 / 2), above the median exp(m). In nats per standardized target, complete,
    log z (the slope of the logarithm) included, so that the term may be compared with those of other likelihoods.

    Raises BadInput for targets of 0 or below. Source: Crow & Shimizu 1988, Lognormal Distributions.
    """

    def moments(self, z: Tensor) -> tuple[Tensor, Tensor]:
        log_z = z.log()
        centre = log_z.nanmean(0)
        return centre, (log_z - centre).square().nanmean(0).sqrt()

    def density(self, log_z: Tensor, place: Tensor, width: Tensor) -> Tensor:
        return -0.5 * ((log_z - place) / width).square() - width.log() - 0.5 * math.log(2 * math.pi) - log_z

    def distribution(self, out: Tensor) -> LogNormal:
        return LogNormal(*self.place_and_width(out))
