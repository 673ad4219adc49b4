"""The normal distribution, with tails that last in float32."""

import math

import torch
from torch import Tensor
from torch.distributions import Normal as TorchNormal

ROOT_2_PI = math.sqrt(2 * math.pi)

ONE_STD = (0.15865525393145707, 0.8413447460685429)  # P(N(0, 1) < -1), P(N(0, 1) < 1)


def phi(z: Tensor) -> Tensor:
    """Density of N(0, 1)."""
    return torch.exp(-0.5 * z.square()) / ROOT_2_PI


def cumulative(z: Tensor) -> Tensor:
    """P(N(0, 1) <= z); torch's ndtr is 1 + erf and loses the lower tail."""
    return 0.5 * torch.erfc(-math.sqrt(0.5) * z)


def normal_crps(error: Tensor, spread: Tensor) -> Tensor:
    """e (2 Phi(z) - 1) + s (2 phi(z) - 1 / sqrt(pi)), z = e / s (Gneiting & Raftery 2007, equation 21).

    With e outside, nothing large cancels in the gradient however small s is.
    """
    z = error / spread
    return error * (torch.erf(math.sqrt(0.5) * z)) + spread * (2 * phi(z) - 1 / math.sqrt(math.pi))


class Normal(TorchNormal):
    """torch's Normal, whose tails do not end at six standard deviations in float32."""

    def __init__(self, loc: Tensor, scale: Tensor):
        super().__init__(loc, scale, validate_args=False)

    def cdf(self, value: Tensor) -> Tensor:
        return cumulative((value - self.loc) / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * torch.special.ndtri(value)

    def crps(self, value: Tensor) -> Tensor:
        return normal_crps(value - self.loc, self.scale)

    def affine(self, loc: Tensor, scale: Tensor) -> "Normal":
        return Normal(loc + scale * self.loc, scale * self.scale)
