"""Figures of noise of counts that no bar is drawn of."""

from types import SimpleNamespace

import torch

from dlthink.distributions.poisson import Poisson
from dlthink.metrics.counts.noise import Noise
from dlthink.metrics.counts.noise_figures import counts, dispersion


def test_counts_that_are_all_large_are_said_to_be():
    noise = SimpleNamespace(k=torch.full((9, 2), 5000.0), shares=lambda unit, most: torch.zeros(most + 1))
    figure = counts(noise, ["visits", "views"], [0, 1])
    assert [ax.texts[0].get_text() for ax in figure.axes] == ["all above 30"] * 2


def test_many_units_are_named_upright_and_variances_are_written_out():
    torch.manual_seed(0)
    rate = 0.2 + 0.7 * torch.rand(300, 40, dtype=torch.float64)
    left, right = dispersion(Noise(Poisson(rate), torch.poisson(rate)), [str(i) for i in range(40)]).axes
    assert {label.get_rotation() for label in left.get_xticklabels()} == {90}
    assert {axis.get_major_formatter()(0.5) for axis in (right.xaxis, right.yaxis)} == {"0.5"}
    assert not len(right.xaxis.get_minorticklocs())
