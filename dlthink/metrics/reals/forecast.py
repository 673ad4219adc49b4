"""One predictor's answers against what was measured, row by row; each score is worked out when it is asked for."""

import math
from functools import cached_property

import torch
from torch import Tensor
from torch.distributions import Normal

from dlthink.distributions.numerical_fallback import completed
from dlthink.distributions.optional_formulas import ask, log_prob

NODES = 128  # of the integral over p in the CRPS
CHUNK = 2**20  # quantiles held at a time
LEVELS = 100  # of the calibration curve, as in uncertainty-toolbox


class Forecast:
    """A distribution for each number of y: [n, n_targets]; scores are [n * n_targets], float64 on the CPU.

    predicted  {"mean"} and "distribution", or "std" (then Normal), or neither

    y, mean, error  measured, predicted, and measured less predicted
    std             predicted standard deviation
    log_prob        log density of what was measured, nats in the units of y
    crps            int (F(z) - [y <= z])^2 dz, in the units of y; |error| for a mean alone
    depth           |2 F(y) - 1|, the nominal share of the smallest central interval that holds y
    target          which target a score is of, 0 .. n_targets - 1

    What the read does not define, or its distribution does not implement, is nan.
    """

    def __init__(self, predicted: dict, y: Tensor):
        mean = predicted["mean"]
        distribution = predicted.get("distribution")
        if distribution is None and "std" in predicted:
            distribution = Normal(exact(mean), exact(predicted["std"]), validate_args=False)
            mean, y = exact(mean), exact(y)
        self._distribution = completed(distribution, mean.shape, whole=False)
        self._mean, self._y = mean, y.to(mean.device)
        self.y, self.mean = exact(y).flatten(), exact(mean).flatten()
        self.error = self.y - self.mean
        self.std = exact(predicted["std"]).flatten() if "std" in predicted else self._ask("stddev")
        self.target = torch.arange(y.shape[-1]).repeat(len(y))
        self._ends: dict[float, tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.y)

    @property
    def spreads(self) -> bool:
        """Whether there is a distribution at all, and not a mean alone."""
        return self._distribution is not None

    @cached_property
    def log_prob(self) -> Tensor:
        found = None if self._distribution is None else log_prob(self._distribution, self._y)
        return self._nan() if found is None else exact(found).flatten()

    @cached_property
    def depth(self) -> Tensor:
        return (2 * self._ask("cdf", self._y) - 1).abs()

    @cached_property
    def below_zero(self) -> Tensor:
        """P(Y < 0)."""
        return self._ask("cdf", torch.zeros_like(self._y))

    @cached_property
    def crps(self) -> Tensor:
        """The `crps(y)` of the distribution, completed, if it has one; else 2 int (p - [y < q])(y - q) dp, q = icdf(p).

        Nodes p = sin^2(pi u / 2), u even in (0, 1), are dense at both ends.
        Source: Gneiting & Raftery 2007, JASA 102, section 4.2; Laio & Tamea 2007, HESS 11 (by quantiles).
        """
        if not self.spreads:
            return self.error.abs()
        known = ask(self._distribution, "crps", self._y)
        if known is not None:
            return exact(known).flatten()
        u = (torch.arange(NODES, dtype=torch.float64) + 0.5) / NODES
        weight = (math.pi * u).sin()
        p, weight = (math.pi / 2 * u).sin() ** 2, weight / weight.sum()
        total = torch.zeros_like(self.y)
        size = max(1, CHUNK // max(1, len(self)))
        for some, w in zip(p.split(size), weight.split(size), strict=True):
            q = self.quantiles(some)
            total += 2 * (w[:, None] * (some[:, None] - (self.y < q).double()) * (self.y - q)).sum(0)
        return total

    def quantiles(self, p: Tensor) -> Tensor:
        """icdf(p), p: [k] -> [k, rows]."""
        shaped = p.to(self._mean.device, self._mean.dtype).view(-1, *[1] * self._mean.ndim)
        return self._ask("icdf", shaped, times=len(p)).view(len(p), -1)

    def interval(self, percent: float) -> tuple[Tensor, Tensor]:
        """Lower and upper end of the central interval that should hold so many percent."""
        if percent not in self._ends:
            ends = torch.tensor([0.5 - percent / 200, 0.5 + percent / 200], dtype=torch.float64)
            self._ends[percent] = tuple(self.quantiles(ends))
        return self._ends[percent]

    def only(self, on: Tensor) -> "Part":
        """Some scores of it, by a mask or their places."""
        return Part(self, on, self.y.new_ones(len(self)))

    def divided(self, scale: Tensor) -> "Part":
        """All of it in units of `scale`: [n_targets], a standard deviation of each target, say."""
        return Part(self, slice(None), scale.double()[self.target])

    def _ask(self, name: str, *given: Tensor, times: int = 1) -> Tensor:
        """What the distribution answers: [times * rows], nan where its family has no such formula."""
        answer = ask(self._distribution, name, *given)
        return self._nan(times) if answer is None else exact(answer).flatten()

    def _nan(self, times: int = 1) -> Tensor:
        return self.y.new_full((times * len(self),), math.nan)


class Part(Forecast):
    """Some scores of another forecast, `on` a mask or places, each in units of its `scale`: [scores of the whole]."""

    def __init__(self, whole: Forecast, on: Tensor | slice, scale: Tensor):
        self._whole, self._on, self._scale = whole, on, scale[on]
        self.y, self.mean, self.error, self.std = (
            values[on] / self._scale for values in (whole.y, whole.mean, whole.error, whole.std)
        )
        self.target = whole.target[on]

    @property
    def spreads(self) -> bool:
        return self._whole.spreads

    @cached_property
    def log_prob(self) -> Tensor:
        return self._whole.log_prob[self._on] + self._scale.log()

    @cached_property
    def depth(self) -> Tensor:
        return self._whole.depth[self._on]

    @cached_property
    def below_zero(self) -> Tensor:
        return self._whole.below_zero[self._on]

    @cached_property
    def crps(self) -> Tensor:
        return self._whole.crps[self._on] / self._scale

    def quantiles(self, p: Tensor) -> Tensor:
        return self._whole.quantiles(p)[:, self._on] / self._scale

    def interval(self, percent: float) -> tuple[Tensor, Tensor]:
        low, high = (end[self._on] / self._scale for end in self._whole.interval(percent))
        return low, high


def widened(predicted: dict, known: dict) -> dict:
    """The same with a std of known["least_std"] [n, n_targets] or more, where there is one: as of all training."""
    if "least_std" not in known or "std" not in predicted:
        return predicted
    std = predicted["std"]
    return predicted | {"std": torch.maximum(std, known["least_std"].to(std))}


def known_of(predicted: dict, y: Tensor) -> Forecast:
    """The forecast of what is known of y: a nan in it is a value that nobody has measured."""
    every = Forecast(predicted, y)
    missing = every.y.isnan()
    return every.only(~missing) if bool(missing.any()) else every


def exact(x: Tensor) -> Tensor:
    return x.detach().cpu().double()  # in this order: not every device has float64


def observed(depth: Tensor) -> tuple[Tensor, Tensor]:
    """Nominal shares 0 .. 1 and the share of rows inside the central interval of each: [levels] twice."""
    nominal = torch.linspace(0, 1, LEVELS, dtype=torch.float64)
    inside = torch.searchsorted(depth.sort().values, nominal, right=True) / len(depth)
    return nominal, torch.where(depth.isnan().any(), math.nan, inside.double())


def miscalibration_area(depth: Tensor) -> float:
    """Area between the curve of `observed` and the diagonal: 0 is calibrated, 0.5 as wrong as can be.

    Source: Kuleshov, Fenner & Ermon 2018, ICML; as in uncertainty-toolbox (Chung et al. 2021), but from the
    predicted distribution where that assumes a Gaussian.
    """
    nominal, inside = observed(depth)
    left, right = (inside - nominal)[:-1], (inside - nominal)[1:]
    sides = left.abs() + right.abs()
    crossed = (left**2 + right**2) / sides.clamp(min=1e-300)  # two triangles
    return float((torch.where(left * right < 0, crossed, sides) * nominal.diff() / 2).sum())
