"""Checks of a cost class as tests ask for them."""

from functools import cache

from dlthink.checks.check import KINDS, check
from dlthink.checks.finding import Report
from dlthink.config import build
from dlthink.config.examinations import example_of
from dlthink.config.problems import problems


@cache
def metrics_of(kind):
    """The examination that costs of this kind sit."""
    return build.build(problems()[example_of(kind)].metrics, **KINDS[kind].facts())


def checked(cost, kind=None, **settings) -> Report:
    """The report on a cost class, on the only kind of target that it fits."""
    kind = kind or next(iter(cost.targets))

    def make(**facts):
        known = {name: value for name, value in facts.items() if name in build.parameters(cost)}
        return cost(**known, **settings)

    return check(make, kind, metrics_of(kind), cost.__name__)


def failed(report: Report) -> dict[str, str]:
    """What failed: check -> why and what to do."""
    return {finding.check: f"{finding.why} | {finding.advice}" for finding in report.failed}
