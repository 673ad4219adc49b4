"""The Laplace distribution, with exact tails."""

import torch
from torch import Tensor
from torch.distributions import Laplace as TorchLaplace


def laplace_crps(error: Tensor, spread: Tensor) -> Tensor:
    """|e| + b exp(-|e| / b) - 3 b / 4 (Jordan, Krüger & Lerch 2019, J. Stat. Software 90)."""
    away = error.abs()
    return away + spread * (torch.exp(-away / spread) - 0.75)


class Laplace(TorchLaplace):
    """torch's Laplace, with exact tails."""

    def __init__(self, loc: Tensor, scale: Tensor):
        super().__init__(loc, scale, validate_args=False)

    def cdf(self, value: Tensor) -> Tensor:
        z = (value - self.loc) / self.scale
        tail = 0.5 * torch.exp(-z.abs())
        return torch.where(z < 0, tail, 1 - tail)

    def icdf(self, value: Tensor) -> Tensor:
        away = torch.log(2 * torch.minimum(value, 1 - value))
        return self.loc + self.scale * torch.where(value < 0.5, away, -away)

    def crps(self, value: Tensor) -> Tensor:
        return laplace_crps(value - self.loc, self.scale)

    def affine(self, loc: Tensor, scale: Tensor) -> "Laplace":
        return Laplace(loc + scale * self.loc, scale * self.scale)
