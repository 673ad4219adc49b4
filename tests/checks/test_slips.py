"""The twelve slips of the course and of first costs: each is caught, with a line that says what is wrong."""

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize, poisson_nll_loss, relu, softplus

from tests.checks.run_checks import checked, is_caught

HALF_LOG_2_PI = 0.9189385


class Standardized(nn.Module):
    """A cost of reals with one output or two, that has learned mean and spread of the targets."""

    targets = {"reals"}
    outputs_per_target = 2

    def __init__(self, n_targets):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_targets))
        self.register_buffer("std", torch.ones(n_targets))

    def prepare(self, y):
        self.mean, self.std = y.mean(0), y.std(0)

    def z(self, y):
        return (y - self.mean) / self.std

    def columns(self, out):
        return out.unflatten(-1, (-1, self.outputs_per_target)).unbind(-1)

    def predict(self, out):
        mean, raw = self.columns(out)
        return {"mean": self.mean + self.std * mean, "std": self.std * softplus(raw)}


class Rate(nn.Module):
    """A cost of counts whose one output is the log of a rate."""

    targets = {"counts"}
    outputs_per_target = 1

    def predict(self, out):
        return {"rate": out.exp()}


class Sphere(nn.Module):
    """A cost of embeddings on the unit sphere."""

    targets = {"identities"}
    outputs_per_target = 16

    def unit(self, out):
        return normalize(out, dim=1)

    def predict(self, out):
        return {"embedding": normalize(out, dim=1)}

    def triplets(self, e, y):
        """d(a,p) - d(a,n) of every triplet."""
        d = (e[:, None] - e[None]).square().sum(-1)
        same = (y[:, None] == y[None]) & ~torch.eye(len(y), dtype=torch.bool)
        there = same[:, :, None] & (y[:, None] != y[None])[:, None, :]
        return (d[:, :, None] - d[:, None, :])[there]


class NoMinus(Standardized):
    """The printed slip: log likelihood, not minus log likelihood."""

    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = softplus(raw) + 1e-3
        return {"nll": (-0.5 * ((self.z(y) - mean) / s).square() - s.log() - HALF_LOG_2_PI).mean()}


class SquaredCounts(Rate):
    def forward(self, out, y):
        return {"mse": (out.exp() - y).square().mean()}


class NoLink(Standardized):
    def forward(self, out, y):
        mean, s = self.columns(out)
        return {"nll": (0.5 * ((self.z(y) - mean) / s).square() + s.log()).mean()}


class Stirling(Rate):
    def forward(self, out, y):
        return {"nll": poisson_nll_loss(out, y, log_input=True, full=True)}


class ClampOutside(Sphere):
    def forward(self, out, y):
        return {"triplet": relu(self.triplets(self.unit(out), y).mean() + 0.2)}


class PositivesOnly(Sphere):
    def forward(self, out, y):
        e = self.unit(out)
        same = y[:, None] == y[None]
        return {"positive": (e[:, None] - e[None]).square().sum(-1)[same].mean()}


class NoMarginNoSphere(Sphere):
    def forward(self, out, y):
        return {"difference": self.triplets(out, y).mean()}


class SumAndMean(Rate):
    """A sum over bins beside a mean over bins."""

    def forward(self, out, y):
        return {"nll": (out.exp() - y * out).sum(), "small": 0.1 * out.square().mean()}


class SumOfBins(Rate):
    def forward(self, out, y):
        return {"nll": (out.exp() - y * out).sum()}


class Broadcast(Rate):
    def forward(self, out, y):
        return {"nll": (out[:, 0].exp() - y[:, :1] * out[:, 0]).mean()}


class Detached(Rate):
    def forward(self, out, y):
        rate = out.detach().exp()
        return {"nll": (rate - y * rate.log()).mean()}


class SpreadDetached(Standardized):
    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = softplus(raw).detach() + 1e-3
        return {"nll": (0.5 * ((self.z(y) - mean) / s).square() + s.log()).mean()}


class WrongAxis(Sphere):
    """normalize over the photos, not over the numbers of one."""

    def unit(self, out):
        return normalize(out, dim=0)

    def forward(self, out, y):
        return {"triplet": relu(self.triplets(self.unit(out), y) + 0.2).mean()}


class WrongAxisOfCounts(Rate):
    """The share of each unit in a bin was meant, its share in the batch was written."""

    def forward(self, out, y):
        share = out.log_softmax(0)
        return {"multinomial": -(y * share).sum(1).mean()}


class NegativeRate(Rate):
    def forward(self, out, y):
        return {"nll": (out - y * out.log()).mean()}

    def predict(self, out):
        return {"rate": out}


CAUGHT = {
    NoMinus: ("smallest at the truth", "sign is wrong"),
    NoLink: ("start", "log of"),
    Stirling: ("log score", "off by 0.041 nats at a count of 2"),
    ClampOutside: ("hard among easy", "clamp stands outside the sum"),
    PositivesOnly: ("a constant", "a constant wins"),
    NoMarginNoSphere: ("length", "without end as embeddings grow"),
    SumAndMean: ("mean or sum", "nll is a sum over samples, small a mean"),
    SumOfBins: ("mean or sum", "a sum over samples"),
    Broadcast: ("own target", "[61, 1] and [61] makes [61, 61]"),
    Detached: ("start", "no gradient"),
    SpreadDetached: ("gradient arrives", "number 1 of each target's 2"),
    WrongAxis: ("length", "is an axis wrong?"),
    WrongAxisOfCounts: ("sample by sample", "is an axis wrong?"),
    NegativeRate: ("start", "log of"),
}


@pytest.mark.parametrize("cost", CAUGHT, ids=lambda cost: cost.__name__)
def test_the_slip_is_caught_with_its_reason(cost):
    is_caught(checked(cost), *CAUGHT[cost])


def test_the_squared_error_of_counts_is_told_and_does_not_fail():
    report = checked(SquaredCounts)
    assert report.passed and report.elicits == "mean", report
    assert report["spread"].outcome == "told" and "blind" in report["spread"].why
