"""Student's t distribution with the cdf and quantiles that torch lacks."""

import math
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.distributions import StudentT as TorchStudentT

from dlthink.distributions.real import exact


def log_normalizer(df: Tensor) -> Tensor:
    """lgamma((df + 1) / 2) - lgamma(df / 2) - log(pi df) / 2, to 1e-12 in float64 for any df > 0.

    The difference of two lgamma loses its digits in float32 when df is large. Here: the series in 1 / x of
    lgamma(x + 1/2) - lgamma(x), after ten steps of x -> x + 1.
    """
    x = 0.5 * df
    steps = torch.arange(10, dtype=x.dtype, device=x.device)
    far = x + 10
    u = far**-2
    series = 0.5 * far.log() - (1 / 8 - u * (1 / 192 - u * (1 / 640 - u * 17 / 14336))) / far
    return series - torch.log1p(0.5 / (x.unsqueeze(-1) + steps)).sum(-1) - 0.5 * (math.pi * df).log()


def student_log_prob(error: Tensor, spread: Tensor, df: Tensor) -> Tensor:
    """log density of e = loc + s T, elementwise, in nats."""
    z = error / spread
    return log_normalizer(df) - 0.5 * (df + 1) * torch.log1p(z.square() / df) - spread.log()


class StudentT(TorchStudentT):
    """loc + scale T, T Student's with df degrees of freedom: one number, above 2, for the whole batch."""

    def __init__(self, df: Tensor, loc: Tensor, scale: Tensor, tail: "Tail | None" = None):
        super().__init__(df, loc, scale, validate_args=False)
        self.one_df = df
        self._tail = tail

    @cached_property
    def tail(self) -> "Tail":
        return self._tail or Tail(float(self.one_df), exact(self.loc))

    def log_prob(self, value: Tensor) -> Tensor:
        return student_log_prob(value - self.loc, self.scale, self.one_df)

    def cdf(self, value: Tensor) -> Tensor:
        z = (value - self.loc) / self.scale
        q = self.tail.log_beyond(z.abs()).exp().to(z.dtype)
        return torch.where(z < 0, q, 1 - q)

    def icdf(self, value: Tensor) -> Tensor:
        t = self.tail.quantile(torch.minimum(value, 1 - value).log()).to(value.dtype)
        return self.loc + self.scale * torch.where(value < 0.5, -t, t)

    def crps(self, value: Tensor) -> Tensor:
        """Jordan, Krüger & Lerch 2019, J. Stat. Software 90."""
        z = (value - self.loc) / self.scale
        df = exact(self.one_df)
        density = student_log_prob(z, torch.ones_like(z), self.one_df).exp()
        beta = torch.lgamma(df - 0.5) + 2 * torch.lgamma(0.5 * df + 0.5) - torch.lgamma(df)
        ratio = (beta - 2 * torch.lgamma(0.5 * df)).exp() / math.sqrt(math.pi)  # B(1/2, df - 1/2) / B(1/2, df/2)^2
        far = z * (2 * self.cdf(value) - 1) + 2 * density * (self.one_df + z.square()) / (self.one_df - 1)
        return self.scale * (far - (2 * df.sqrt() / (df - 1) * ratio).to(z.dtype))

    def affine(self, loc: Tensor, scale: Tensor) -> "StudentT":
        return StudentT(self.one_df, loc + scale * self.loc, scale * self.scale, self.tail)


class Tail:
    """log P(T > t) for t >= 0 as a table over x = asinh(t), in which it is smooth and ends in a straight line.

    Each panel is integrated by eight Gauss-Legendre points and added up from the far end, where the power law is exact
    to 1e-12. Between nodes: cubic Hermite, the slopes being known. Beyond the last node: the power law, slope -df.
    """

    NODES = 2049

    def __init__(self, df: float, like: Tensor):
        nu = torch.tensor(df, dtype=torch.float64)
        self.df = df
        self.end = math.asinh(1e6 * math.sqrt(df))
        self.step = self.end / (self.NODES - 1)
        x = torch.linspace(0, self.end, self.NODES, dtype=torch.float64)
        places, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(8))
        inside = x[:-1, None] + self.step * 0.5 * (places + 1)
        panels = (self._log_density(inside, nu) + (0.5 * self.step * weights).log()).logsumexp(-1)
        last = x[-1].sinh()
        beyond = last.log() + self._log_density(x[-1], nu) - x[-1].cosh().log() - nu.log()
        log_q = torch.cat((panels, beyond[None])).flip(0).logcumsumexp(0).flip(0)
        log_q = log_q + math.log(0.5) - log_q[0]
        slope = -(self._log_density(x, nu) - log_q).exp()
        steepest = 3 * log_q.diff() / self.step  # Fritsch & Carlson 1980: the cubic stays monotone, however far out
        slope[:-1], slope[1:] = torch.maximum(slope[:-1], steepest), torch.maximum(slope[1:], steepest)
        self.log_q, self.slope = log_q.to(like), slope.to(like)

    @staticmethod
    def _log_density(x: Tensor, nu: Tensor) -> Tensor:
        """Of x = asinh(T)."""
        t = x.sinh()
        return log_normalizer(nu) - 0.5 * (nu + 1) * torch.log1p(t.square() / nu) + x.cosh().log()

    def log_beyond(self, t: Tensor) -> Tensor:
        x = exact(t).asinh()
        inner = self._hermite(x)[0]
        return torch.where(x > self.end, self.log_q[-1] - self.df * (x - self.end), inner)

    def quantile(self, log_q: Tensor) -> Tensor:
        """The t >= 0 beyond which the probability is exp(log_q) <= 1/2, by Newton's method from the nearest node."""
        log_q = exact(log_q)
        i = torch.searchsorted(-self.log_q, -log_q.contiguous()).sub(1).clamp(0, self.NODES - 2)
        share = (log_q - self.log_q[i]) / (self.log_q[i + 1] - self.log_q[i])
        x = self.step * (i + share.clamp(0, 1))
        for _ in range(3):
            value, slope = self._hermite(x)
            x = (x - (value - log_q) / slope).clamp(0, self.end)
        far = self.end + (self.log_q[-1] - log_q) / self.df
        return torch.where(log_q < self.log_q[-1], far, x).sinh()

    def _hermite(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The cubic through two nodes and its slope, x clamped to the table."""
        place = (x / self.step).clamp(0, self.NODES - 1)
        i = place.nan_to_num(0.0).long().clamp(max=self.NODES - 2)
        s = place - i
        a, b = self.log_q[i], self.log_q[i + 1]
        da, db = self.step * self.slope[i], self.step * self.slope[i + 1]
        bend, twist = 3 * (b - a) - 2 * da - db, da + db - 2 * (b - a)
        return a + s * (da + s * (bend + s * twist)), (da + s * (2 * bend + 3 * s * twist)) / self.step
