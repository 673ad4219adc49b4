"""What every cost of counts shares: the mean by an exponential link, what a distribution knows beyond it, values with
slopes."""

from functools import reduce
from operator import add
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from dlthink.cost_name import cost_name
from dlthink.errors import BadInput
from dlthink.losses.counts._count_table import CountTable

CEILING = 20.0  # the largest log mean: exp(20) is half a billion events in one bin
FLOOR = -80.0  # the smallest one that is read out: exp(-104) is 0 in float32, and the log of that -inf

# Of what is learned for all bins, in weights: one of these has to go as far as many weights of a network do. A tensor,
# since an operation of two takes half the time of one of a tensor and a number.
PACE = torch.tensor(5.0, device="cpu")

Where = Literal["shared", "target", "network"]


class Counts(nn.Module):
    """A cost of counts y: [n, n_targets], whose distribution has the log mean out + log_mean.

    `log_mean` is the log of the mean training count (`prepare` fills it), so that out = 0 predicts that mean. Above a
    log mean of 20 the mean stays at exp(20) and the cost goes on along its tangent, so that no finite `out` of a sane
    size gives an infinite cost, and the way back keeps a slope. The mean that is read out is never below exp(-80), so
    that a count has a finite log probability there, too. In nats, complete, with the exact log k!: the terms of all
    these costs are log scores and may be compared.
    """

    log_mean: Tensor  # [n_targets], of training
    targets = {"counts", "counts with exposure"}  # an offset is added to its log mean as it comes
    outputs_per_target = 1
    trained_for = ("log_score",)

    def __init__(self, n_targets: int):
        super().__init__()
        self.register_buffer("log_mean", torch.zeros(n_targets))

    @property
    def word(self) -> str:
        """By which it is chosen."""
        return f"loss={cost_name(self)}"

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
    """A distribution of counts with `shapes` numbers beyond its mean. `dispersion` says where these come from:

        shared    one of each for all targets, learned with the network
        target    one of each for each target, learned with the network
        network   one more output of the network for each: out is [n, (1 + shapes) n_targets], the numbers of one
                  target side by side

    Each is a raw number, `start` (by the moments of the training counts: `moments`, which hold the changes of the mean,
    too) plus what is learned. A cost defines

        numbers(*raw) -> what the formulas of its distribution are written in: *numbers of the others
        bounded(log_mean, *numbers) -> the nearest log mean that the distribution has
        family(counted, log_mean, *numbers) -> (-log P(k), its derivatives by log_mean and each raw number), elementwise
        distribution(log_mean, *numbers) -> distribution
        moments(mean, variance, y) -> raw numbers [shapes, n_targets] that training starts with
    """

    start: Tensor  # [shapes, n_targets]
    shapes = 1

    def __init__(self, n_targets: int, dispersion: Where = "target"):
        super().__init__(n_targets)
        self.n_targets, self.dispersion = n_targets, dispersion
        self.register_buffer("start", torch.zeros(self.shapes, n_targets))
        if dispersion == "network":
            self.outputs_per_target = 1 + self.shapes
        else:
            self.shift = nn.Parameter(torch.zeros(self.shapes, n_targets if dispersion == "target" else 1))

    def numbers(self, *raw: Tensor) -> tuple[Tensor, ...]:
        return raw

    def family(self, counted: CountTable, log_mean: Tensor, *numbers: Tensor) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def distribution(self, log_mean: Tensor, *numbers: Tensor) -> Distribution:
        raise NotImplementedError

    def moments(self, mean: Tensor, variance: Tensor, y: Tensor) -> Tensor:
        raise NotImplementedError

    def bounded(self, log_mean: Tensor, *numbers: Tensor) -> Tensor:
        return log_mean.clamp(FLOOR, CEILING)

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn from all training counts y: [n, n_targets] their mean, and by their moments what else the distribution
        has.

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
        """The raw numbers of shared and target, [shapes, n_targets]: start + PACE shift. Without autograd."""
        return self.start + PACE * self.shift.detach()  # CUDA has no addcmul whose factor lies on the CPU

    def parts(self, out: Tensor) -> tuple[Tensor, ...]:
        """log mean [n, n_targets], and each raw number, [n, n_targets] or [n_targets]; in float32 or wider. Without
        autograd."""
        out = out.detach()
        if self.dispersion != "network":
            return out + self.log_mean, *self.raw.unbind()
        out = out.to(torch.promote_types(out.dtype, self.log_mean.dtype))
        mean, *more = out.unflatten(-1, (self.n_targets, self.outputs_per_target)).unbind(-1)
        return mean + self.log_mean, *(one + start for one, start in zip(more, self.start, strict=True))

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        log_mean, *raw = self.parts(out)
        numbers = self.numbers(*raw)
        below = self.bounded(log_mean, *numbers)
        value, slope, *slopes = self.family(CountTable(y), below, *numbers)
        value = torch.addcmul(value, slope, log_mean - below)  # the tangent, beyond either
        if self.dispersion == "network":
            return {"nll": with_slopes(value, (out, torch.stack((slope, *slopes), -1).flatten(-2)))}
        by_shift = PACE * torch.cat([each.sum(0, keepdim=True) for each in slopes])
        return {"nll": with_slopes(value, (out, slope), (self.shift, by_shift))}

    @torch.no_grad()
    def predict(self, out: Tensor) -> dict[str, Tensor | Distribution]:
        """rate: [n, n_targets], expected count per bin; distribution: of the counts."""
        log_mean, *raw = self.parts(out)
        numbers = self.numbers(*raw)
        distribution = self.distribution(self.bounded(log_mean, *numbers), *numbers)
        return {"rate": distribution.mean, "distribution": distribution}


def with_slopes(values: Tensor, *pairs: tuple[Tensor, Tensor]) -> Tensor:
    """The mean of values made without autograd, and its gradient by each x, from pairs (x, slope of the sum of values
    by x, of its shape or what it broadcasts to).

    A closed form, guarded, at the price of an unguarded one by autograd; under torch.func, too. Raises RuntimeError
    where a second derivative is asked for: there is none.
    """
    # x slope less itself is zero, with the gradient slope: operations of torch, in half the time of a function here
    zero = reduce(add, (_zero(x, slope.sum_to_size(x.shape)) for x, slope in pairs))
    if zero.requires_grad and not torch.compiler.is_compiling():  # compiled, torch itself refuses a second derivative
        variables = [x for x, _ in pairs]
        zero.register_hook(lambda by_zero: _Last.apply(by_zero, *variables) if torch.is_grad_enabled() else None)
    return torch.add(values.mean(), zero, alpha=1 / values.numel())


def _zero(x: Tensor, slope: Tensor) -> Tensor:
    product = torch.dot(x.to(slope.dtype).reshape(-1), slope.reshape(-1))
    return product - product.detach()


class _Last(torch.autograd.Function):
    """A slope without one of its own: else a penalty on gradients would change nothing, and nobody would know."""

    generate_vmap_rule = True

    @staticmethod
    def forward(slope: Tensor, *variables: Tensor) -> Tensor:
        return slope.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> None:
        raise RuntimeError("a cost of counts has no second derivative: do without create_graph, or write the cost out")
