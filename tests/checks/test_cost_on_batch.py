"""How a cost is asked: in the widest numbers that it takes, once where once is enough, and without a trace."""

import pytest
import torch
from torch import nn

from dlthink.checks.cost_on_batch import CostOnBatch
from dlthink.checks.gradients import check_descent, check_reach, check_slope
from dlthink.checks.reduction import check_reduction


class Counting(nn.Module):
    """The squared error; how often it was asked, and in which numbers."""

    asked: list[torch.dtype] = []

    def __init__(self, only: torch.dtype | None = None):
        super().__init__()
        self.only, self.seen = only, 0

    def forward(self, out, y):
        self.asked.append(out.dtype)
        self.seen += 1
        return {"error": (out - y.to(self.only or y.dtype)).to(self.only or out.dtype).square().mean()}


@pytest.fixture
def batch():
    Counting.asked.clear()
    return torch.randn(2, 8, 1, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("only, found", [(None, torch.float64), (torch.float32, torch.float32)])
def test_the_widest_numbers_that_it_takes(batch, only, found):
    loss = Counting(only)
    asked = CostOnBatch(loss, *batch)
    assert asked.dtype == asked.slopes()[0].dtype == found and loss.seen == 0
    out, y = (one.to(found) for one in batch)
    assert asked.value() == pytest.approx(float((out - y).square().mean()))
    assert torch.allclose(asked.slopes()[0], 2 * (out - y) / 8)


def test_a_large_network_in_a_cost_is_asked_seldom(batch):
    asked = CostOnBatch(Counting(), *batch)
    for check in (lambda one: check_reach(one, 1), check_slope, check_descent, check_reduction):
        assert [finding.outcome for finding in check(asked)] == ["passed"]
    assert Counting.asked == [torch.float64] * 7  # first, four of slopes, a step, the batch twice
