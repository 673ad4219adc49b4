"""Where answers know the mean and what is read out does not: forward and predict disagree, or a term shrinks them."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from dlthink.checks.elicitation import centre
from dlthink.checks.functionals import NEAR
from dlthink.checks.minimum import Minimum
from dlthink.checks.truth import Truth

LINKS = {
    "out": lambda out: out,
    "exp(out)": torch.exp,
    "exp(-out)": lambda out: torch.exp(-out),
    "softplus(out)": softplus,
    "out ** 2": torch.square,
    "1 / out": torch.reciprocal,
}
LEAST = 1.1  # no answer brings exp(exp(out)) below 1: means above that are looked at
TWICE = "exp is taken twice: F.poisson_nll_loss wants the logarithm of the rate, or log_input=False"


def predict_mismatch(truth: Truth, found: Minimum, scale: Tensor) -> tuple[str, str] | None:
    """(how what is read out differs from the mean, what to do), where answers follow the mean; None where none does.

    Of one number for each target the links are tried, up to a factor: c link(out). Of several each by itself, up to
    its unit: a + b out.
    """
    answers, mean = found.answers, truth.mean
    share = _shrunk(centre(found.predicted), mean, scale)
    if share is not None:
        return (
            f"it is drawn together, to {share:.0%} of the distance of means from each other",
            "a term punishes the size of answers, or targets are drawn to their mean (smoothing): leave it out",
        )
    cure = "forward and predict must turn an answer into the same thing: write that once, as a method that both call"
    if answers.shape == mean.shape:
        for name, link in LINKS.items():
            said = link(answers)
            factor = (said * mean).sum(0) / said.square().sum(0).clamp(min=1e-300)
            if bool(((factor * said - mean).abs() <= NEAR * scale).all()):
                return f"{name} follows the mean where the cost is smallest, and predict reads something else", cure
        can = mean > LEAST
        if bool(can.any()) and bool(((answers.exp().exp() - mean).abs() <= NEAR * scale)[can].all()):
            return "exp(exp(out)) follows the mean where the cost is smallest, and predict reads something else", TWICE
    on_line = [_line(one, mean[:, 0], scale[:, 0]) is not None for one in answers.unbind(1)]
    columns = [f"out[:, {i}]" for i, follows in enumerate(on_line) if follows]
    if len(columns) < mean.shape[1]:
        return None
    return f"{' and '.join(columns)} follow the mean where the cost is smallest, and predict reads something else", cure


def _shrunk(said: Tensor, mean: Tensor, scale: Tensor) -> float | None:
    """The share of the distance between groups that is left, if it is the same for all targets."""
    slopes = [_line(m, s, d) for m, s, d in zip(mean.unbind(1), said.unbind(1), scale.unbind(1), strict=True)]
    if any(slope is None or not 0.05 < slope < 1 - NEAR for slope in slopes) or max(slopes) - min(slopes) > NEAR:
        return None
    return slopes[0]


def _line(x: Tensor, y: Tensor, scale: Tensor) -> float | None:
    """The slope of the line on which y [groups] lies over x, if it lies on one."""
    if len(y) < 4:
        return None
    known = torch.stack((torch.ones_like(x), x), 1)
    line = torch.linalg.lstsq(known, y[:, None]).solution
    return float(line[1]) if bool((((known @ line)[:, 0] - y).abs() <= NEAR * scale).all()) else None
