"""Costs as students write them: right ones do not fail, wrong ones do, and say why."""

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, gaussian_nll_loss, relu, softplus

from dlthink.checks.elicitation import right_alone
from dlthink.checks.functionals import NEAR
from dlthink.checks.minimum import minimise
from dlthink.checks.truth import Truth
from tests.checks.run_checks import checked, failed, is_caught
from tests.checks.test_slips import Rate, Sphere, Standardized


class ProportionalOdds(nn.Module):
    """P(y > k) = sigmoid(out - cut_k), cuts that all samples share."""

    targets = {"counts"}
    outputs_per_target = 1

    def __init__(self, n_targets, largest_count):
        super().__init__()
        self.largest = largest_count
        self.first = nn.Parameter(torch.zeros(n_targets, 1))
        self.steps = nn.Parameter(torch.zeros(n_targets, largest_count - 1))

    def above(self, out):
        cuts = torch.cat([self.first, self.first + softplus(self.steps).cumsum(-1)], -1)
        return (out[..., None] - cuts).sigmoid()

    def forward(self, out, y):
        above = self.above(out)
        ends = torch.ones_like(above[..., :1])
        share = torch.cat([ends, above], -1) - torch.cat([above, 0 * ends], -1)
        k = y.long().clamp(max=self.largest)[..., None]
        return {"nll": -share.gather(-1, k).clamp(min=1e-12).log().mean()}

    def predict(self, out):
        return {"rate": self.above(out).sum(-1)}


class Thresholds(nn.Module):
    """A yes or no for each threshold. Elicits the mean."""

    targets = {"counts"}

    def __init__(self, n_targets, largest_count):
        super().__init__()
        self.n_targets, self.outputs_per_target = n_targets, largest_count

    def logits(self, out):
        return out.unflatten(-1, (self.n_targets, self.outputs_per_target))

    def is_above(self, y, out):
        return (y[..., None] > torch.arange(self.outputs_per_target)).to(out)

    def forward(self, out, y):
        return {"bce": binary_cross_entropy_with_logits(self.logits(out), self.is_above(y, out))}

    def predict(self, out):
        return {"rate": self.logits(out).sigmoid().sum(-1)}


class Hurdle(Rate):
    """None or some, and how many if some. Elicits the mean."""

    outputs_per_target = 2

    def columns(self, out):
        return out.unflatten(-1, (-1, 2)).unbind(-1)

    def forward(self, out, y):
        some, log_rate = self.columns(out)
        is_some = (y > 0).to(out)
        rate = log_rate.exp()
        count = rate - y * log_rate + (-torch.expm1(-rate)).clamp(min=1e-9).log()
        return {"some": binary_cross_entropy_with_logits(some, is_some), "count": (is_some * count).mean()}

    def predict(self, out):
        some, log_rate = self.columns(out)
        rate = log_rate.exp()
        return {"rate": some.sigmoid() * rate / (-torch.expm1(-rate)).clamp(min=1e-9)}


class Quantiles(Standardized):
    """Three quantiles that cannot cross. Elicits the quantiles."""

    outputs_per_target = 3

    def quantiles(self, out):
        middle, below, above = self.columns(out)
        return torch.stack([middle - softplus(below), middle, middle + softplus(above)], -1)

    def forward(self, out, y):
        e = self.z(y)[..., None] - self.quantiles(out)
        p = torch.tensor([0.1587, 0.5, 0.8413]).to(e)
        return {"pinball": torch.maximum(p * e, (p - 1) * e).mean()}

    def predict(self, out):
        low, middle, high = self.quantiles(out).unbind(-1)
        return {"mean": self.mean + self.std * middle, "std": self.std * (high - low) / 2}


RIGHT = {Quantiles: "median", ProportionalOdds: "mean", Thresholds: "mean", Hurdle: "mean"}
SLOW = {ProportionalOdds, Thresholds, Hurdle}


@pytest.mark.parametrize("cost", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in RIGHT])
def test_no_false_alarm(cost):
    report = checked(cost)
    assert failed(report) == {} and report.elicits == RIGHT[cost]


class Doubled(ProportionalOdds):
    def predict(self, out):
        return {"rate": 2 * self.above(out).sum(-1)}


def test_weights_that_all_samples_share_are_asked_of_one_distribution_alone():
    y = torch.tensor([0.0, 0, 0, 1, 2, 1, 3, 3, 0, 3]).double().repeat_interleave(10)[:, None]
    truth = Truth(y, torch.arange(100) // 50, "counts of two kinds")
    for cost, alone in ((ProportionalOdds, True), (Doubled, False), (Thresholds, False)):
        loss = cost(1, 3).double()
        found = minimise(loss, truth, torch.zeros(2, loss.outputs_per_target).double())
        assert right_alone(loss, truth, found, truth.mean) == alone, cost.__name__
        if alone:
            assert float(((found.predicted["rate"] - truth.mean) / truth.mean).abs().max()) > 2 * NEAR


class OneTooMany(Thresholds):
    def is_above(self, y, out):
        return (y[..., None] >= torch.arange(self.outputs_per_target)).to(out)


class NotTruncated(Hurdle):
    def forward(self, out, y):
        some, log_rate = self.columns(out)
        is_some = (y > 0).to(out)
        count = is_some * (log_rate.exp() - y * log_rate)
        return {"some": binary_cross_entropy_with_logits(some, is_some), "count": count.mean()}


class Clipped(Rate):
    def forward(self, out, y):
        return {"nll": (out.exp() - y.clamp(max=3) * out).mean()}


class NoEmptyBins(Rate):
    def forward(self, out, y):
        some = y > 0
        return {"nll": ((out.exp() - y * out) * some).sum() / some.sum()}


class VarianceForStd(Standardized):
    def forward(self, out, y):
        mean, raw = self.columns(out)
        return {"nll": gaussian_nll_loss(mean, self.z(y), softplus(raw) + 1e-6)}


class Focal(Standardized):
    def forward(self, out, y):
        mean, raw = self.columns(out)
        nll = 0.5 * ((self.z(y) - mean) / softplus(raw)).square() + softplus(raw).log() + 0.9189
        return {"focal": ((1 - (-nll).exp().clamp(max=1)).square() * nll).mean()}


class OneselfIsThePositive(Sphere):
    def forward(self, out, y):
        e = self.unit(out)
        return {"nce": nn.functional.cross_entropy(e @ e.T / 0.1, torch.arange(len(y)))}


class SpreadOverNumbers(Sphere):
    """The spread of the numbers of a photo, where photos are meant to spread."""

    def forward(self, out, y):
        e = self.unit(out)
        same = (y[:, None] == y).to(out)
        centre = same @ e / same.sum(1, keepdim=True)
        return {"near": (e - centre).square().mean(), "spread": relu(0.2 - e.std(1)).mean()}


CAUGHT = {
    NoEmptyBins: ("dead answers", "a mask may leave samples out"),
    VarianceForStd: ("spread", "a variance read out as a spread"),
    Clipped: ("asks for", "below the mean"),
    OneTooMany: ("asks for", "the mean plus 1"),
    NotTruncated: ("asks for", "above the mean"),
    Focal: ("spread", "of the true one"),
    OneselfIsThePositive: ("own target", "does not depend on y"),
    SpreadOverNumbers: ("a constant", "collapses"),
}
FAST = 2
MARKED = [pytest.param(cost, marks=[pytest.mark.slow] * (i >= FAST)) for i, cost in enumerate(CAUGHT)]


@pytest.mark.parametrize("cost", MARKED)
def test_the_slip_is_caught_with_its_reason(cost):
    is_caught(checked(cost), *CAUGHT[cost])
