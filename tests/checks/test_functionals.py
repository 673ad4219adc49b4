"""Functionals of a distribution by name: mean, median, quantiles and expectiles of any level, of samples."""

import pytest
import torch
from scipy.stats import expectile

from dlthink.checks.functionals import Groups, name_of


@pytest.fixture(scope="module")
def groups():
    """A skewed group and an even one, of which the same expectile is another quantile; two targets."""
    chance = torch.Generator().manual_seed(0)
    y = torch.randn(4000, 2, dtype=torch.float64, generator=chance)
    y[:2000] = torch.empty(2000, 2, dtype=torch.float64).exponential_(generator=chance) - 3
    return Groups(y, torch.arange(4000) // 2000)


@pytest.mark.parametrize("level", [0.1, 0.3, 0.8])
def test_quantiles_and_expectiles_of_every_level(groups, level):
    assert name_of(groups.quantile(level), groups, groups.std).text == f"the quantile {level:.2g}"
    answer = groups.each(lambda y: torch.tensor([expectile(column.numpy(), level) for column in y.T]))
    beside = {0.1: "below", 0.3: "below", 0.8: "above"}[level]
    text = name_of(answer, groups, groups.std).text
    assert text.startswith(f"the expectile {level:.2g}, ") and text.endswith(f"{beside} the mean")


def test_mean_median_and_what_has_no_name(groups):
    words = [name_of(answer, groups, groups.std).word for answer in (groups.mean, groups.quantile(0.5))]
    assert words == ["mean", "median"]
    off = groups.mean + torch.tensor([[0.8], [-0.5]]) * groups.std
    assert name_of(off, groups, groups.std).text == "nothing that has a name, 80% above the mean"
