"""Costs whose network says a spread beside the mean: the links that make it positive, or do not."""

import math
from typing import Literal

from torch import Tensor
from torch.nn.functional import softplus

from dlthink.calibration.calibrate import Calibrate
from dlthink.losses.reals._reals import Reals

Link = Literal["softplus", "exp", "square", "raw"]

FLOOR = 1e-7  # the smallest spread in std of the targets: far below any real one, and its -3rd power is a float32
CEILING = 20.0  # exp goes on along its tangent from here: finite, and the way back keeps a slope
ONE = math.log(math.e - 1)  # softplus of this is 1
ADVICE = (
    "With loss.spread=raw the network was free to say a negative spread, whose log does not exist; make it positive by "
    "construction with loss.spread=softplus, exp or square"
)


def positive(out: Tensor, link: Link = "softplus", floor: float = FLOOR) -> Tensor:
    """A positive number that is 1 at out = 0: floor + (1 - floor) f(out), with f by the name of `link`.

    softplus: log(1 + (e - 1) exp(out));  exp: exp(out);  square: (out + 1)^2;  raw: out itself, whatever its sign.
    """
    if link == "raw":
        return out
    if link == "softplus":
        value = softplus(out + ONE)
    elif link == "exp":
        below = out.clamp(max=CEILING)
        value = below.exp() * (1 + out - below)
    else:
        value = (out + 1).square()
    return floor + (1 - floor) * value


def normal_nll(error: Tensor, spread: Tensor) -> Tensor:
    """e^2 / (2 s^2) + log s + log(2 pi) / 2, elementwise, in nats."""
    return 0.5 * (error / spread).square() + spread.log() + 0.5 * math.log(2 * math.pi)


def laplace_nll(error: Tensor, spread: Tensor) -> Tensor:
    """|e| / b + log 2 b, elementwise, in nats."""
    return error.abs() / spread + (2 * spread).log()


class WithSpread(Reals):
    """Two numbers for each target: the standardized mean, and the spread through a link that is a setting."""

    outputs_per_target = 2

    def __init__(self, n_targets: int, spread: Link = "softplus", calibrate: Calibrate = "none"):
        super().__init__(n_targets, calibrate)
        self.spread = spread
        if spread == "raw":
            self.advice = ADVICE

    def mean_and_spread(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """In std of the targets, each [n, (members,) n_targets]."""
        mean, raw = self.columns(out)
        return mean, positive(raw, self.spread)
