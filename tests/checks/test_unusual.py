"""Twelve more slips, each caught with its reason; and right costs that few would write, which do not fail."""

import math

import pytest
import torch
from torch.distributions import NegativeBinomial
from torch.nn.functional import softplus

from tests.checks.run_checks import checked, failed, is_caught
from tests.checks.test_slips import Rate, Sphere, Standardized


class One(Standardized):
    """One output, the mean in units of the spread of the targets."""

    outputs_per_target = 1

    def predict(self, out):
        return {"mean": self.mean + self.std * out}


class Squares(Sphere):
    """Squared distances of all pairs, and who is the same person; nobody is paired with himself."""

    def pairs(self, out, y):
        e = self.unit(out)
        d = (e[:, None] - e[None]).square().sum(-1)
        alone = torch.eye(len(y), dtype=torch.bool)
        return d, (y[:, None] == y[None]) & ~alone, y[:, None] != y[None], alone


class NextTarget(Rate):  # 1: rows shifted by one, as by a lag that was meant for the inputs
    def forward(self, out, y):
        return {"nll": (out.exp() - y.roll(1, 0) * out).mean()}


class WeightedByCount(Rate):  # 2: busy bins shall count more
    def forward(self, out, y):
        return {"nll": (y * (out.exp() - y * out)).mean()}


class Mape(One):  # 3: percent of the target, which a low answer is cheap for
    def forward(self, out, y):
        return {"mape": ((y - self.predict(out)["mean"]) / y).abs().mean()}


class FlooredSpread(Standardized):  # 4: a spread that cannot be small
    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = 1 + softplus(raw)
        return {"nll": (s.log() + 0.5 * ((self.z(y) - mean) / s).square()).mean()}

    def predict(self, out):
        mean, raw = self.columns(out)
        return {"mean": self.mean + self.std * mean, "std": self.std * (1 + softplus(raw))}


class SumOfErrors(Standardized):  # 5: log s is halved once more than the square
    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = softplus(raw)
        return {"error": 0.5 * ((self.z(y) - mean) / s).square().mean(), "log": 0.5 * s.log().mean()}


class CrpsPlus(Standardized):  # 6: the spread is punished where it should be paid back
    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = softplus(raw)
        z = (self.z(y) - mean) / s
        pdf, cdf = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi), 0.5 * (1 + torch.erf(z / math.sqrt(2)))
        return {"crps": (s * (z * (2 * cdf - 1) + 2 * pdf + 1 / math.sqrt(math.pi))).mean()}


class Smoothed(One):  # 7: targets drawn to the middle of the batch, as labels are smoothed
    def forward(self, out, y):
        z = self.z(y)
        return {"mse": (out - 0.7 * z - 0.3 * z.mean(0)).square().mean()}


class LogCoshOfCounts(Rate):  # 8: robust, and so for the middle of skewed counts
    def forward(self, out, y):
        d = out.exp() - y
        return {"logcosh": (d.abs() + softplus(-2 * d.abs())).mean()}


class RoundedRate(Rate):  # 9: a count is a whole number, so the rate is made one
    def forward(self, out, y):
        return {"mse": (out.exp().round() - y).square().mean()}


class DetachedNegatives(Squares):  # 10: what is far is computed once, without a gradient
    def forward(self, out, y):
        d, same, other, _ = self.pairs(out, y)
        return {"triplet": d[same].mean() + (0.5 - d.detach()[other]).relu().mean()}


class DistanceAsLogit(Squares):  # 11: a distance where a similarity belongs
    def forward(self, out, y):
        d, same, _, alone = self.pairs(out, y)
        share = d.masked_fill(alone, -1e9).log_softmax(1)
        return {"nce": -share[same].mean()}


class SharedScale(Standardized):  # 12: the spread of each sample is estimated by the errors of the whole batch
    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = softplus(raw)
        z = self.z(y) - mean
        return {"nll": (s.log() + 0.5 * z.square().mean(0) / s.square()).mean()}


CAUGHT = {
    NextTarget: ("own target", "depends on the order of the samples"),
    WeightedByCount: ("asks for", "not for the rate that it reads out"),
    Mape: ("asks for", "below the mean"),
    FlooredSpread: ("spread", "3 of the true one"),
    SumOfErrors: ("spread", "is log of the spread whole"),
    CrpsPlus: ("spread", "is the sign of a term wrong"),
    Smoothed: ("asks for", "drawn together, to 70%"),
    LogCoshOfCounts: ("asks for", "32% below the mean"),
    RoundedRate: ("start", "rounding, counting, comparing and .detach() teach nothing"),
    DetachedNegatives: ("pushes apart", "detach cuts it off"),
    DistanceAsLogit: ("pulls together", "it rises"),
    SharedScale: ("sample by sample", "depends on who else is in the batch"),
}


class BatchRmse(One):
    """The root of the mean square of a batch: the same minimum."""

    def forward(self, out, y):
        return {"rmse": ((self.z(y) - out).square().mean() + 1e-12).sqrt()}


class Precision(Standardized):
    """The Gaussian's log precision instead of its spread."""

    def forward(self, out, y):
        mean, log_precision = self.columns(out)
        return {"nll": 0.5 * (log_precision.exp() * (self.z(y) - mean).square() - log_precision).mean()}

    def predict(self, out):
        mean, log_precision = self.columns(out)
        return {"mean": self.mean + self.std * mean, "std": self.std * (-0.5 * log_precision).exp()}


class ExponentialBregman(One):
    """The Bregman divergence of exp: it asks for the mean, as each of them does."""

    def forward(self, out, y):
        z = self.z(y)
        return {"bregman": (z.exp() - out.exp() * (1 + z - out)).mean()}


class Hyvarinen(Standardized):
    """The Hyvarinen score of a Gaussian: proper, without its normalizing constant."""

    def forward(self, out, y):
        mean, raw = self.columns(out)
        s2 = softplus(raw).square()
        return {"score": ((self.z(y) - mean).square() / s2.square() - 2 / s2).mean()}


class Logistic(Standardized):
    """The likelihood of a logistic distribution of scale s; its spread is pi s / sqrt 3."""

    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = softplus(raw)
        z = (self.z(y) - mean) / s
        return {"nll": (z + 2 * softplus(-z) + s.log()).mean()}

    def predict(self, out):
        mean, raw = self.columns(out)
        return {"mean": self.mean + self.std * mean, "std": self.std * softplus(raw) * math.pi / math.sqrt(3)}


class DawidSebastiani(Standardized):
    """log s^2 + z^2: proper for mean and variance, of whatever distribution."""

    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = softplus(raw) + 1e-3
        return {"dss": (2 * s.log() + ((self.z(y) - mean) / s).square()).mean()}


class SoftplusPoisson(Rate):
    """Another link."""

    def forward(self, out, y):
        rate = softplus(out)
        return {"nll": (rate - y * rate.clamp(min=1e-30).log()).mean()}

    def predict(self, out):
        return {"rate": softplus(out)}


class PoissonDeviance(Rate):
    """Twice the log likelihood ratio to counts that are predicted exactly."""

    def forward(self, out, y):
        return {"deviance": 2 * (torch.xlogy(y, y) - y * out - y + out.exp()).mean()}


class LogOfSquares(One):
    """Outliers hardly count: the centre of symmetric targets, told of skewed ones."""

    def forward(self, out, y):
        return {"log": ((self.z(y) - out).square() + 0.01).log().mean()}


class FixedDispersion(Rate):
    """A negative binomial whose dispersion nobody learns: the mean is right all the same."""

    def forward(self, out, y):
        return {"nll": -NegativeBinomial(3.0, logits=out - math.log(3.0)).log_prob(y).mean()}


class SupCon(Squares):
    """Khosla et al. 2020, on cosine similarities."""

    def forward(self, out, y):
        d, same, _, alone = self.pairs(out, y)
        share = (-d / 0.2).masked_fill(alone, -1e9).log_softmax(1)
        return {"supcon": -share[same].mean()}


class SoftTriplet(Sphere):
    """softplus in place of a margin and a clamp."""

    def forward(self, out, y):
        return {"soft": softplus(5 * self.triplets(self.unit(out), y)).mean()}


class Neighbourhood(Squares):
    """Neighbourhood components analysis: the share of neighbours that are the same person."""

    def forward(self, out, y):
        d, same, _, alone = self.pairs(out, y)
        share = (-5 * d).masked_fill(alone, -1e9).softmax(1)
        right = (share * same).sum(1)
        return {"nca": -(right[same.any(1)] + 1e-9).log().mean()}


RIGHT = [BatchRmse, Precision, ExponentialBregman, Hyvarinen, Logistic, DawidSebastiani, SoftplusPoisson]
RIGHT += [PoissonDeviance, LogOfSquares, FixedDispersion, SupCon, SoftTriplet, Neighbourhood]


FAST = {NextTarget, RoundedRate, DetachedNegatives, Neighbourhood}


def marked(costs):
    return [pytest.param(cost, id=cost.__name__, marks=[pytest.mark.slow] * (cost not in FAST)) for cost in costs]


@pytest.mark.parametrize("cost", marked(CAUGHT))
def test_the_slip_is_caught_with_its_reason(cost):
    is_caught(checked(cost), *CAUGHT[cost])


@pytest.mark.parametrize("cost", marked(RIGHT))
def test_no_false_alarm(cost):
    report = checked(cost)
    assert failed(report) == {}
    if cost is Neighbourhood:
        assert report.elicits == "neighbours" and "one threshold" in report["asks for"].advice
