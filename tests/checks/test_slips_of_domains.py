"""Slips of costs of photos of two domains: each is caught, with a line that says what the lazy network would do."""

import pytest
from torch import nn

from tests.checks.run_checks import checked, is_caught


class Photos(nn.Module):
    """A cost of photos, which are read out as they are."""

    targets = {"domains"}
    outputs_per_target = 1

    def __init__(self, domains):
        super().__init__()
        self.domains = domains

    def look(self, out, y):
        """Mean colours of made and real photos of each domain."""
        pairs = ((out[name].mean((0, 2, 3)), y[name].mean((0, 2, 3))) for name in self.domains)
        return sum((made - real).square().mean() for made, real in pairs)

    def back(self, out, y):
        return sum((out[f"back_{name}"] - y[name]).abs().mean() for name in self.domains)

    def predict(self, out):
        return out


class NoJudge(Photos):
    def forward(self, out, y):
        return {"cycle": self.back(out, y)}


class NoWayBack(Photos):
    def forward(self, out, y):
        return {"look": self.look(out, y)}


class DetachedFromTheJudge(Photos):
    def forward(self, out, y):
        made = {name: out[name].detach() for name in self.domains}
        return {"look": self.look(made, y), "cycle": self.back(out, y)}


CAUGHT = {
    NoJudge: ("changing nothing", "a network that changes nothing wins"),
    NoWayBack: ("forgetting the photo", "asks for the photo itself"),
    DetachedFromTheJudge: ("start", "no gradient"),
}


@pytest.mark.parametrize("cost", CAUGHT, ids=lambda cost: cost.__name__)
def test_the_slip_is_caught_with_its_reason(cost):
    is_caught(checked(cost), *CAUGHT[cost])
