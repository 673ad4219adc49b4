"""Costs written before the checks were read: what was missed of them, or caught for another reason, is found now."""

import pytest
import torch
from torch.distributions import NegativeBinomial, Normal, StudentT
from torch.nn.functional import softplus

from dlthink.checks import elicitation
from dlthink.checks.claim import asks_for
from dlthink.checks.exposure import check_exposure
from dlthink.checks.finding import Report
from dlthink.checks.functionals import claimed_level, name_of
from dlthink.checks.kinds import domains
from dlthink.checks.kinds.counts import Counts
from dlthink.checks.kinds.kind import Case, noise
from dlthink.checks.kinds.reals import RealNumbers, _cure
from dlthink.checks.likelihood import check_log_score
from dlthink.checks.minimum import Minimum, minimise
from dlthink.checks.missing import check_missing
from dlthink.checks.truth import counts, gathered, normal, poisson
from dlthink.checks.units import check_units
from dlthink.losses.counts.poisson import Poisson
from dlthink.losses.reals.gaussian_nll import GaussianNLL
from dlthink.losses.reals.mse import MSE
from tests.checks.run_checks import checked
from tests.checks.test_slips import Rate, Standardized
from tests.checks.test_slips_of_domains import Photos


@pytest.fixture(scope="module")
def truth():
    return RealNumbers().even()


def start(truth, columns):
    return elicitation.first(torch.empty(truth.size, columns))


# ------------------------------------------------------------------------------------------------- level of a quantile


class Late:
    """Elicits the 0.9 quantile: late is worse than early by 9."""


class Middle:
    """Elicits the 50 % quantile."""


class Setting:
    """Elicits the quantile at `level`, 0.9 if nothing is said."""


@pytest.mark.parametrize(
    "cost, word, level, outcome, advice",
    [
        (Late, "quantile", 0.897, "passed", ""),
        (Late, "quantile", 0.1, "failed", "too high and too low are exchanged"),
        (Late, "quantile", 0.8, "failed", "mend the level"),
        (Middle, "median", None, "passed", ""),
        (Setting, "quantile", 0.1, "passed", ""),
    ],
)
def test_the_level_that_a_docstring_says_is_held_against_it(cost, word, level, outcome, advice):
    finding = asks_for(cost(), word, "it finds it", "told", level=level)
    assert finding.outcome == outcome and finding.advice.startswith(advice)


@pytest.mark.parametrize(
    "text, level",
    [("Elicits the 0.9 quantile.", 0.9), ("Elicits the 80% expectile.", 0.8), ("Elicits the mean.", None)],
)
def test_a_level_is_read_as_a_share_or_percent(text, level):
    assert claimed_level(text) == level


# ----------------------------------------------------------------------------------------------------- missing targets


class OneMean(Standardized):
    outputs_per_target = 1

    def prepare(self, y):
        self.mean, self.std = y.nanmean(0), (y - y.nanmean(0)).square().nanmean(0).sqrt()

    def forward(self, out, y):
        return {"error": self.error(out, self.z(y))}


class MissingIsZero(OneMean):
    def error(self, out, z):
        return (out - z.nan_to_num()).square().mean()


class MaskBehind(OneMean):  # 0 times nan is nan, in the gradient
    def error(self, out, z):
        return torch.where(z.isnan(), 0.0, (out - z).square()).mean()


class WholeRows(OneMean):
    def error(self, out, z):
        rows = ~z.isnan().any(1)
        return (out - z)[rows].square().mean()


class Penalized(OneMean):  # its second term has no target to miss
    def forward(self, out, y):
        return super().forward(out, y) | {"size": 1e-3 * out.square().mean()}

    def error(self, out, z):
        return (out - z)[~z.isnan()].square().mean()


@pytest.mark.parametrize(
    "cost, outcome, says",
    [
        (MissingIsZero, "failed", "counts as some value"),
        (MaskBehind, "failed", "one step makes every weight nan"),
        (WholeRows, "told", "left out whole"),
        (Penalized, "passed", "teaches nothing"),
        (MSE, "passed", "teaches nothing"),
        (GaussianNLL, "passed", "teaches nothing"),
    ],
)
def test_a_missing_target_teaches_nothing(truth, cost, outcome, says):
    def make(**facts):
        return cost(facts["n_targets"])

    (finding,) = check_missing(RealNumbers(), make, truth, start(truth, 2 * cost.outputs_per_target))
    assert finding.outcome == outcome and says in finding.why


def test_a_cost_that_takes_no_missing_target_is_not_asked(truth):
    class Plain(Standardized):
        def forward(self, out, y):
            return {"error": (self.columns(out)[0] - self.z(y)).square().mean()}

    assert not list(check_missing(RealNumbers(), lambda **facts: Plain(2), truth, start(truth, 4)))


# ----------------------------------------------------------------------------------------------- units of one target


class OneScale(Standardized):
    outputs_per_target = 1

    def prepare(self, y):
        self.mean, self.std = y.mean(), y.std()

    def forward(self, out, y):
        return {"mse": (out - self.z(y)).square().mean()}


@pytest.mark.parametrize("cost, outcome", [(OneScale, "told"), (MSE, "passed")])
def test_targets_that_share_one_scale(truth, cost, outcome):
    (finding,) = check_units(RealNumbers(), lambda **facts: cost(2), truth, None, start(truth, 2))
    assert finding.outcome == outcome
    assert ("all share one scale" in finding.why) == (outcome == "told")


# -------------------------------------------------------------------------------------------------------------- counts


class SoftplusOfExposure(Rate):
    targets = {"counts", "counts with exposure"}

    def predict(self, out):
        return {"rate": softplus(out)}


@pytest.mark.parametrize("loss, outcome", [(SoftplusOfExposure(), "failed"), (Poisson(2), "passed")])
def test_half_the_exposure_is_half_the_rate(loss, outcome):
    (finding,) = check_exposure(loss, noise(8, 2, seed=0))
    assert finding.outcome == outcome and ("rate = exp(out)" in finding.advice) == (outcome == "failed")


class LogOnePlusRate(Rate):
    def forward(self, out, y):
        return {"nll": (out.exp() - y * out.exp().log1p()).mean()}


def test_a_mean_minus_one_that_ends_at_zero():
    truth = Counts().skewed()
    found = name_of((truth.mean - 1).clamp(min=0), truth, truth.mean)
    assert (found.word, found.text) == ("nothing", "the mean minus 1, and 0 where that is below 0")


def test_what_is_no_likelihood_is_not_told_to_lack_a_factorial():
    truth = Counts().even()
    answers = (truth.mean - 1).clamp(min=1e-12).log()
    found = Minimum(answers, 0.0, {"rate": answers.exp()}, True, True)
    assert not list(check_log_score(Counts(), lambda **facts: LogOnePlusRate(), truth, found, True))


# ------------------------------------------------------------------------------------------- the reason it gives


@pytest.mark.parametrize(
    "read_out, reason",
    [
        (torch.square, "a variance read out as a spread:"),
        (torch.sqrt, "the root of a spread read out:"),
        (lambda std: std + 0.2, "a weight that follows the answers detached"),
    ],
)
def test_how_a_spread_goes_with_the_true_one_says_what_it_is(read_out, reason):
    std = torch.tensor([[0.4, 0.3], [1.2, 0.9], [0.7, 0.6]])
    assert reason in _cure(read_out(std) / std, std)


class BackToTheOther(Photos):
    def forward(self, out, y):
        a, b = self.domains
        back = sum((out[f"back_{a}"] - y[b]).abs().mean() for a, b in ((a, b), (b, a)))
        return {"look": self.look(out, y), "cycle": back}


def photos_of(cost):
    kind, y = domains.Domains(), domains.photos(0)
    found = kind._elicited(Case(cost(domains.DOMAINS), domains.answered(y), y), Report("cost", "domains"))
    return {finding.check: finding for finding in found}


def test_a_way_back_to_another_photo_is_told_from_none():
    finding = photos_of(BackToTheOther)["forgetting the photo"]
    assert finding.outcome == "failed" and "is back_name compared with y[name]" in finding.advice


class SameOfTheOther(Photos):
    def forward(self, out, y):
        a, b = self.domains
        same = sum((out[f"same_{a}"] - y[b]).abs().mean() for a, b in ((a, b), (b, a)))
        return {"look": self.look(out, y), "cycle": self.back(out, y), "same": same}


def test_a_photo_of_its_domain_that_is_to_become_one_of_the_other():
    assert "compares out[same_name] with y[name]" in photos_of(SameOfTheOther)["as it is"].advice


class Claims:
    """Elicits the mean."""


def test_what_to_do_is_said_beside_a_claim_too():
    finding = asks_for(Claims(), "nothing", "it finds nothing", "failed", "leave the factor out")
    assert finding.advice == "leave the factor out"


# ------------------------------------------------------------------------------------- families that end in another one


class SoftplusDispersion(Rate):
    """Counts that are Poisson have no best r: the larger, the better."""

    outputs_per_target = 2

    def law(self, out):
        log_mean, raw = out.unflatten(-1, (-1, 2)).unbind(-1)
        r = softplus(raw) + 0.05
        return NegativeBinomial(r, logits=log_mean - r.log())

    def forward(self, out, y):
        return {"nll": -self.law(out).log_prob(y).mean()}

    def predict(self, out):
        return {"rate": self.law(out).mean, "distribution": self.law(out)}


class OverSpread(SoftplusDispersion):
    """A spread that grows without end, and gains less and less: seen in the distribution alone."""

    def law(self, out):
        mean, raw = out.unflatten(-1, (-1, 2)).unbind(-1)
        return Normal(mean, softplus(raw) + 1e-3)

    def forward(self, out, y):
        law = self.law(out)
        return {"error": ((law.mean - y).square() + 1 / law.stddev).mean()}


class FreedomsOfNormals(SoftplusDispersion):
    """Normal targets have no best number of degrees of freedom either."""

    outputs_per_target = 3

    def law(self, out):
        mean, raw, df = out.unflatten(-1, (-1, 3)).unbind(-1)
        return StudentT(2.1 + softplus(df), mean, softplus(raw) + 1e-3)


@pytest.mark.parametrize(
    "cost, samples, bounded",
    [
        (SoftplusDispersion, counts(200, poisson(2.0), 30), True),
        (FreedomsOfNormals, normal(200, 0.5, 1.0), True),
        (OverSpread, normal(200, 0.5, 1.0), False),
    ],
)
def test_a_family_that_ends_in_another_does_not_fall_without_end(cost, samples, bounded):
    few = gathered([[samples]], "samples")
    found = minimise(cost(), few, elicitation.first(torch.empty(1, cost.outputs_per_target)))
    assert found.bounded == bounded
    if bounded:
        assert float(elicitation.spread(found.predicted) / few.std) == pytest.approx(1, abs=0.01)


class ReadsAnother(SoftplusDispersion):
    def predict(self, out):
        log_mean, raw = out.unflatten(-1, (-1, 2)).unbind(-1)
        r = softplus(raw) + 0.05
        return {"rate": log_mean.exp(), "distribution": NegativeBinomial(r, logits=r.log() - log_mean)}


def test_a_distribution_beside_another_mean_is_told_where_the_cost_has_no_end():
    (finding,) = elicitation.check_said(ReadsAnother().predict(noise(4, 4, seed=5, size=0.5)))
    assert finding.check == "reads what it says" and finding.outcome == "failed"


class HeavyTails(Standardized):
    """Elicits the whole distribution: Student's t that need not have a variance, and torch knows no quantiles of it."""

    outputs_per_target = 3

    def law(self, out):
        mean, raw, df = self.columns(out)
        return StudentT(1 + softplus(df), self.mean + self.std * mean, self.std * (softplus(raw) + 1e-3))

    def forward(self, out, y):
        return {"nll": -self.law(out).log_prob(y).mean() - self.std.log().mean()}

    def predict(self, out):
        return {"mean": self.law(out).loc, "distribution": self.law(out)}


class WholeDistribution:
    """Elicits the whole distribution."""


@pytest.mark.parametrize("word", ["mean", "nothing"])
def test_a_distribution_that_cannot_be_asked_about_is_told(word):
    finding = asks_for(WholeDistribution(), word, "it finds it", "told", has_distribution=False)
    assert finding.outcome == "told" and "docstring says more" in finding.why


@pytest.mark.slow
def test_a_spread_that_is_seen_at_the_minimum_alone_is_not_blind():
    report = checked(HeavyTails)
    assert not report.failed and report["spread"].outcome == "passed", report
