"""Figures of noise of counts that no bar is drawn of."""

from types import SimpleNamespace

import torch

from dlthink.metrics.counts.noise_figures import counts


def test_counts_that_are_all_large_are_said_to_be():
    noise = SimpleNamespace(k=torch.full((9, 2), 5000.0), shares=lambda unit, most: torch.zeros(most + 1))
    figure = counts(noise, ["visits", "views"], [0, 1])
    assert [ax.texts[0].get_text() for ax in figure.axes] == ["all above 30"] * 2
