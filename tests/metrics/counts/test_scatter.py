"""Scatter apart from the mean: a unit ill predicted is named for its mean, one that scatters for its scatter."""

import re

import pytest
import torch
from scipy import stats

from dlthink.distributions.com_poisson import ComPoisson
from dlthink.distributions.negative_binomial import NegativeBinomial
from dlthink.distributions.poisson import Poisson
from dlthink.metrics.counts.noise import Noise
from dlthink.metrics.counts.scatter import Scatter
from dlthink.metrics.counts.suggestion import suggestion

ROWS, UNITS = 6000, ["a", "b", "c", "d"]
HALF = torch.tensor(0.5, dtype=torch.float64)


def smooth(level=1.0):
    """A rate that changes in a few dozen rows, other for each unit: [ROWS, units]."""
    time = torch.arange(ROWS, dtype=torch.float64).unsqueeze(-1)
    return level * torch.exp(0.8 * torch.sin(time / torch.tensor([20.0, 27.0, 35.0, 50.0], dtype=torch.float64)))


def said(predicted, distribution, seed=0):
    torch.manual_seed(seed)
    return suggestion(Noise(predicted, distribution.sample().double()), UNITS, "unit") or ""


def flat():
    return smooth().mean(0).expand(ROWS, -1)


def test_a_rate_that_was_not_learned_is_no_scatter():
    """Rates change and the prediction does not: squared residuals are 1.3 to 1.5 times the predicted variance."""
    noise = Noise(Poisson(flat()), Poisson(smooth()).sample().double())
    assert (noise.pearson > 1.2).all()
    for seed in range(3):
        line = said(Poisson(flat()), Poisson(smooth()), seed)
        assert line.startswith("the mean of all 4 units is off (squared, 0.") and "scatter" not in line
        assert line.endswith("; try more covariates, another network")


@pytest.mark.parametrize("factor", [0.3, 0.5, 0.8, 1.25, 2.0, 3.0])
def test_a_mean_that_is_too_large_or_too_small_is_neither_more_nor_less_scatter_nor_more_zeros(factor):
    for predicted in (Poisson(factor * smooth()), Poisson(factor * smooth().sqrt())):
        line = said(predicted, Poisson(smooth()))
        assert "scatter" not in line and "zeros" not in line
    assert "scatter" not in said(NegativeBinomial(factor * smooth(), HALF), NegativeBinomial(smooth(), HALF))
    if abs(factor - 1) > 0.3:
        assert "the mean of all 4 units is off" in said(Poisson(factor * smooth()), Poisson(smooth()))


def test_only_the_units_concerned_are_named():
    truth = smooth()
    predicted = torch.cat([flat()[:, :1], truth[:, 1:]], 1)
    line = said(Poisson(predicted), NegativeBinomial(truth, torch.tensor([0.0, 0.0, 0.6, 0.0], dtype=torch.float64)))
    assert line.startswith("unit c scatters more than Poisson (") and "the mean of unit a is off" in line
    assert line.endswith("; try loss=negative_binomial and more covariates, another network")


def test_more_scatter_is_said_to_be_more_than_the_variance_however_far_the_mean_is_off():
    """It is held against the variance about the calibrated mean, and the range that is said is of that, too."""
    line = said(Poisson(10 * smooth()), NegativeBinomial(smooth(), HALF))
    low, high = re.search(
        r"all 4 units scatter more than Poisson \(([\d.]+) to ([\d.]+) times the variance\)", line
    ).groups()
    assert 1.6 < float(low) <= float(high) < 1.9


@pytest.mark.parametrize("predicted", [flat(), smooth(1.4)])
def test_scatter_is_found_although_the_mean_is_off(predicted):
    assert "all 4 units scatter more than Poisson (" in said(Poisson(predicted), NegativeBinomial(smooth(), HALF))
    assert "all 4 units scatter less than Poisson (" in said(Poisson(predicted), ComPoisson(smooth(), 8 * HALF))


def test_squares_less_what_is_shared_are_those_about_the_true_mean():
    torch.manual_seed(1)
    truth = smooth(2.0)
    k = Poisson(truth).sample().double()
    found = Scatter(Noise(Poisson(truth.mean(0).expand(ROWS, -1)), k))
    true = (k - truth).square().sum(0)
    assert ((found.squares - true).abs() < 4 * found.spread.sqrt()).all()
    assert ((k - truth.mean(0)).square().sum(0) - true > 6 * found.spread.sqrt()).all()
    torch.testing.assert_close(found.mean_error, truth.var(0) / truth.mean(0), rtol=0.15, atol=0.0)


def test_squares_of_few_counts_spread_as_the_fourth_moment_of_the_law():
    """Where all counts lie at their mean, nothing but the distribution says how far a squared residual may lie from the
    rest."""
    mean = torch.full((30, 1), 2.0, dtype=torch.float64)
    distribution = stats.nbinom(2.0, 1 / 2)  # dispersion 1 / 2, variance 4
    fourth = (distribution.stats("k") + 3 - 1) * distribution.var() ** 2
    assert float(Scatter(Noise(NegativeBinomial(mean, HALF), mean)).spread) == pytest.approx(30 * fourth)


@pytest.mark.parametrize("dispersion, told", [(0.025, None), (0.07, "units a and b scatter more than Poisson (1.1")])
def test_what_is_sure_but_small_is_not_worth_a_word(dispersion, told):
    """Variances of 1.05 and 1.14 times the mean, of 60,000 counts each."""
    mean = torch.full((60_000, 2), 2.0, dtype=torch.float64)
    torch.manual_seed(0)
    k = NegativeBinomial(mean, torch.tensor(dispersion, dtype=torch.float64)).sample().double()
    assert (Scatter(Noise(Poisson(mean), k)).more).all()
    line = suggestion(Noise(Poisson(mean), k), ["a", "b"], "unit")
    assert line is None if told is None else line.startswith(told)


def test_a_few_zeros_more_are_not_worth_a_word():
    half, zeros = torch.full((40_000, 2), 0.5, dtype=torch.float64), torch.tensor([20_300, 20_500])
    k = (torch.arange(40_000).unsqueeze(-1) >= zeros).double()
    found = Scatter(Noise(Poisson(half), k))
    assert found._more_zeros(k, half).tolist() == [False, True]  # 1.5 % of them, and 2.4 %; both are beyond chance


def test_many_units_are_as_many_chances_of_a_false_alarm():
    rate = 2.0 + torch.zeros(300, 600, dtype=torch.float64)
    torch.manual_seed(0)
    found = Scatter(Noise(Poisson(rate), torch.poisson(rate)))
    assert not (found.more | found.less | found.more_zeros | (found.mean_error > 0)).any()


def test_false_alarms_are_as_rare_as_said():
    """Two distributions that are right, at low and high rates: two lines of 120 at most."""
    lines = []
    for seed in range(20):
        for level in (0.02, 0.3, 3.0):
            rate = smooth(level)[:1500]
            distributions = (Poisson(rate), NegativeBinomial(rate, HALF))
            for distribution in distributions:
                torch.manual_seed(seed)
                lines.append(suggestion(Noise(distribution, distribution.sample().double()), UNITS, "unit"))
    assert len(lines) == 120 and len([line for line in lines if line]) <= 2
