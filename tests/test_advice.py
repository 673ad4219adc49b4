"""A note never advises what its run does already."""

import pytest
import torch

from dlthink.advice import apt
from dlthink.losses.counts.com_poisson import ComPoisson
from dlthink.losses.counts.negative_binomial import NegativeBinomial
from dlthink.losses.counts.poisson import Poisson
from dlthink.losses.embeddings.triplet import Triplet
from dlthink.losses.reals.beta_nll import BetaNLL
from dlthink.losses.reals.crps import CRPS
from dlthink.losses.reals.quantile import Quantile
from dlthink.metrics.reals.metrics import Reals
from dlthink.training.evaluation import lines

SPREAD = "a spread too small; try loss.calibrate=scale, loss=beta_nll, a larger penalty (trainer.l2)"
LAW = "scatters less; try loss=com_poisson or loss=generalized_poisson and more covariates"


@pytest.mark.parametrize(
    "line, loss, said",
    [
        (SPREAD, CRPS(1), SPREAD),
        (SPREAD, CRPS(1, calibrate="scale"), "a spread too small; try loss=beta_nll, a larger penalty (trainer.l2)"),
        (SPREAD, BetaNLL(1), "a spread too small; try loss.calibrate=scale, a larger penalty (trainer.l2)"),
        (SPREAD, torch.nn.Module(), "a spread too small; try loss=beta_nll, a larger penalty (trainer.l2)"),
        (LAW, Poisson(1), LAW),
        (LAW, ComPoisson(1), "scatters less; try loss=generalized_poisson, more covariates"),
        ("more; try loss.dispersion=network, another law", NegativeBinomial(1, "network"), "more; try another law"),
        ("a point: try loss=triplet loss.mining=semi_hard", Triplet(mining="semi_hard"), "a point"),
        ("a point: try loss=triplet loss.mining=semi_hard", Triplet(mining="random"), None),
        ("a cut: try loss=quantile, or a cost of your own", Quantile(1), "a cut: try a cost of your own"),
        (
            "long: try loss=quantile, or where it grows loss=mae, loss=mse",
            Quantile(1),
            "long: try where it grows loss=mae, loss=mse",
        ),
        ("nothing to try", Poisson(1), "nothing to try"),
    ],
)
def test_what_is_done_already_is_left_out(line, loss, said):
    assert apt(line, loss) == (said or line)


def test_the_notes_at_the_end_know_the_cost():
    y = torch.randn(50, 1)
    narrow = {"mean": 0.5 * y, "std": torch.full_like(y, 0.05)}
    (plain,), (scaled,) = (lines(Reals(), CRPS(1, calibrate=way), narrow, y, {}) for way in ("none", "scale"))
    assert "loss.calibrate=scale" in plain and "loss=beta_nll" in plain
    assert "calibrate" not in scaled and "loss=beta_nll" in scaled


def test_of_other_data_no_note_advises_how_to_train():
    y = torch.randn(50, 1)
    wild = {"mean": 9 * y, "std": torch.full_like(y, 0.05)}
    (here,), (there,) = (lines(Reals(), CRPS(1), wild, y, {}, elsewhere=place) for place in (False, True))
    assert "try a larger penalty" in here and "far worse than a guess of the mean" in there
    assert "penalty" not in there and there.endswith("Else train on samples like these")
