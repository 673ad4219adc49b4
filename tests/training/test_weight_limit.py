"""Tensors that would be far larger than the weights which a checkpoint has for them."""

import pytest
import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.training.weight_limit import WeightLimit

MADE = {
    "zeros": lambda n: torch.zeros(n),
    "ones of two sizes": lambda n: torch.ones(n // 4, 4),
    "a size": lambda n: torch.full(torch.Size([n]), 3.0),
    "a size by name": lambda n: torch.empty(size=(n,)),
    "a range": lambda n: torch.arange(0, n, 1),
    "points of a line": lambda n: torch.linspace(0, 1, n),
    "chance": lambda n: torch.randn(n, generator=torch.Generator()),
    "an order": lambda n: torch.randperm(n),
    "whole numbers": lambda n: torch.randint(3, (n,)),
    "a layer's weights": lambda n: nn.Linear(n, 1),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_what_is_larger_is_not_made(make):
    with WeightLimit(100, "far fewer"):
        make(100)
        with pytest.raises(BadInput, match="far fewer"):
            make(104)
    make(104)


def test_what_is_made_is_the_same():
    torch.manual_seed(0)
    free = nn.Linear(5, 7).weight, torch.randperm(9)
    torch.manual_seed(0)
    with WeightLimit(100, ""):
        kept = nn.Linear(5, 7).weight, torch.randperm(9)
    assert all(a.equal(b) for a, b in zip(free, kept, strict=True))


def test_numbers_without_end_are_not_begun():
    with WeightLimit(1 << 20, "far fewer"), pytest.raises(BadInput, match="far fewer"):
        torch.zeros(10**15)
