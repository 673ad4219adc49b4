"""No false alarm: every cost that dlthink ships passes what it claims, with each of its settings."""

import inspect

import pytest
import torch
from omegaconf import OmegaConf

from dlthink.checks.check import KINDS, check
from dlthink.checks.functionals import claimed
from dlthink.config import build
from dlthink.config.paths import conf_folder, options
from tests.checks.run_checks import maker, metrics_of
from tests.conftest import needs_lite1

SETTINGS = {  # beside each cost as it is typed
    "gamma": [{"spread": "exp"}, {"calibrate": "scale"}],
    "lognormal": [{"calibrate": "conformal"}],
    "gaussian_nll": [{"spread": "exp"}, {"spread": "square"}, {"calibrate": "isotonic"}],
    "beta_nll": [{"beta": 1.0}],
    "crps": [{"family": "laplace"}],
    "huber": [{"delta": 0.3}],
    "quantile": [{"levels": [0.1, 0.5, 0.9]}],
    "student_t": [{"df": 3.0}],
    "mse": [{"calibrate": "scale"}],
    "cyclegan": [{"gan": gan} for gan in ("hinge", "nonsaturating", "wgan_gp")],
    "triplet": [{"mining": mine} for mine in ("batch_hard", "batch_all", "random")] + [{"margin": None}],
}
SLOW = {  # searches of more than a second; a cost of each kind and family is among the others
    *("categorical", "com_poisson", "generalized_poisson", "zero_inflated_poisson", "zero_inflated_negative_binomial"),
    *("quantile", "student_t", "natural_gaussian", "crps_laplace", "laplace_nll", "arcface", "oasis"),
    *("distance_weighted", "cyclegan", "beta_nll", "faithful", "huber", "crps", "no_margin"),
    *("negative_binomial", "crps_scaled", "mae", "contrastive", "gamma", "lognormal"),
}
ON_PURPOSE = {  # what is shipped to be seen failing, and where
    "positives_only": {"pushes apart", "a constant"},
    "cycle": {"gradient arrives", "changing nothing"},
}


def node_of(name):
    """The configuration of a shipped cost."""
    node = OmegaConf.load(options("loss", conf_folder())[name])
    if "defaults" in node:
        node = OmegaConf.merge(OmegaConf.load(options("loss", conf_folder())[node.pop("defaults")[0]]), node)
    return node


def asked():
    for name in options("loss", conf_folder()):
        for kind in sorted(build.find(node_of(name), "loss").targets & KINDS.keys()):
            looks = "backbone" in inspect.getsource(build.find(node_of(name), "loss"))  # which takes its time
            for i, settings in enumerate([{}, *SETTINGS.get(name, [])]):
                marks = [pytest.mark.slow] * (looks or i > 0 or name in SLOW) + [needs_lite1] * looks
                yield pytest.param(name, kind, settings, marks=marks)


@pytest.mark.parametrize("name, kind, settings", list(asked()), ids=lambda value: str(value).replace(" ", ""))
def test_no_false_alarm(name, kind, settings):
    node, before = node_of(name), torch.get_rng_state()
    report = check(maker(node, settings), kind, metrics_of(kind), name)
    assert {finding.check for finding in report.failed} == ON_PURPOSE.get(name, set()), report
    assert report.elicits == claimed(build.find(node, "loss").__doc__) is not None
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "name, settings, caught",
    [
        ("gaussian_nll", {"spread": "raw"}, {"start"}),
        ("crps", {"spread": "raw"}, {"extremes", "range"}),
        ("triplet", {"clamp": "outside", "mining": "batch_all"}, {"hard among easy"}),
    ],
)
def test_settings_that_fail_to_show_why_are_caught(name, settings, caught):
    (kind,) = build.find(node_of(name), "loss").targets
    report = check(maker(node_of(name), settings), kind, metrics_of(kind), name)
    assert {finding.check for finding in report.failed} == caught, report
