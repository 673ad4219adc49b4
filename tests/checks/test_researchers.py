"""Costs as researchers write them, of targets that are positive, shares, or skewed: right ones pass, and wrong
ones are caught. Invented after the checks were written."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from tests.checks.run_checks import checked, failed
from tests.checks.test_slips import Standardized


class OfLevel(nn.Module):
    """Positive targets: answers are about the log of the mean target."""

    targets = {"reals"}
    outputs_per_target = 2

    def __init__(self, n_targets):
        super().__init__()
        self.register_buffer("level", torch.zeros(n_targets))

    def prepare(self, y):
        self.level = y.mean(0).log()

    def columns(self, out):
        first, *rest = out.unflatten(-1, (-1, self.outputs_per_target)).unbind(-1)
        return first + self.level, *(softplus(one) + 1e-3 for one in rest)


class LogNormal(OfLevel):
    """Elicits the whole distribution of log-normal targets."""

    def forward(self, out, y):
        m, s = self.columns(out)
        return {"nll": (y.log() + s.log() + 0.5 * ((y.log() - m) / s) ** 2).mean()}

    def predict(self, out):
        read = torch.distributions.LogNormal(*self.columns(out))
        return {"mean": read.mean, "std": read.stddev, "distribution": read}


class LogNormalPlain(LogNormal):
    """Reads out numbers alone."""

    def predict(self, out):
        m, s = self.columns(out)
        mean = (m + s**2 / 2).exp()
        return {"mean": mean, "std": mean * torch.expm1(s**2).sqrt()}


class GammaDeviance(OfLevel):
    """Elicits the mean."""

    outputs_per_target = 1

    def forward(self, out, y):
        (m,) = self.columns(out)
        return {"deviance": 2 * (y * (-m).exp() - 1 - (y.log() - m)).mean()}

    def predict(self, out):
        return {"mean": self.columns(out)[0].exp()}


class Gamma(OfLevel):
    def forward(self, out, y):
        m, s = self.columns(out)
        a = 1 / s**2
        log_p = a * (a.log() - m) + (a - 1) * y.log() - a * y * (-m).exp() - torch.lgamma(a)
        return {"nll": -log_p.mean()}

    def predict(self, out):
        m, s = self.columns(out)
        return {"mean": m.exp(), "std": m.exp() * s}


class Tweedie(GammaDeviance):
    """Elicits the mean."""

    def forward(self, out, y):
        (m,) = self.columns(out)
        return {"tweedie": (-y * (-0.5 * m).exp() / -0.5 + (0.5 * m).exp() / 0.5).mean()}


class InverseGaussian(GammaDeviance):
    """Elicits the mean."""

    def forward(self, out, y):
        (m,) = self.columns(out)
        return {"deviance": ((y - m.exp()) ** 2 / (y * (2 * m).exp())).mean()}


class Weibull(OfLevel):
    """Elicits the whole distribution of Weibull targets."""

    def scaled(self, out, y):
        m, s = self.columns(out)
        return 1 / s, ((y.log() - m) / s).clamp(max=80)

    def forward(self, out, y):
        k, z = self.scaled(out, y)
        return {"nll": (y.log() - k.log() - z + z.exp()).mean()}

    def predict(self, out):
        m, s = self.columns(out)
        read = torch.distributions.Weibull(m.exp(), 1 / s)
        return {"mean": read.mean, "std": read.stddev, "distribution": read}


class BetaShare(nn.Module):
    targets = {"reals"}
    outputs_per_target = 2

    def __init__(self, n_targets):
        super().__init__()

    def columns(self, out):
        raw, width = out.unflatten(-1, (-1, 2)).unbind(-1)
        return raw.sigmoid(), 1 + 100 * softplus(width)

    def forward(self, out, y):
        m, n = self.columns(out)
        return {"nll": -torch.distributions.Beta(m * n, (1 - m) * n, validate_args=False).log_prob(y).mean()}

    def predict(self, out):
        m, n = self.columns(out)
        return {"mean": m, "std": (m * (1 - m) / (n + 1)).sqrt()}


class One(Standardized):
    outputs_per_target = 1

    def error(self, out, y):
        return self.z(y) - self.columns(out)[0]

    def predict(self, out):
        return {"mean": self.mean + self.std * self.columns(out)[0]}


class LogCosh(One):
    def forward(self, out, y):
        e = self.error(out, y)
        return {"logcosh": (e + softplus(-2 * e) - math.log(2)).mean()}


class Expectile(One):
    """Elicits the expectile 0.8."""

    def forward(self, out, y):
        e = self.error(out, y)
        return {"expectile": (torch.where(e > 0, 0.8, 0.2) * e**2).mean()}


class AsymmetricLaplace(Standardized):
    """Elicits the quantile 0.7."""

    def forward(self, out, y):
        m, raw = self.columns(out)
        s = softplus(raw) + 1e-3
        e = (self.z(y) - m) / s
        return {"nll": (s.log() + torch.maximum(0.7 * e, -0.3 * e)).mean()}

    def predict(self, out):
        return {"mean": self.mean + self.std * self.columns(out)[0]}


RIGHT = [LogNormal, LogNormalPlain, GammaDeviance, Gamma, Tweedie, InverseGaussian, Weibull, BetaShare]
RIGHT += [LogCosh, Expectile, AsymmetricLaplace]


class GammaWithoutLog(GammaDeviance):  # 1: nothing keeps the mean from growing
    __doc__ = None

    def forward(self, out, y):
        (m,) = self.columns(out)
        return {"deviance": 2 * (y * (-m).exp() - 1).mean()}


class MedianForMean(LogNormalPlain):  # 2: exp(m) and s are not the mean and spread of a log-normal
    """Reads out numbers alone."""

    def predict(self, out):
        m, s = self.columns(out)
        return {"mean": m.exp(), "std": s}


class WeibullWithoutShape(Weibull):  # 3: log k is missing
    def forward(self, out, y):
        _, z = self.scaled(out, y)
        return {"nll": (y.log() - z + z.exp()).mean()}


class TweedieSign(Tweedie):  # 4: a sign of the second term
    __doc__ = None

    def forward(self, out, y):
        (m,) = self.columns(out)
        return {"tweedie": (y * (-0.5 * m).exp() / 0.5 - (0.5 * m).exp() / 0.5).mean()}


class ExpectileForMean(Expectile):  # 5: what it says is not what it asks for
    """Elicits the mean."""


class LaplaceWithoutScale(AsymmetricLaplace):  # 6: the log of the scale is missing
    """Elicits the quantile 0.7."""

    def forward(self, out, y):
        m, raw = self.columns(out)
        e = (self.z(y) - m) / (softplus(raw) + 1e-3)
        return {"nll": torch.maximum(0.7 * e, -0.3 * e).mean()}


WRONG = {
    GammaWithoutLog: "smallest at the truth",
    MedianForMean: "spread",
    WeibullWithoutShape: "smallest at the truth",
    TweedieSign: "smallest at the truth",
    ExpectileForMean: "asks for",
    LaplaceWithoutScale: "smallest at the truth",
}
QUICK = {LogNormal, LaplaceWithoutScale}


def cases(costs):
    return [pytest.param(cost, id=cost.__name__, marks=[pytest.mark.slow] * (cost not in QUICK)) for cost in costs]


@pytest.mark.parametrize("cost", cases(RIGHT))
def test_right_ones_pass(cost):
    report = checked(cost)
    assert not report.failed, report


@pytest.mark.parametrize("cost", cases(WRONG))
def test_wrong_ones_are_caught(cost):
    assert WRONG[cost] in failed(checked(cost))
