"""`check`: a cost is examined before it is trained, on data whose truth is known, in seconds."""

import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.distributions import Distribution

from dlthink.checks import extremes, gradients
from dlthink.checks.finding import Finding, Report
from dlthink.checks.kinds.counts import Counts
from dlthink.checks.kinds.domains import Domains
from dlthink.checks.kinds.identities import Identities
from dlthink.checks.kinds.kind import Answers, Case, Kind, Make
from dlthink.checks.kinds.reals import RealNumbers
from dlthink.checks.landscape import draw
from dlthink.checks.question import refusal
from dlthink.errors import BadInput, Diverged
from dlthink.training import rng
from dlthink.training.sanity_check import questions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: dict[str, Kind] = {kind.name: kind for kind in (Counts(), RealNumbers(), Identities(), Domains())}
ASKED = {  # the questions of the sanity check: what is asked, why it matters
    "start": "it runs on first answers of a network, is finite there, and has a gradient",
    "read-out": "what is read out can be examined, and is the same after saving",
    "adversary": "what the adversary descends depends on its weights",
    "repeatable": "the same asked twice costs the same; nothing is kept from step to step",
    "own target": "each answer is compared with its own target, whatever the order of the batch",
}
CURES = {  # by what the sanity check says
    "not the network's answers": "targets are what they are: forward must give each of them a finite cost",
    "log of": "a network may say any number: make it positive by construction, exp(out) or softplus(out), or work with "
    "the logarithm itself",
    "no gradient": "let the gradient through to the end: no .detach(), .item(), numpy or rounding in forward",
    "[n, n]": "look at the shapes, or compare out.shape with y.shape",
    "makes [": "index so that both have one shape, out[:, 0] with y[:, 0]",
    "order of the samples": "is an axis wrong? Samples run along dim=0",
}


MEND = "mend this first; the rest is asked then"


def check(make: Make, kind: str, metrics: Make, name: str = "the cost") -> Report:
    """Examine the cost that `make` gives for the facts of its data, on targets of this kind.

    metrics: makes the examination that it will sit, which is asked whether it can be. Raises BadInput for a kind of
    target of which no truth is known.
    """
    known, report = _known(kind), Report(name, kind)
    with _apart(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rng.seed(0)
        for finding in _asked(known.fitted(make), make, metrics(**known.facts()), report):
            report.findings.append(finding)
    return report


def landscape(kind: str, makers: dict[str, Make]) -> "Figure":
    """The landscapes of these costs over their outputs, side by side. Raises BadInput where there is none."""
    known = _known(kind)
    with _apart():
        return draw([known.fitted(make).landscape(make, name) for name, make in makers.items()], known.pictured_as)


@contextmanager
def _apart() -> Iterator[None]:
    """The same answers whatever this process did before, and nothing of it changed: chance, threads, and whether
    distributions of torch refuse what lies outside of their support, which torch.compile turns off for good."""
    start, threads, validates = rng.state(), torch.get_num_threads(), Distribution._validate_args
    try:
        torch.set_num_threads(1)  # nothing here is large
        Distribution.set_default_validate_args(True)
        yield
    finally:
        Distribution.set_default_validate_args(validates)
        torch.set_num_threads(threads)
        rng.restore(start)


def _known(kind: str) -> Kind:
    if kind not in KINDS:
        raise BadInput(f"{kind}: no truth is known for this kind of target; known are {', '.join(KINDS)}")
    return KINDS[kind]


def _asked(kind: Kind, make: Make, metrics: Any, report: Report) -> Iterator[Finding]:
    try:
        case = kind.case(make)
    except BadInput:  # a setting that the cost refuses
        raise
    except Exception as error:
        yield Finding("start", "failed", refusal(error), MEND)
        return
    if (yield from _sound(case, metrics)):
        asked = case.asked
        yield from gradients.check_reach(asked, case.loss.outputs_per_target)
        yield from gradients.check_slope(asked)
        yield from gradients.check_formats(asked, case.single)
        yield from gradients.check_descent(asked)
        yield from extremes.check_extremes(case.single, kind.outliers(case.y))
        yield from kind.examined(make, case, report)


def _sound(case: Case, metrics: Any) -> Generator[Finding, None, bool]:
    """The sanity check before training, a finding a question. Returns whether there is any use in asking on."""
    answers, question = Answers(case.out, case.y), "start"
    asked = questions(nn.Identity(), case.loss, answers, answers, metrics, torch.arange(len(answers)))
    try:
        for following in asked:
            if following != question:
                yield Finding(question, "passed", ASKED[question])
            question = following
    except Exception as error:
        text = str(error).removeprefix("step 1: ") if isinstance(error, Diverged) else refusal(error)
        cure = next((cure for word, cure in CURES.items() if word in text), MEND)
        yield Finding(question, "failed", text, cure)
        return False
    yield Finding(question, "passed", ASKED[question])
    return True
