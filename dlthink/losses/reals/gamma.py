"""The likelihood of a gamma distribution: times, amounts and intensities whose spread grows with their mean."""

from torch import Tensor

from dlthink.distributions.gamma import Gamma, log_norm, log_ratio_cost
from dlthink.losses.reals._positive import Positive
from dlthink.losses.reals._spread import CEILING


class GammaNLL(Positive):
    """NLL = mean over samples and targets of k (z / mu - 1 - log(z / mu)) + log z + lgamma(k) - k log k + k.

    Elicits the whole distribution where it is gamma; of any other its mean.

    z = y / std_y. out: [n, 2 n_targets], of each target log mu, in units of u = sqrt(log(1 + (std_y / mean_y)^2)) about
    the log of the mean, and the relative spread 1 / sqrt(k), u times the link `spread`. Targets are above 0; the std
    that is read out is mu / sqrt(k). In nats per standardized target, complete. A target more than exp(20) times the
    mean that is said goes on along the tangent.

    Raises BadInput for targets of 0 or below. Source: McCullagh & Nelder 1989, Generalized Linear Models, chapter 8.
    """

    def moments(self, z: Tensor) -> tuple[Tensor, Tensor]:
        mean = z.nanmean(0)
        relative = (z / mean - 1).square().nanmean(0)
        return mean.log(), relative.log1p().sqrt()

    def density(self, log_z: Tensor, place: Tensor, width: Tensor) -> Tensor:
        shape = width.square().reciprocal()
        return -log_norm(shape) - shape * log_ratio_cost(log_z - place, CEILING) - log_z

    def distribution(self, out: Tensor) -> Gamma:
        place, width = self.place_and_width(out)
        return Gamma(place, width.square().reciprocal())
