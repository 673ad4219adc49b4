"""Counts that scatter as a Poisson variable does around a rate: the course's first cost."""

import torch
from torch import Tensor

from dlthink.distributions.poisson import Poisson as Distribution
from dlthink.losses.counts._counts import CEILING, FLOOR, Counts, with_slopes
from dlthink.losses.counts._log_factorial import log_factorial


class Poisson(Counts):
    """NLL = mean over samples and targets of rate - k log rate + log k!,  log rate = out + log_mean.

    Elicits the whole distribution where counts are Poisson; of any counts the mean.

    out: [n, n_targets], any real number, the log of how many times the mean rate; y: [n, n_targets] counts
    per bin. `log_mean` is the log of the mean training count (`prepare` fills it), so that out = 0 predicts
    that mean. The term is in nats and complete: log k! is the exact lgamma(k + 1), where torch's
    PoissonNLLLoss uses Stirling. Its gradient is (rate - k) / (n n_targets). Above a log rate of 20 the rate
    stays at exp(20) and the cost goes on along its tangent, so no finite `out` of a sane size gives an
    infinite cost, and the way back keeps a slope. The rate that is read out is never below exp(-80), so that a count
    has a finite log probability there, too.

    Source: Kording & Ungar, Deep Learning Thinking 1, discussion 1; McCullagh & Nelder 1989, section 6.2.
    """

    trained_for = ("log_score", "bits_per_spike", "d2")

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        at = out.detach() + self.log_mean  # this sum is float32 even where out is a half
        below = at.clamp(max=CEILING)
        nll = torch.addcmul(log_factorial(y), y, at, value=-1)
        beyond, rate = at.sub_(below), below.exp_()  # in place: of millions, memory takes longer than sums
        nll.add_(rate).addcmul_(rate, beyond)  # the tangent, beyond the ceiling
        return {"nll": with_slopes(nll, (out, rate.sub_(y)))}

    def predict(self, out: Tensor) -> dict[str, Tensor | Distribution]:
        """rate: [n, n_targets], expected count per bin; distribution: Poisson of that rate."""
        rate = (out + self.log_mean).clamp_(FLOOR, CEILING).exp_()
        return {"rate": rate, "distribution": Distribution(rate)}
