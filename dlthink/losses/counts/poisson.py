"""Counts that scatter as a Poisson variable does around a rate: the course's first cost."""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from dlthink.errors import BadInput

CEILING = 20.0  # the largest log rate: exp(20) is half a billion events in one bin
FLOOR = -80.0  # the smallest one that is read out: exp(-104) is 0 in float32, and the log of that -inf


class Poisson(nn.Module):
    """NLL = mean over samples and targets of rate - k log rate + log k!,  log rate = out + log_mean.

    out: [n, n_targets], any real number, the log of how many times the mean rate; y: [n, n_targets] counts
    per bin. `log_mean` is the log of the mean training count (`prepare` fills it), so that out = 0 predicts
    that mean. The term is in nats and complete: log k! is the exact lgamma(k + 1), where torch's
    PoissonNLLLoss uses Stirling. Its gradient is (rate - k) / (n n_targets). Above a log rate of 20 the rate
    stays at exp(20) and the cost goes on along its tangent, so no finite `out` of a sane size gives an
    infinite cost, and the way back keeps a slope. The rate that is read out is never below exp(-80), so that a count
    has a finite log probability there, too.

    Source: Kording & Ungar, Deep Learning Thinking 1, discussion 1; McCullagh & Nelder 1989, section 6.2.
    """

    targets = {"counts"}
    outputs_per_target = 1
    trained_for = ("log_score", "bits_per_spike", "d2")

    def __init__(self, n_targets: int):
        super().__init__()
        self.register_buffer("log_mean", torch.zeros(n_targets))

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn the mean count of each target from y: [n, n_targets], all training counts.

        A target that never fires is given half an event in the whole of y, so that its log exists.
        Raises BadInput when there is no sample, or a count is negative or not finite.
        """
        if len(y) == 0:
            raise BadInput("loss=poisson: the training split has no sample: give it more data")
        if not bool((y.isfinite() & (y >= 0)).all()):
            raise BadInput("loss=poisson: a training count is negative or not finite: use loss=mse")
        self.log_mean.copy_(y.mean(0).clamp(min=0.5 / len(y)).log())

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"nll": _NLL.apply(out + self.log_mean, y)}  # this sum is float32 even where out is a half

    def predict(self, out: Tensor) -> dict[str, Tensor | torch.distributions.Poisson]:
        """rate: [n, n_targets], expected count per bin; distribution: torch's Poisson of that rate."""
        rate = (out + self.log_mean).clamp(FLOOR, CEILING).exp()
        return {"rate": rate, "distribution": torch.distributions.Poisson(rate, validate_args=False)}


class _NLL(torch.autograd.Function):
    """The formula with its gradient in closed form: guarded, at the price of an unguarded one by autograd."""

    @staticmethod
    def forward(ctx, log_rate: Tensor, k: Tensor) -> Tensor:
        below = log_rate.clamp(max=CEILING)
        rate = below.exp()
        ctx.save_for_backward(rate, k)
        nll = torch.lgamma(k + 1).addcmul_(k, log_rate, value=-1).add_(rate)
        return nll.addcmul_(rate, log_rate - below).mean()  # the tangent, beyond the ceiling

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        rate, k = ctx.saved_tensors
        return (rate - k).mul_(grad / rate.numel()), None
