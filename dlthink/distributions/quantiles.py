"""A distribution given by some of its quantiles."""

import torch
from torch import Tensor

from dlthink.distributions.real import RealDistribution, broadcast_shape, exact

NARROWEST = 1e-6  # between two neighbouring quantiles, where they coincide; in std of the targets


class Quantiles(RealDistribution):
    """Piecewise-linear quantile function with exponential tails.

    quantiles: [batch..., k], sorted here; levels: [k], ascending, in (0, 1), k >= 2. Beyond the outer quantiles the
    density decays exponentially from what it is inside, so it is continuous there: the lower tail is
    Q(p) = q_1 + b log(p / p_1), b = p_1 (q_2 - q_1) / (p_2 - p_1).
    """

    def __init__(self, quantiles: Tensor, levels: Tensor):
        q = exact(quantiles).sort(-1).values
        first, gaps = q[..., :1], q.diff(dim=-1).clamp(min=NARROWEST)
        self._set(torch.cat((first, first + gaps.cumsum(-1)), -1), exact(levels), quantiles.dtype)

    def _set(self, q: Tensor, p: Tensor, dtype: torch.dtype) -> None:
        super().__init__(q.shape[:-1])
        self.q, self.p, self.dtype = q, p, dtype
        self.gaps, self.steps = q.diff(dim=-1), p.diff()
        self.low = p[0] * self.gaps[..., 0] / self.steps[0]
        self.high = (1 - p[-1]) * self.gaps[..., -1] / self.steps[-1]

    def affine(self, loc: Tensor, scale: Tensor) -> "Quantiles":
        changed = object.__new__(Quantiles)
        changed._set(loc.unsqueeze(-1) + exact(scale).unsqueeze(-1) * self.q, self.p, self.dtype)
        return changed

    @property
    def mean(self) -> Tensor:
        """The integral of the quantile function."""
        p, q = self.p, self.q
        inside = (self.steps * 0.5 * (q[..., :-1] + q[..., 1:])).sum(-1)
        return (inside + p[0] * (q[..., 0] - self.low) + (1 - p[-1]) * (q[..., -1] + self.high)).to(self.dtype)

    @property
    def variance(self) -> Tensor:
        q = self.q - exact(self.mean).unsqueeze(-1)
        a, b = q[..., :-1], q[..., 1:]
        inside = (self.steps * (a.square() + a * b + b.square()) / 3).sum(-1)
        below = self.p[0] * ((q[..., 0] - self.low).square() + self.low.square())
        above = (1 - self.p[-1]) * ((q[..., -1] + self.high).square() + self.high.square())
        return (inside + below + above).to(self.dtype)

    def _piece(self, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How far the value lies beyond the first and last quantile, in tail lengths (negative: inside), its piece."""
        shape = broadcast_shape(value.shape, self.batch_shape)
        value, q = exact(value).expand(shape), self.q.expand(*shape, len(self.p))
        i = (q < value.unsqueeze(-1)).sum(-1).sub(1).clamp(0, len(self.p) - 2)
        return (q[..., 0] - value) / self.low, (value - q[..., -1]) / self.high, i

    def log_prob(self, value: Tensor) -> Tensor:
        below, above, i = self._piece(value)
        density = (self.steps / self.gaps).log().expand(*i.shape, len(self.p) - 1)
        return (_at(density, i) - below.clamp(min=0) - above.clamp(min=0)).to(value.dtype)

    def cdf(self, value: Tensor) -> Tensor:
        below, above, i = self._piece(value)
        gap, start = (_at(t.expand(*i.shape, t.shape[-1]), i) for t in (self.gaps, self.q))
        inside = self.p[i] + self.steps[i] * ((exact(value) - start) / gap).clamp(0, 1)
        low, high = self.p[0] * torch.exp(-below), 1 - (1 - self.p[-1]) * torch.exp(-above)
        return torch.where(below > 0, low, torch.where(above > 0, high, inside)).to(value.dtype)

    def icdf(self, value: Tensor) -> Tensor:
        p = exact(self.spread_over(value))
        i = torch.searchsorted(self.p, p.contiguous()).sub(1).clamp(0, len(self.p) - 2)
        gap, start = (_at(t.expand(*i.shape, t.shape[-1]), i) for t in (self.gaps, self.q))
        inside = start + gap * (p - self.p[i]) / self.steps[i]
        low = self.q[..., 0] + self.low * (p / self.p[0]).log()
        high = self.q[..., -1] - self.high * ((1 - p) / (1 - self.p[-1])).log()
        return torch.where(p < self.p[0], low, torch.where(p > self.p[-1], high, inside)).to(value.dtype)


def _at(x: Tensor, i: Tensor) -> Tensor:
    return x.gather(-1, i.unsqueeze(-1)).squeeze(-1)
