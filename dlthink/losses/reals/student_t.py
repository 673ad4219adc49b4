"""The likelihood of Student's t: a spread that depends on the input, and tails as heavy as the targets ask for."""

import math

import torch
from torch import Tensor, nn

from dlthink.calibration.calibrate import Calibrate
from dlthink.distributions.student_t import StudentT, student_log_prob
from dlthink.errors import BadInput
from dlthink.losses.reals._spread import Link, WithSpread

FEWEST = 2.01  # a learned df stays above it: at 2 the variance is infinite
START = 5.0


class StudentTNLL(WithSpread):
    """NLL = -log t(e / s; df) + log s, mean over samples and targets,  e = z - mean,  z = (y - mean_y) / std_y.

    Elicits the whole distribution where it is Student's; of any other a centre between median and mean.

    log t(r; df) = lgamma((df + 1) / 2) - lgamma(df / 2) - log(pi df) / 2 - (df + 1) / 2 log(1 + r^2 / df).

    out: [n, 2 n_targets], mean and scale s of each target, s through the link `spread`; the std that is read out is
    s sqrt(df / (df - 2)). df is one number for all: `df` of the configuration, or, without it, a weight that learns
    together with the network, from 5 on (df = 2.01 + exp(weight)). In nats per standardized target.

    Raises BadInput unless df > 2. Source: Lange, Little & Taylor 1989, JASA 84.
    """

    fixed: Tensor  # df, where it is not learned
    trained_for = ("nll",)

    def __init__(
        self,
        n_targets: int,
        df: float | None = None,
        spread: Link = "softplus",
        calibrate: Calibrate = "none",
    ):
        super().__init__(n_targets, spread, calibrate)
        if df is None:
            self.freedom = nn.Parameter(torch.tensor(math.log(START - FEWEST)))
        elif not 2 < df < math.inf:
            raise BadInput(f"loss.df={df}: must be above 2, where the variance exists, or null to learn it")
        else:
            self.register_buffer("fixed", torch.tensor(float(df)))

    @property
    def df(self) -> Tensor:
        """Degrees of freedom, a scalar tensor."""
        return self.fixed if "fixed" in self._buffers else FEWEST + self.freedom.exp()

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        mean, spread = self.mean_and_spread(out)
        return {"nll": self.average(-student_log_prob(self.standardize(y, mean) - mean, spread, self.df), y)}

    def distribution(self, out: Tensor) -> StudentT:
        mean, spread = self.mean_and_spread(out)
        return StudentT(self.df.detach().to(mean.dtype), mean, spread)
