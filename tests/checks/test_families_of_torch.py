"""Costs by torch.distributions, as anybody writes them first: each is asked about targets that it takes."""

import pytest
import torch
from torch import distributions as torch_s
from torch import nn

from dlthink.checks.kinds.counts import Counts
from dlthink.checks.minimum import Minimum
from dlthink.checks.outliers import check_outliers
from tests.checks.run_checks import checked, failed


class Likelihood(nn.Module):
    """-log p of a family of torch's, which checks its own arguments."""

    outputs_per_target = 2

    def family(self, a, b):
        raise NotImplementedError

    def of(self, out):
        return self.family(*out.unflatten(-1, (-1, self.outputs_per_target)).unbind(-1))

    def forward(self, out, y):
        return {"nll": -self.of(out).log_prob(y).mean()}

    def predict(self, out):
        return {"mean": self.of(out).mean, "distribution": self.of(out)}


class OfCounts(Likelihood):
    targets = {"counts"}


class OfReals(Likelihood):
    targets = {"reals"}


class Poisson(OfCounts):
    outputs_per_target = 1

    def family(self, a):
        return torch_s.Poisson(a.exp())


class NegativeBinomial(OfCounts):
    def family(self, a, b):
        return torch_s.NegativeBinomial(a.exp(), logits=b)


class Binomial(OfCounts):
    outputs_per_target = 1

    def family(self, a):
        return torch_s.Binomial(20, logits=a)


class Bernoulli(OfCounts):
    outputs_per_target = 1

    def family(self, a):
        return torch_s.Bernoulli(logits=a)


class Categorical(OfCounts):
    outputs_per_target = 12

    def of(self, out):
        return torch_s.Categorical(logits=out.unflatten(-1, (-1, 12)))

    def predict(self, out):
        return {"rate": self.of(out).probs @ torch.arange(12).to(out), "distribution": self.of(out)}


class LogNormal(OfReals):
    def family(self, a, b):
        return torch_s.LogNormal(a, b.exp())


class Gamma(OfReals):
    def family(self, a, b):
        return torch_s.Gamma(a.exp(), b.exp())


class Cauchy(OfReals):
    """Without a mean or a variance; its scale follows the answers."""

    def family(self, a, b):
        return torch_s.Cauchy(a, b.exp())

    def predict(self, out):
        return {"mean": self.of(out).loc, "distribution": self.of(out)}


class HeavyTails(Cauchy):
    """torch's StudentT has no quantiles, and with fewer than two degrees of freedom no variance."""

    def family(self, a, b):
        return torch_s.StudentT(1.5, a, b.exp())


class Beta(OfReals):
    def family(self, a, b):
        return torch_s.Beta(a.exp(), b.exp())


@pytest.mark.parametrize(
    "cost, about",
    [
        pytest.param(Poisson, "", marks=pytest.mark.slow),
        pytest.param(NegativeBinomial, "", marks=pytest.mark.slow),
        pytest.param(Binomial, "counts up to 9", marks=pytest.mark.slow),
        (Bernoulli, "zeros and ones"),
        pytest.param(Categorical, "counts up to 9", marks=pytest.mark.slow),
        pytest.param(LogNormal, "positive targets", marks=pytest.mark.slow),
        pytest.param(Gamma, "positive targets", marks=pytest.mark.slow),
        pytest.param(Beta, "targets between 0 and 1", marks=pytest.mark.slow),
    ],
)
def test_is_asked_about_targets_that_it_takes(cost, about, monkeypatch):
    monkeypatch.setattr(torch_s.Distribution, "_validate_args", False)  # as torch.compile leaves it
    report = checked(cost)
    assert not torch_s.Distribution._validate_args
    assert not failed(report) and "not asked" not in str(report), report
    assert report["log score"].outcome == "passed"
    assert cost is Bernoulli or report["proper score"].outcome == "passed"
    assert [f.why for f in report.findings if f.check == "targets" and about in f.why] or not about


def test_without_a_variance_the_spread_is_that_of_quantiles():
    report = checked(Cauchy)
    assert not failed(report) and report["proper score"].outcome == "passed"
    assert "spread that is read out is 1.1 of the true one: its family is another" in report["spread"].why


def test_a_distribution_without_variance_and_quantiles_is_not_called_blind():
    report = checked(HeavyTails)
    assert not failed(report) and "neither a finite variance nor quantiles" in report["spread"].why


class Stubborn(OfCounts):
    """Ends two questions: of a batch twice as large, and of answers far out."""

    outputs_per_target = 1

    def forward(self, out, y):
        if len(out) == 128:
            raise ValueError("a batch of 128 is one too many:\nhere [1, 2]")
        if bool((out == 10).all()):
            raise RuntimeError("too far")
        return {"nll": (out.exp() - y * out).mean()}

    def predict(self, out):
        return {"rate": out.exp()}


def test_an_exception_ends_one_question_and_the_others_are_asked():
    report = checked(Stubborn)
    assert not failed(report) and report["asks for"].outcome == "passed"
    for check, said in (("mean or sum", "too many: here [1, 2]"), ("a way back", "too far")):
        assert report[check].outcome == "told"
        assert report[check].why.startswith("not asked, the cost ends it: ") and said in report[check].why
        assert "test_families_of_torch.py:" in report[check].why


class Unlinked(OfReals):
    def family(self, a, b):
        return torch_s.Normal(a, b)


class Ends(OfReals):
    """Ends far from where it begins."""

    def family(self, a, b):
        return torch_s.Normal(a, torch.where(a.abs() < 5, b.exp(), -1.0))


def test_torch_s_refusals_are_said_whole():
    report = checked(Unlinked)
    assert "Normal: its scale must be GreaterThan(lower_bound=0.0) and is not" in failed(report)["start"]
    report = checked(Ends)
    assert "with answers of 10 the cost ends the run: " in report["extremes"].why
    assert "what is read out ends the run: " in failed(report)["range"]


def test_outliers_among_counts_are_whole_numbers():
    loss, truth = Poisson().double(), Counts().even()
    best = Minimum(truth.mean.log(), 0.0, {}, True, True)
    (found,) = check_outliers(loss, truth, best, Counts().possible)
    assert "pulls 10 times as hard" in found.why
