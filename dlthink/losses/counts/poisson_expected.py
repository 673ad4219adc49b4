"""The expected log likelihood of Poisson counts: the mean rate of a linear predictor by its mean and variance alone."""

import torch
from torch import Tensor

from dlthink.losses.counts._counts import CEILING
from dlthink.losses.counts.poisson import Poisson


class PoissonExpected(Poisson):
    """NLL = exp(m + v / 2) - mean of k log rate + mean of log k!,  log rate = out + log_mean, m and v its mean and
    variance over the samples.

    Elicits the mean where log rates are linear in Gaussian covariates, as `poisson` does: exp(m + v / 2) is then the
    expected rate, in place of its mean over the samples. Their weighted sum must be nearly Gaussian, not each of them.

    out, y: [n, n_targets] on points that stand for all training samples (`data.moments`): the cost knows samples by the
    means and covariances of x and y alone, so sums over bins are done once. For model=glm, which is linear in x.
    Above a log of 20 the expected rate goes on along its tangent.

    Source: Ramirez & Paninski 2014, J. Comput. Neurosci. 36, equations 5 to 9; Park & Pillow 2011, NIPS 24.
    """

    log_factorial: Tensor  # [n_targets], the mean of log y!
    targets = {"moments of counts"}

    def __init__(self, n_targets: int):
        super().__init__(n_targets)
        self.register_buffer("log_factorial", torch.zeros(n_targets))

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn the mean count of each target, and its mean log k!, from all training counts y: [n, n_targets]."""
        super().prepare(y)
        self.log_factorial.copy_(torch.lgamma(y + 1).mean(0))

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        log_rate = out + self.log_mean
        mean = log_rate.mean(0)
        at = mean + (log_rate - mean).square().mean(0) / 2
        below = at.clamp(max=CEILING)
        rate = below.exp() * (1 + at - below)
        return {"nll": (rate - (y * log_rate).mean(0) + self.log_factorial).mean()}
