"""Wrong costs by somebody who had not written the checks, each missed at first or caught for another reason, and right
ones that few would write."""

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, Laplace, MixtureSameFamily, NegativeBinomial, Normal, Poisson
from torch.nn.functional import avg_pool2d, normalize, softplus, unfold

from dlthink.checks import elicitation
from dlthink.checks.cost_on_batch import CostOnBatch
from dlthink.checks.finding import Report
from dlthink.checks.gradients import check_reach
from dlthink.checks.kinds.counts import Counts
from dlthink.checks.kinds.domains import Domains
from dlthink.checks.kinds.kind import noise
from dlthink.checks.kinds.reals import RealNumbers
from dlthink.checks.spare_term import check_terms
from dlthink.checks.truth import counts, gathered, poisson
from tests.checks.run_checks import checked, failed, is_caught
from tests.checks.test_slips import Rate, Standardized
from tests.checks.test_slips_of_domains import Photos


class Mixture(Standardized):
    """Of two normal distributions. Elicits the whole distribution."""

    outputs_per_target = 5

    def law(self, out):
        a, b, r, q, g = self.columns(out)
        middle, wide = torch.stack((a, b), -1), softplus(torch.stack((r, q), -1)) + 1e-2
        each = Normal(self.mean[:, None] + self.std[:, None] * middle, self.std[:, None] * wide, validate_args=False)
        share = Categorical(logits=torch.stack((g, -g), -1), validate_args=False)
        return MixtureSameFamily(share, each, validate_args=False)

    def forward(self, out, y):
        return {"nll": -(self.law(out).log_prob(y) + self.std.log()).mean()}

    def predict(self, out):
        law = self.law(out)
        return {"mean": law.mean, "std": law.variance.sqrt(), "distribution": law}


class TwoExperts(Mixture):
    """The logarithm went inside the sum: both parts become the same. Of means and spreads nothing is seen."""

    def forward(self, out, y):
        law = self.law(out)
        each = law.component_distribution.log_prob(y[..., None]) + self.std[:, None].log()
        return {"nll": -(law.mixture_distribution.probs * each).sum(-1).mean()}


class WorstUnit(Rate):
    """The worst unit of a batch alone is taught."""

    def forward(self, out, y):
        return {"nll": (out.exp() - y * out + torch.lgamma(y + 1)).mean(0).max()}


class FirstUnit(Rate):
    def forward(self, out, y):
        return {"nll": (out[:, 0].exp() - y[:, 0] * out[:, 0]).mean()}


class OneUnitByChance(Rate):
    """Another one each time: each learns in the end."""

    def forward(self, out, y):
        one = int(torch.randint(out.shape[1], ()))
        return {"nll": (out[:, one].exp() - y[:, one] * out[:, one]).mean()}


class Shrunk(Rate):
    """A penalty on answers, where one on weights was meant."""

    def forward(self, out, y):
        return {"nll": (out.exp() - y * out).mean(), "small": 0.1 * out.square().mean()}


class NarrowOnPurpose(Standardized):
    """A penalty on spreads: the likelihood has one of its own."""

    def forward(self, out, y):
        mean, raw = self.columns(out)
        s = softplus(raw) + 1e-4
        nll = (s.log() + 0.5 * ((self.z(y) - mean) / s).square()).mean()
        return {"nll": nll, "narrow": s.mean()}


class TurnedOdds(Rate):
    """The odds of a negative binomial are turned over."""

    def __init__(self, n_targets):
        super().__init__()
        self.log_r = nn.Parameter(torch.zeros(n_targets))

    def forward(self, out, y):
        law = NegativeBinomial(self.log_r.exp(), logits=self.log_r - out, validate_args=False)
        return {"nll": -law.log_prob(y).mean()}


class LookAlike(Photos):
    """What photos are like in numbers, and a way back."""

    def like(self, photos):
        detail = photos[..., 1:-1, 1:-1] - avg_pool2d(photos, 3, stride=1)
        return torch.cat((photos.mean((2, 3)), photos.std((2, 3)), detail.abs().mean((2, 3))), 1).mean(0)

    def look(self, out, y):
        return sum((self.like(out[name]) - self.like(y[name])).square().mean() for name in self.domains)

    def forward(self, out, y):
        return {"look": self.look(out, y), "cycle": self.back(out, y)}


class BackInMeanColour(LookAlike):
    """Averaged before it is compared: nothing is left of the photo."""

    def back(self, out, y):
        colours = [(out[f"back_{name}"].mean((0, 2, 3)), y[name].mean((0, 2, 3))) for name in self.domains]
        return sum((made - real).abs().mean() for made, real in colours)


class BackInMeanColourOfEach(LookAlike):
    """Each photo's own colours, wherever they stand."""

    def back(self, out, y):
        return sum((out[f"back_{n}"].mean((2, 3)) - y[n].mean((2, 3))).abs().mean() for n in self.domains)


class BackToWhatWasMade(LookAlike):
    """What came back is compared with what was made, not with what it was made of."""

    def back(self, out, y):
        a, b = self.domains
        return (out[f"back_{a}"] - out[b]).abs().mean() + (out[f"back_{b}"] - out[a]).abs().mean()


class OwnSeason(LookAlike):
    """A made winter is compared with summers."""

    def look(self, out, y):
        return super().look(out, dict(zip(self.domains, (y[name] for name in reversed(self.domains)), strict=True)))


class SlicedPatches(LookAlike):
    """The sliced Wasserstein distance of patches of 4 by 4 pixels."""

    def look(self, out, y):
        ways = normalize(torch.randn(48, 32, generator=torch.Generator().manual_seed(3)), dim=0)

        def along(photos):
            patches = unfold(photos, 4, stride=2).transpose(1, 2).reshape(-1, 48)
            return (patches @ ways.to(photos)).sort(0).values

        return sum((along(out[name]) - along(y[name])).abs().mean() for name in self.domains)


class Edges(LookAlike):
    """No way back: a place is known by where its brightness changes, whatever the season."""

    def edges(self, photos):
        grey = photos.mean(1, keepdim=True)
        grey = grey - avg_pool2d(grey, 9, stride=1, padding=4, count_include_pad=False)
        return normalize(avg_pool2d(grey, 4).flatten(1), dim=1)

    def back(self, out, y):
        a, b = self.domains
        pairs = ((out[a], y[b]), (out[b], y[a]))
        return 0.1 * sum((1 - (self.edges(made) * self.edges(of)).sum(1)).mean() for made, of in pairs)


def reach(cost):
    out = noise(64, 2, seed=1, size=0.5)
    return next(check_reach(CostOnBatch(cost(), out, noise(64, 2, seed=2).abs()), 1))


def test_a_target_that_is_not_taught_is_named():
    for cost in (WorstUnit, FirstUnit):
        found = reach(cost)
        assert found.outcome == "failed" and "for target" in found.why and "of 2" in found.why, cost
    assert "for target 2 of 2" in reach(FirstUnit).why
    assert reach(OneUnitByChance).outcome == "passed"


def test_the_shape_of_a_distribution_is_seen_beside_its_mean_and_spread():
    def apart(truth, law, whole):
        return elicitation._misplaced(
            truth, elicitation.distribution_of({"mean": truth.mean, "distribution": law}), whole
        )

    truth = Counts().even()
    assert apart(truth, Poisson(truth.mean), True) < 0.01
    assert apart(truth, NegativeBinomial(truth.mean, probs=torch.tensor(0.5).double()), True) > elicitation.SHAPE
    truth = RealNumbers().even()
    assert apart(truth, Normal(truth.mean, truth.std), False) < 0.01
    assert apart(truth, Laplace(truth.mean, truth.std / 2**0.5), False) > elicitation.SHAPE


@pytest.mark.slow
@pytest.mark.parametrize("cost, outcome", [(Mixture, "passed"), (TwoExperts, "failed")])
def test_a_mixture_is_found_again_in_its_shape(cost, outcome):
    truth = RealNumbers().even()
    loss = elicitation.prepared(cost(1), truth.y[:, :1])
    (found, *_), _, _ = elicitation.check_proper(loss, noise(2, 5, seed=5), whole=False)
    assert found.outcome == outcome, found
    assert outcome == "passed" or ("of the same mean and spread" in found.why and "logsumexp" in found.advice)


def test_the_term_that_draws_answers_away_is_named():
    truth = gathered([[counts(50, poisson(rate), 20)] for rate in (0.5, 4.0)], "Poisson counts")
    start = elicitation.first(torch.empty(2, 1))

    def right(found):
        return elicitation.named(found, truth, truth.mean).word == "mean"

    (found,) = check_terms(Shrunk(), truth, start, right)
    assert found.outcome == "failed" and found.why.startswith("without its term small")
    assert list(check_terms(WorstUnit(), truth, start, right)) == []  # no other term is left


def said_of(cost):
    case = Domains().case(lambda domains, **_: cost(domains))
    report = Report("the cost", "domains")
    report.findings.extend(Domains()._elicited(case, report))
    return report


@pytest.mark.parametrize(
    "cost, check, reason",
    [
        (BackInMeanColour, "forgetting the photo", "nothing in the cost asks for the photo itself"),
        (BackInMeanColourOfEach, "forgetting the photo", "halves exchanged wins"),
        (BackToWhatWasMade, "changing nothing", "cycle asks for photos as they are"),
        (OwnSeason, "changing nothing", "look asks for photos as they are"),
    ],
)
def test_a_slip_of_photos_is_caught_with_its_reason(cost, check, reason):
    is_caught(said_of(cost), check, reason)


@pytest.mark.parametrize("cost", [LookAlike, SlicedPatches, Edges])
def test_no_false_alarm_of_photos(cost):
    report = said_of(cost)
    assert failed(report) == {} and report.elicits == "translation"


@pytest.mark.slow
@pytest.mark.parametrize(
    "cost, check, reason",
    [
        (TwoExperts, "proper score", "cumulative probabilities"),
        (WorstUnit, "gradient arrives", "of 2"),
        (Shrunk, "terms", "without its term small"),
        (NarrowOnPurpose, "terms", "without its term narrow"),
        (TurnedOdds, "asks for", "exp(-out) follows the mean"),
    ],
)
def test_the_slip_is_caught_with_its_reason(cost, check, reason):
    is_caught(checked(cost), check, reason)


@pytest.mark.slow
def test_a_right_mixture_is_no_false_alarm():
    assert failed(checked(Mixture)) == {}
