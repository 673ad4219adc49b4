"""Huber's least favourable distribution: normal in the middle, exponential beyond."""

import torch
from torch import Tensor
from torch.special import ndtri

from dlthink.distributions.normal import ROOT_2_PI, cumulative, phi
from dlthink.distributions.real import RealDistribution, broadcast_shape


class LeastFavourable(RealDistribution):
    """Density exp(-rho(r)) / (Z scale), r = (y - loc) / scale, rho Huber's with the corner at r = k."""

    def __init__(self, loc: Tensor, scale: Tensor, k: Tensor):
        super().__init__(broadcast_shape(loc.shape, scale.shape))
        self.loc, self.scale, self.k = loc, scale, k
        edge = torch.exp(-0.5 * k.square())
        centre = ROOT_2_PI * (2 * cumulative(k) - 1)
        self.z = centre + 2 * edge / k
        self.tail = edge / (k * self.z)  # probability beyond k, on one side
        beyond = edge * (k + 2 / k + 2 / k**3)  # the integral of r^2 there
        self.unit = (centre - 2 * ROOT_2_PI * k * phi(k) + 2 * beyond) / self.z

    @property
    def mean(self) -> Tensor:
        return self.loc.expand(self.batch_shape)

    @property
    def variance(self) -> Tensor:
        return (self.unit * self.scale.square()).expand(self.batch_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        away = ((value - self.loc) / self.scale).abs()
        inside = torch.minimum(away, self.k)  # rho = inside (away - inside / 2) on both sides of the corner
        return -inside * (away - 0.5 * inside) - (self.z * self.scale).log()

    def cdf(self, value: Tensor) -> Tensor:
        r = (value - self.loc) / self.scale
        away = r.abs()
        far = self.tail * torch.exp(-self.k * (away - self.k))
        near = self.tail + ROOT_2_PI / self.z * (cumulative(-away) - cumulative(-self.k))
        lower = torch.where(away > self.k, far, near)
        return torch.where(r < 0, lower, 1 - lower)

    def icdf(self, value: Tensor) -> Tensor:
        q = torch.minimum(value, 1 - value)
        far = (q / self.tail).log() / self.k - self.k
        near = ndtri((q - self.tail).clamp(min=0) * self.z / ROOT_2_PI + cumulative(-self.k))
        r = torch.where(q < self.tail, far, near)
        return self.loc + self.scale * torch.where(value < 0.5, r, -r)

    def affine(self, loc: Tensor, scale: Tensor) -> "LeastFavourable":
        return LeastFavourable(loc + scale * self.loc, scale * self.scale, self.k)
