"""Costs whose network says a mean alone: one spread for each target, fitted on validation."""

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.calibration.calibrate import Calibrate
from dlthink.calibration.maximum_likelihood import highest, known_mean
from dlthink.distributions.mixture import Mixture
from dlthink.losses.reals._reals import Reals


class SharedSpread(Reals):
    """A cost of residuals, and the `family(mean, spread)` of which it is the likelihood, with one spread per target.

    `spread`: [n_targets], in std of the targets, the most likely one on validation; of an ensemble, that of the
    mixture. Before the first `fit_on_validation` it is 1.
    """

    spread: Tensor  # [n_targets]
    outputs_per_target = 1

    def __init__(self, n_targets: int, calibrate: Calibrate = "none"):
        super().__init__(n_targets, calibrate)
        self.register_buffer("spread", torch.ones(n_targets))

    def family(self, mean: Tensor, spread: Tensor) -> Distribution:
        raise NotImplementedError

    def residual(self, out: Tensor, y: Tensor) -> Tensor:
        """What the network says less what is true, in std of the targets."""
        (mean,) = self.columns(out)
        return mean - self.standardize(y, mean)

    def distribution(self, out: Tensor) -> Distribution:
        (mean,) = self.columns(out)
        return self.family(mean, self.spread.to(mean))

    def fit(self, out: Tensor, z: Tensor) -> None:
        (mean,) = self.columns(out)

        def score(spread: Tensor) -> Tensor:
            members = self.family(mean, spread.to(mean).expand(self.n_targets))
            return known_mean((Mixture(members) if out.ndim == 3 else members).log_prob(z.nan_to_num()), z)

        self.spread.copy_(torch.where(z.isnan().all(0), self.spread, highest(score, 1e-6, 1e3)))
