"""Checks of a cost class as tests ask for them."""

from functools import cache, partial

from omegaconf import OmegaConf

from dlthink.checks.check import check
from dlthink.checks.finding import Report
from dlthink.config import build
from dlthink.config.data_choices import problems
from dlthink.config.example_data import example_of


@cache
def metrics_of(kind):
    """What makes the examination that costs of this kind sit."""
    return partial(build.build, problems()[example_of(kind)].metrics)


def maker(node, settings):
    """What makes the cost of this node with these settings."""
    return partial(build.build, OmegaConf.merge(node, settings))


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


def is_caught(report: Report, check: str, reason: str) -> None:
    """This check fails, and says so."""
    found = report[check]
    assert found.outcome == "failed", report
    assert reason in f"{found.why} {found.advice}"
