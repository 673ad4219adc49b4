"""Costs whose answers are right and whose words are not; costs of embeddings and of photos that mislead a check."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, hinge_embedding_loss, normalize, softplus

from dlthink.checks.cost_on_batch import CostOnBatch
from dlthink.checks.functionals import name_of
from dlthink.checks.gradients import check_slope
from dlthink.checks.kinds import domains
from dlthink.checks.kinds.counts import Counts
from dlthink.checks.kinds.identities import Identities
from dlthink.checks.kinds.reals import RealNumbers
from dlthink.checks.minimum import Minimum
from dlthink.checks.predict_mismatch import predict_mismatch
from dlthink.checks.ranking import check_constant
from dlthink.checks.reduction import check_pairs
from dlthink.errors import BadInput
from dlthink.losses.translations.cyclegan import CycleGAN
from dlthink.models.discriminators.patch import PatchDiscriminator
from dlthink.training import sanity_check
from tests.checks.test_slips import Rate, Sphere, Standardized, checked


@pytest.fixture(scope="module")
def truth():
    return RealNumbers().even()


def said(truth, answers, mean):
    return predict_mismatch(truth, Minimum(answers, 0.0, {"mean": mean}, True, True), truth.std)


def test_another_link_in_forward_than_in_predict(truth):
    positive = truth.mean.abs()
    answers = positive.expm1().log()  # what forward calls softplus
    truth.y = truth.y - truth.mean[truth.group] + positive[truth.group]
    assert said(truth, answers, answers.exp())[0].startswith("softplus(out) follows the mean")
    assert said(truth, positive.square(), positive.square() + 7) is None


def test_exp_that_is_taken_twice_where_means_can_be_reached():
    truth = Counts().even()
    answers = truth.mean.log().clamp(min=1e-3).log()  # poisson_nll_loss(out.exp(), y): exp(rate) is the mean
    found = predict_mismatch(truth, Minimum(answers, 0.0, {"rate": answers.exp()}, True, True), truth.mean)
    assert found[0].startswith("exp(exp(out)) follows the mean") and "log_input=False" in found[1]


@pytest.mark.slow
def test_the_mean_of_logarithms_is_no_factor_too_many():
    class Squared(Standardized):
        outputs_per_target = 1

        def forward(self, out, y):
            return {"msle": (out - y.log1p()).square().mean()}

        def predict(self, out):
            return {"mean": out.expm1()}

    assert "where a function of them is compared" in checked(Squared)["asks for"].advice


def test_digits_that_a_distance_loses_make_no_other_gradient():
    class Hinge(Sphere):
        outputs_per_target = 32

        def forward(self, out, y):
            e = normalize(out, dim=1)
            near = torch.where(y[:, None] == y, 1.0, -1.0)
            return {"hinge": hinge_embedding_loss(torch.cdist(e, e), near)}

    case = Identities().case(lambda **facts: Hinge())
    assert [finding.outcome for finding in check_slope(case.asked)] == ["passed"]


def test_columns_that_are_read_out_in_another_order():
    truth = RealNumbers().even()
    mean = truth.mean
    answers = torch.stack((mean[:, 0], mean[:, 1], truth.std[:, 0], truth.std[:, 1] / mean[:, 1]), 1)
    found = said(truth, answers, answers[:, [0, 2]])
    assert found[0].startswith("out[:, 0] and out[:, 1] follow the mean") and "both call" in found[1]


def test_a_term_that_draws_answers_together():
    truth = RealNumbers().even()
    centre = truth.mean.mean(0)
    found = said(truth, torch.zeros(4, 6).double(), centre + 0.6 * (truth.mean - centre))
    assert "60%" in found[0] and "punishes the size of answers" in found[1]


def test_a_mean_times_a_number_and_plus_one():
    truth = RealNumbers().skewed()
    assert name_of(2 * truth.mean, truth, truth.std).text == "the mean times 2"
    truth.y = truth.y / truth.y.std(0)
    assert name_of(truth.mean + 1, truth, truth.std).text == "the mean plus 1"


class TwiceTheTarget(Rate):
    def forward(self, out, y):
        return {"nll": (out.exp() - 2 * y * out).mean()}


class NoQuantiles(Standardized):
    """Quantiles 0.16, 0.5, 0.84 whose error has the wrong sign."""

    outputs_per_target = 3

    def forward(self, out, y):
        p = torch.tensor([0.16, 0.5, 0.84]).to(out)
        e = torch.stack(self.columns(out), -1) - self.z(y)[..., None]
        return {"pinball": torch.maximum(p * e, (p - 1) * e).mean()}

    def predict(self, out):
        low, middle, high = self.columns(out)
        return {"mean": self.mean + self.std * middle, "std": self.std * softplus(high - low) / 2}


@pytest.mark.parametrize(
    "cost, check, reason",
    [(TwiceTheTarget, "asks for", "a factor or a constant too many"), (NoQuantiles, "spread", "wrong way round")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_reason_is_the_right_one(cost, check, reason):
    assert reason in checked(cost)[check].advice


# ---------------------------------------------------------------------------------------------------------- embeddings


class MultiSimilarity(Sphere):
    """Wang et al. 2019: a log of a sum over the negatives of each photo, a mean over photos."""

    def forward(self, out, y):
        e = self.unit(out)
        s, same = e @ e.T - 0.5, y[:, None] == y[None]
        own = same & ~torch.eye(len(y), dtype=torch.bool)
        pull, push = ((-2 * s).exp() * own).sum(1).log1p() / 2, ((20 * s).exp() * ~same).sum(1).log1p() / 20
        return {"pull": pull.mean(), "push": push.mean()}


class Proxies(Sphere):
    """Movshovitz-Attias et al. 2017: a learned place for each identity."""

    def __init__(self):
        super().__init__()
        self.places = nn.Parameter(torch.randn(16, 16, generator=torch.Generator().manual_seed(3)))

    def forward(self, out, y):
        return {"nca": cross_entropy(-8 * torch.cdist(self.unit(out), normalize(self.places, dim=1)).square(), y)}


class EasyPairs(Sphere):
    """The nearest own photo and the farthest other."""

    def forward(self, out, y):
        d = torch.cdist(self.unit(out), self.unit(out)).square()
        same, itself = y[:, None] == y[None], torch.eye(len(y), dtype=torch.bool)
        own, other = d.masked_fill(~same | itself, 9.0).amin(1), d.masked_fill(same, -9.0).amax(1)
        return {"triplet": (own - other + 0.2).relu().mean()}


def batch(loss, people):
    kind = Identities()
    return CostOnBatch(loss, kind.answers(loss, people), kind.people(people))


def test_a_log_of_a_sum_is_no_sum():
    (finding,) = check_pairs(batch(MultiSimilarity(), 8), batch(MultiSimilarity(), 16))
    assert finding.outcome == "told" and "a sum within a log" in finding.why


def test_places_of_its_own_have_learned_before_a_constant_is_compared():
    (finding,) = check_constant(batch(Proxies(), 8))
    assert finding.outcome == "passed", finding


def test_easy_pairs_teach_nothing_at_the_start():
    report = checked(EasyPairs)
    assert "get no gradient at all" in report["gradient arrives"].why
    assert "not easy ones" in report["hard among easy"].advice


# -------------------------------------------------------------------------------------------------------------- photos


class Game(nn.Module):
    """Least squares, and a way back; `real`, `made`: what the judges descend."""

    targets = {"domains"}
    outputs_per_target = 1

    def __init__(self, real=1.0, made=0.0, shown="out"):
        super().__init__()
        torch.manual_seed(1)
        self.judges = nn.ModuleDict({domain: nn.Conv2d(3, 4, 4, 4) for domain in domains.DOMAINS})
        self.real, self.made, self.shown = real, made, shown

    @property
    def adversary(self):
        return self.judges

    def forward(self, out, y):
        look = sum((judge(out[domain]) - 1).square().mean() for domain, judge in self.judges.items())
        return {"look": look, "back": sum((out[f"back_{d}"] - y[d]).abs().mean() for d in self.judges)}

    def adversary_loss(self, out, y):
        other = {"summer": y["winter"], "winter": y["summer"]}
        shown = out if self.shown == "out" else other
        return {
            domain: (judge(y[domain]) - self.real).square().mean() + (judge(shown[domain]) - self.made).square().mean()
            for domain, judge in self.judges.items()
        }

    def predict(self, out):
        return {domain: out[domain] for domain in self.judges}


def changing_nothing(loss):
    found = domains.Domains().examined(None, domains.Case(loss, *first_photos()), domains.Report("game", "domains"))
    return {finding.check: finding for finding in found}["changing nothing"]


def first_photos():
    y = domains.photos(0)
    return domains.answered(y, share=0.3), y


@pytest.mark.parametrize(
    "loss, outcome, says",
    [
        (Game(), "passed", ""),
        (Game(made=1.0), "failed", "of real"),
        (Game(real=0.0, made=1.0), "failed", "wrong way round"),
    ],
    ids=["right", "both for the same", "swapped"],
)
def test_a_judge_must_learn_what_the_network_is_asked_for(loss, outcome, says):
    finding = changing_nothing(loss)
    assert finding.outcome == outcome and says in finding.advice, finding


def test_a_judge_must_see_what_the_network_makes():
    with pytest.raises(BadInput, match="no term depends on out"):
        sanity_check._against_the_network(Game(shown="y"), *first_photos())


def test_a_judge_that_sees_old_photos_now_and_then_is_not_blind():
    out, y = first_photos()
    cost = CycleGAN(domains.DOMAINS, partial(PatchDiscriminator, y["summer"].shape[1], width=2), pool=1)
    for seed in range(8):  # a run that goes on has its pool full, and at even odds the old photo stands in
        cost.adversary_loss(out, y)
        torch.manual_seed(seed)
        one = {name: made[:1] for name, made in out.items()}, {name: real[:1] for name, real in y.items()}
        sanity_check._against_the_network(cost, *one)
