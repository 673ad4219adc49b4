"""How counts scatter about what was predicted, and whether they do so as the predicted distribution says."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from dlthink.distributions.count import CountDistribution
from dlthink.distributions.numerical_fallback import completed
from dlthink.distributions.optional_formulas import ask
from dlthink.distributions.poisson import Poisson

MOST = 2**17  # predictions that are looked at, of evenly spread rows
SEED = 8_253_729  # of a stream that nobody has drawn the counts from
LEVEL = 0.01  # of the KS test: how often it fails a unit for nothing


@dataclass
class Noise:
    """Counts k: [n, units] in float64 on the CPU, and the distribution that was predicted for each.

    distribution: like torch's distributions, with `log_prob`; `cdf`, `mean`, `variance` and `crps` where it has them.
    Of the shape of k, or `flat`: [n * units, 1].
    """

    distribution: Any
    k: Tensor
    flat: bool = False

    @classmethod
    def of(cls, predicted: dict, rate: Callable[[], Tensor], y: Tensor) -> Noise:
        """Of a cost that reads out a distribution of counts; else of Poisson about `rate()`, its mean above the floor.

        y may be of any type, on any device: only what is looked at is made float64.
        """
        distribution = predicted.get("distribution")
        return cls(
            distribution if distribution is not None and is_of_counts(distribution) else Poisson(rate()), y
        ).thinned(MOST)

    def thinned(self, most: int) -> Noise:
        """Evenly spread pairs of rows side by side, about so many predictions; all of a distribution that is one piece.

        A distribution that is none of dlthink's is looked at as a table of its probabilities.
        """
        every = -(-self.k.numel() // most)
        if every < 2:
            return Noise(completed(self.distribution, self.k.shape, whole=True), exact(self.k), self.flat)
        rows, units = torch.arange(0, len(self.k) - 1, 2 * every), self.k.shape[1]
        rows = torch.stack([rows, rows + 1], 1).flatten()
        k = exact(self.k.index_select(0, rows.to(self.k.device)))
        places = (rows.unsqueeze(-1) * units + torch.arange(units)).flatten().to(self._device)
        distribution = completed(self.distribution, self.k.shape, whole=True, at=places)
        return Noise(self.distribution, exact(self.k)) if distribution is None else Noise(distribution, k, flat=True)

    def ask(self, name: str, *of: Tensor) -> Tensor:
        """What the distribution says of k, on the distribution's device and back; nan where it says nothing."""
        shape = (self.k.numel(), 1) if self.flat else self.k.shape
        found = ask(self.distribution, name, *(one.reshape(shape).to(self._device) for one in of))
        if found is None:
            return torch.full_like(self.k, math.nan)
        return exact(found).expand(shape).reshape(self.k.shape)

    @property
    def _device(self) -> torch.device:
        mean = ask(self.distribution, "mean")
        return self.k.device if mean is None else mean.device

    @property
    def has_cdf(self) -> bool:
        """Without one there is no PIT and no RPS."""
        return isinstance(self.distribution, CountDistribution) or not bool(self.ask("cdf", self.k).isnan().all())

    @cached_property
    def log_prob(self) -> Tensor:
        return self.ask("log_prob", self.k)

    @cached_property
    def mean(self) -> Tensor:
        return self.ask("mean")

    @cached_property
    def variance(self) -> Tensor:
        return self.ask("variance")

    @cached_property
    def pit(self) -> Tensor:
        """F(k - 1) + V P(k) with V uniform in (0, 1): [n, units]; uniform, too, where the distribution is right.

        V is drawn from a generator of its own, so that the same predictions have the same figures. Source: Czado,
        Gneiting & Held 2009, Biometrics 65, section 2.1 (randomised).
        """
        below = self.ask("cdf", self.k)
        chance = torch.Generator().manual_seed(SEED)
        v = torch.rand(self.k.shape, generator=chance, dtype=torch.float64)
        return (below - (1 - v) * self.log_prob.exp()).clamp(0, 1)

    def chance(self, count: int) -> Tensor:
        """P(count) of each distribution: [n, units]."""
        return self.ask("log_prob", torch.full_like(self.k, float(count))).exp()

    def shares(self, unit: int, most: int) -> Tensor:
        """How often each count 0 .. most of a unit is predicted: [most + 1]."""
        if not isinstance(self.distribution, CountDistribution):
            return torch.stack([self.chance(count)[:, unit].mean() for count in range(most + 1)])
        places = torch.arange(len(self.k), device=self._device) * self.k.shape[1] + unit
        counts = torch.arange(most + 1, dtype=self.distribution.parameters[0].dtype, device=self._device)
        return exact(self.distribution.at(places).log_pmf_of(counts).exp().mean(0))

    @cached_property
    def pit_p(self) -> Tensor:
        """p of the Kolmogorov-Smirnov test of each unit's PIT against a uniform one: [units]."""
        n = len(self.k)
        steps = torch.arange(n + 1, dtype=torch.float64).unsqueeze(-1) / n
        u = self.pit.sort(0).values
        distance = torch.maximum((steps[1:] - u).amax(0), (u - steps[:-1]).amax(0))
        return kolmogorov((n**0.5 + 0.12 + 0.11 / n**0.5) * distance)

    @property
    def pit_passes(self) -> float:
        """Share of units whose PIT passes that test at 1 %."""
        return float((self.pit_p >= LEVEL).double().mean()) if not self.pit_p.isnan().any() else math.nan

    @property
    def pearson(self) -> Tensor:
        """Mean squared residual over the predicted variance: [units]; 1 where they scatter as predicted."""
        return ((self.k - self.mean).square() / self.variance).mean(0)

    @property
    def rps(self) -> float:
        """Mean ranked probability score."""
        return float(self.ask("crps", self.k).mean())


def kolmogorov(x: Tensor) -> Tensor:
    """P(K > x) of Kolmogorov's distribution: 2 sum of (-1)^(j - 1) exp(-2 j^2 x^2); 1 below 0.2, to 1e-9."""
    j = torch.arange(1, 21, dtype=x.dtype)
    terms = (-1.0) ** (j - 1) * torch.exp(-2 * (j * x.unsqueeze(-1)).square())
    return torch.where(x > 0.2, (2 * terms.sum(-1)).clamp(0, 1), torch.where(x.isnan(), x, 1.0))


def is_of_counts(distribution: Any) -> bool:
    """Whether it gives a count a probability; one that does not say what it is for is believed to."""
    support = ask(distribution, "support")
    return support is None or support.is_discrete


def exact(x: Tensor) -> Tensor:
    return x.detach().cpu().double()  # in this order: not every device has float64
