"""What every cost of counts shares: the mean by an exponential link, what a law knows beyond it, values with slopes."""

from functools import reduce
from operator import add
from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from dlthink.errors import BadInput

CEILING = 20.0  # the largest log mean: exp(20) is half a billion events in one bin
FLOOR = -80.0  # the smallest one that is read out: exp(-104) is 0 in float32, and the log of that -inf

PACE = 5.0  # of what is learned for all bins, in weights: one of these has to go as far as many weights of a network do

Where = Literal["shared", "target", "network"]


class Counts(nn.Module):
    """A cost of counts y: [n, n_targets], whose law has the log mean out + log_mean.

    `log_mean` is the log of the mean training count (`prepare` fills it), so that out = 0 predicts that mean. Above a
    log mean of 20 the mean stays at exp(20) and the cost goes on along its tangent, so that no finite `out` of a sane
    size gives an infinite cost, and the way back keeps a slope. The mean that is read out is never below exp(-80), so
    that a count has a finite log probability there, too. In nats, complete, with the exact log k!: the terms of all
    these costs are log scores and may be compared.
    """

    targets = {"counts", "exposed counts"}  # an offset is added to its log mean as it comes
    outputs_per_target = 1
    trained_for = ("log_score",)

    def __init__(self, n_targets: int):
        super().__init__()
        self.register_buffer("log_mean", torch.zeros(n_targets))

    @property
    def word(self) -> str:
        """By which it is chosen."""
        return f"loss={type(self).__module__.rpartition('.')[2]}"

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn the mean count of each target from y: [n, n_targets], all training counts.

        A target that never fires is given half an event in the whole of y, so that its log exists.
        Raises BadInput when there is no sample, or a count is negative or not finite.
        """
        if len(y) == 0:
            raise BadInput(f"{self.word}: the training split has no sample: give it more data")
        if not bool((y.isfinite() & (y >= 0)).all()):
            raise BadInput(f"{self.word}: a training count is negative or not finite: use loss=mse")
        self.log_mean.copy_(y.mean(0).clamp(min=0.5 / len(y)).log())


class Dispersed(Counts):
    """A law of counts with `shapes` numbers beyond its mean. `dispersion` says where these come from:

        shared    one of each for all targets, learned with the network
        target    one of each for each target, learned with the network
        network   one more output of the network for each: out is [n, (1 + shapes) n_targets], the numbers of one
                  target side by side

    Each is a raw number, `start` (by the moments of the training counts: `moments`, which hold the changes of the mean,
    too) plus what is learned. A cost defines

        family(k, log_mean, *raw) -> (-log P(k), its derivatives by log_mean and by each raw number), elementwise
        law(log_mean, *raw) -> distribution
        moments(mean, variance, y) -> raw numbers [shapes, n_targets] that training starts with
    """

    shapes = 1

    def __init__(self, n_targets: int, dispersion: Where = "target"):
        super().__init__(n_targets)
        self.n_targets, self.dispersion = n_targets, dispersion
        self.register_buffer("start", torch.zeros(self.shapes, n_targets))
        if dispersion == "network":
            self.outputs_per_target = 1 + self.shapes
        else:
            self.shift = nn.Parameter(torch.zeros(self.shapes, n_targets if dispersion == "target" else 1))

    def family(self, k: Tensor, log_mean: Tensor, *raw: Tensor) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def law(self, log_mean: Tensor, *raw: Tensor) -> Distribution:
        raise NotImplementedError

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        raise NotImplementedError

    def ceiling(self, *raw: Tensor) -> Tensor | float:
        """The largest log mean that the law has."""
        return CEILING

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn from all training counts y: [n, n_targets] their mean, and by their moments what else the law has.

        Raises BadInput when there is no sample, or a count is negative, not finite or no whole number.
        """
        super().prepare(y)
        if not bool((y == y.floor()).all()):
            raise BadInput(f"{self.word}: a training count is no whole number: use loss=poisson or loss=mse")
        mean, variance = self.log_mean.exp(), y.var(0, correction=0)
        start = self.moments(mean, variance, y)
        self.start.copy_(start.mean(1, keepdim=True) if self.dispersion == "shared" else start)

    @property
    def raw(self) -> Tensor:
        """The raw numbers of shared and target, [shapes, n_targets]: start + PACE shift."""
        return self.start + PACE * self.shift

    def parts(self, out: Tensor) -> tuple[Tensor, ...]:
        """log mean [n, n_targets], and each raw number, [n, n_targets] or [n_targets]; in float32 or wider."""
        if self.dispersion != "network":
            return out + self.log_mean, *self.raw
        out = out.to(torch.promote_types(out.dtype, self.log_mean.dtype))
        mean, *more = out.unflatten(-1, (self.n_targets, self.outputs_per_target)).unbind(-1)
        return mean + self.log_mean, *(one + start for one, start in zip(more, self.start, strict=True))

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        log_mean, *raw = self.parts(out)
        at, fixed = log_mean.detach(), [one.detach() for one in raw]
        below = at.clamp(min=FLOOR).clamp(max=self.ceiling(*fixed))
        value, slope, *slopes = self.family(y, below, *fixed)
        value = value + slope * (at - below)  # the tangent, beyond either
        return {"nll": with_slopes(value, (log_mean, slope), *zip(raw, slopes, strict=True))}

    @torch.no_grad()
    def predict(self, out: Tensor) -> dict[str, Tensor | Distribution]:
        """rate: [n, n_targets], expected count per bin; distribution: of the counts."""
        log_mean, *raw = self.parts(out)
        law = self.law(log_mean.clamp(min=FLOOR).clamp(max=self.ceiling(*raw)), *raw)
        return {"rate": law.mean, "distribution": law}


def with_slopes(values: Tensor, *pairs: tuple[Tensor, Tensor]) -> Tensor:
    """The mean of values made without autograd, and its gradient by each x from pairs (x, slope of the values by x).

    A closed form, guarded, at the price of an unguarded one by autograd; under torch.func, too. There is no second
    derivative.
    """
    through = reduce(add, [(x * slope).mean() for x, slope in pairs])
    return values.mean() + (through - through.detach())  # plus zero
