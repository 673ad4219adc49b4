"""What does the cost ask for? Where it is smallest on samples of a known truth, and what it reads there.

A cost elicits the functional of a distribution at which its expectation is smallest (Gneiting 2011, JASA 106): the
squared error the mean, the absolute error the median. A cost of whole distributions is a proper score where the true
distribution itself is best (Gneiting & Raftery 2007, JASA 102).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from dlthink.checks.finding import Finding
from dlthink.checks.functionals import NEAR, Named, name_of
from dlthink.checks.minimum import Minimum, minimise, read
from dlthink.checks.truth import Truth, gathered, levels
from dlthink.distributions.normal import ONE_STD
from dlthink.distributions.numerical_fallback import completed
from dlthink.distributions.optional_formulas import ask, log_prob
from dlthink.protocols import Loss

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)  # at which quantiles are compared
SPREAD = 0.03  # by which, in relation, a spread may differ from the true one
SHAPE = 0.02  # by which a cumulative probability may differ from the true one
DRAWN = 1000  # samples of each group of a cost's own distribution


def centre(predicted: dict[str, Any]) -> Tensor:
    """The one number that is read out: mean or rate, [groups, n_targets]."""
    return next(predicted[name] for name in ("mean", "rate") if name in predicted).double()


def spread(predicted: dict[str, Any]) -> Tensor | None:
    """The standard deviation that is read out, where one is; of a Cauchy distribution, say, which has none, half the
    interval that holds as much as one standard deviation either side of a normal one."""
    if "std" in predicted:
        return predicted["std"].double()
    distribution = distribution_of(predicted)
    variance = ask(distribution, "variance")
    if variance is not None and bool(variance.isfinite().all()):
        return variance.sqrt().double()
    low, high = (ask(distribution, "icdf", torch.tensor(p, dtype=torch.float64)) for p in ONE_STD)
    half = None if low is None or high is None else (high - low).double() / 2
    return half if half is not None and bool(half.isfinite().all()) else None


def distribution_of(predicted: dict[str, Any]) -> Any:
    """The distribution that is read out, completed: torch's Categorical, say, has neither mean nor variance. Or None"""
    distribution = predicted.get("distribution")
    return None if distribution is None else completed(distribution, centre(predicted).shape)


def check_minimum(loss: nn.Module, truth: Truth, found: Minimum, start: Tensor, scale: Tensor) -> Iterator[Finding]:
    """Is there a smallest cost at all? If not: is the true answer where it is largest?"""
    if found.bounded:
        return
    turned = minimise(loss, truth, start, sign=-1.0)
    if turned.bounded and named(turned, truth, scale).word in ("mean", "median"):
        yield Finding(
            "smallest at the truth",
            "failed",
            "the sign is wrong: the cost is largest at the true answer and falls without end on the way from it",
            "a minus sign is missing: what is descended is minus the log likelihood, -log p",
        )
        return
    yield Finding(
        "smallest at the truth",
        "failed",
        "the cost falls without end: no answer is best, and descent runs off to infinity",
        "what keeps the answer from growing? A spread needs a link that keeps it positive (softplus, exp) and its log "
        "in the cost, a dispersion of counts its normalizer, lgamma(k + r) - lgamma(r); a push needs an end",
    )


def check_centre(
    truth: Truth, found: Minimum, symmetric: tuple[Truth, Minimum], scale: Tensor, even: Tensor, needs_mean: bool
) -> tuple[Named, bool]:
    """(its name, does it fail?): what the centre is that is read out, on a skewed truth and on a symmetric one.

    needs_mean: is what is read out a mean by its name, as a rate is?
    """
    here = named(found, truth, scale)
    plain = named(symmetric[1], symmetric[0], even)
    fails = here.word != "mean" if needs_mean else plain.word != "mean" and plain.word != "median"
    return here, fails


def named(found: Minimum, truth: Truth, scale: Tensor) -> Named:
    """What the centre is that is read out there."""
    near = found.allowed(NEAR, float((truth.std / scale).max()))
    return name_of(centre(found.predicted), truth, scale, truth.mode, near)


def right_alone(loss: nn.Module, truth: Truth, found: Minimum, scale: Tensor) -> bool:
    """Is the mean of each group found where the cost's own weights (thresholds, say) learn from this group alone?

    Weights that all samples share may fit no truth but that of their family; False where there are none.
    """
    if not any(weight.requires_grad for weight in loss.parameters()):
        return False
    for g in range(truth.size):
        one = Truth(truth.y[truth.group == g], torch.zeros(int((truth.group == g).sum()), dtype=torch.long), truth.name)
        alone = minimise(loss, one, found.answers[g : g + 1])
        if not alone.bounded or named(alone, one, scale[g : g + 1]).word != "mean":
            return False
    return True


def own_truth(loss: nn.Module, answers: Tensor, whole: bool) -> Truth | None:
    """Samples of the very distributions that the cost reads in these answers; None where it reads none.

    whole: of counts. Of real numbers by quantiles.
    """
    said = read(loss, answers)
    distribution = distribution_of(said)
    if distribution is None or spread(said) is None:
        return None
    try:
        drawn = _counts(distribution) if whole else _reals(distribution)
    except (NotImplementedError, RuntimeError, ValueError, TypeError):
        return None
    if not drawn.isfinite().all():
        return None
    columns = [[drawn[:, g, t] for t in range(drawn.shape[2])] for g in range(drawn.shape[1])]
    return gathered(columns, "its own distributions")


def _reals(distribution: Any) -> Tensor:
    """[DRAWN, groups, n_targets] quantiles."""
    return distribution.icdf(levels(DRAWN)[:, None, None]).double()


def _counts(distribution: Any) -> Tensor:
    mean, std = distribution.mean, distribution.variance.sqrt()
    most = int((mean + 20 * std + 20).max())
    k = torch.arange(most + 1, dtype=torch.float64)[:, None, None].expand(-1, *mean.shape)
    below = distribution.log_prob(k).double().exp().cumsum(0).permute(1, 2, 0).contiguous()
    drawn = torch.searchsorted(below, levels(DRAWN).expand(*mean.shape, DRAWN)).clamp(max=most)
    return drawn.permute(2, 0, 1).double()


def check_proper(loss: nn.Module, answers: Tensor, whole: bool) -> tuple[list[Finding], Truth | None, Minimum | None]:
    """Drawn from its own distributions: does it find them again, mean and spread?"""
    name, own = "proper score", own_truth(loss, answers, whole)
    if own is None:
        return [], None, None
    said = read(loss, answers)
    findings = check_said(said)
    found = minimise(loss, own, first(answers))
    if not found.bounded:
        return findings, own, found
    bias = ((centre(found.predicted) - centre(said)) / spread(said)).flatten()
    ratio = (spread(found.predicted) / spread(said)).flatten()
    worst, wide = bias[bias.abs().argmax()].item(), ratio[ratio.log().abs().argmax()].item()
    shape = _misplaced(own, distribution_of(found.predicted), whole)
    near, like, same = (found.allowed(one) for one in (NEAR, SPREAD, SHAPE))
    if abs(worst) <= near and abs(wide - 1) <= like:
        if shape <= same:
            why = "proper: drawn from its own distributions it finds them again, their means, spreads and shapes"
            findings.append(Finding(name, "passed", why))
        else:
            findings.append(
                Finding(
                    name,
                    "failed",
                    f"not proper: of samples drawn from its own distributions it finds others, of the same mean and "
                    f"spread: their cumulative probabilities are {shape:.2g} off",
                    "of a mixture, -log p is minus the log of the sum, logsumexp(log share + log p), not the sum of "
                    "logs; else, is what forward scores the distribution that is read out?",
                )
            )
        return findings, own, found
    what = []
    if abs(worst) > near:
        what.append(f"the mean {abs(worst):.2g} standard deviations too {'high' if worst > 0 else 'low'}")
    if abs(wide - 1) > like:
        what.append(f"the spread {abs(wide - 1):.0%} too {'large' if wide > 1 else 'small'}")
    findings.append(
        Finding(
            name,
            "failed",
            f"not proper: of samples drawn from its own distributions it finds {' and '.join(what)}, "
            f"so it does not ask for the truth",
            "of draws X: E|X - X'| is a mean over pairs of two different ones, of m (m - 1) and not of m^2"
            if found.noise
            else "is every part of -log p there: the normalizer (log of the spread), factors of 1/2, squares?",
        )
    )
    return findings, own, found


def _misplaced(truth: Truth, distribution: Any, whole: bool) -> float:
    """The largest difference of its cumulative probabilities from the true ones; 0 where it has none.

    Of whole numbers half of those that are equal count.
    """
    worst = 0.0
    for level in LEVELS:
        at = truth.quantile(level).round() if whole else truth.quantile(level)
        said = ask(distribution, "cdf", at)
        if said is None:
            return 0.0
        said = said.double() - (0.5 * log_prob(distribution, at).double().exp() if whole else 0.0)
        worst = max(worst, float((said - truth.below(at)).abs().max()))
    return worst


def check_said(said: dict[str, Any]) -> list[Finding]:
    """Are mean and std that are read out those of the distribution beside them? Not asked where there are none."""
    distribution = distribution_of(said)
    if distribution is None:
        return []
    mean, std = distribution.mean.double(), distribution.variance.sqrt().double()
    if not bool(mean.isfinite().all() and std.isfinite().all()):
        return []
    off, ratio = ((centre(said) - mean).abs() / std).max().item(), (spread(said) / std).max().item()
    if off <= NEAR and abs(ratio - 1) <= SPREAD:
        return []
    return [
        Finding(
            "reads what it says",
            "failed",
            f"mean and std that are read out are not those of the distribution beside them: {off:.2g} standard "
            f"deviations away, {ratio:.2g} times as wide",
            "read out distribution.mean and distribution.stddev",
        )
    ]


def first(answers: Tensor) -> Tensor:
    """Where a search begins: small numbers of either sign, as a network's first ones."""
    chance = torch.Generator().manual_seed(2)
    return 0.3 * torch.randn(answers.shape, generator=chance, dtype=torch.float64)


def prepared(loss: nn.Module, y: Tensor) -> nn.Module:
    """The cost after it has learned from all targets, in float64."""
    loss = loss.double()
    Loss.prepare.of(loss)(y)
    return loss
