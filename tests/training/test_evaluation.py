"""A split is examined a batch at a time, and what is kept of a batch is what its metrics say."""

import math
import weakref

import pytest
import torch
from torch import nn

from dlthink.training.evaluation import Standing, batches_of, doubt, examine


class Split:
    """x = y = the numbers of the samples; what is known of them is as large as an answer."""

    def __len__(self):
        return 10

    def take(self, index):
        return index.float()[:, None], index.float()[:, None]

    def known(self, index):
        return {"picture": torch.zeros(len(index), 100)}


class Model(nn.Module):
    """Remembers what of its answers is still there."""

    def __init__(self):
        super().__init__()
        self.seen, self.most = [], 0

    def forward(self, x):
        out = 2 * x
        self.seen.append(weakref.ref(out))
        self.most = max(self.most, sum(one() is not None for one in self.seen))
        return out


class Cost(nn.Module):
    def forward(self, out, y):
        return {"error": (out - y).mean()}

    def predict(self, out):
        return {"mean": out + 1}


class Sums:
    """Metrics that keep a sum of each batch."""

    def condense(self, predicted, y, known):
        return {"sums": [float(predicted["mean"].sum())]}, {}, {}


class Fitting(Cost):
    def fit_on_validation(self, out, y):
        pass


def asked(loss, metrics, model):
    batches = batches_of(Split(), 3, torch.device("cpu"))
    examined = examine(model, loss, metrics, Split(), batches, {}, terms=True)
    return examined.answers, examined.terms


def test_what_metrics_condense_is_all_that_is_kept():
    model, loss = Model(), Cost()
    (predicted, y, known), terms = asked(loss, Sums(), model)
    assert predicted == {"sums": [9.0, 27.0, 45.0, 19.0]} and (y, known) == ({}, {})
    assert terms == asked(loss, object(), Model())[1] == {"error": 4.5}
    assert model.most <= 2, "an answer is forgotten when the next one is there"


def test_others_get_everything():
    for loss, metrics in ((Cost(), object()), (Fitting(), Sums())):  # a cost may fit something on all answers
        (predicted, y, known), _ = asked(loss, metrics, Model())
        assert predicted["mean"].shape == y.shape == (10, 1) and known["picture"].shape == (10, 100)


def test_a_split_may_ask_for_smaller_batches():
    class Few(Split):
        at_once = 2

    sizes = [[len(b) for b in batches_of(split, 4, torch.device("cpu"))] for split in (Split(), Few())]
    assert sizes == [[4, 4, 2], [2] * 5]


class Blaming:
    """Metrics that find every answer wrong."""

    def __init__(self, direction):
        self.best = ("score", direction)

    def remarks(self, predicted, y, known):
        return ["far worse than a guess; try something else"]


@pytest.mark.parametrize("direction, better, worse", [("max", 0.6, 0.4), ("min", 0.4, 0.6)])
def test_a_cost_that_falls_over_answers_that_are_wrong_is_doubted(direction, better, worse):
    answers, first = ({}, None, {}), Standing(2.0, 0.5)
    told = {
        figure: doubt(Blaming(direction), answers, first, Standing(1.0, figure))
        for figure in (better, 0.5, worse, math.nan)
    }
    for line in told.values():
        assert line.startswith("the cost fell from 2 to 1, and yet on training samples far worse than a guess. ")
    assert "score has become better on them: train longer" in told.pop(better)
    assert all("wrong sign" in line and "train longer" not in line for line in told.values())
    for cost in (2.0, 3.0, math.nan):  # it has not fallen
        assert doubt(Blaming(direction), answers, first, Standing(cost, better)) is None
    assert doubt(object(), answers, first, Standing(1.0, worse)) is None


def test_where_a_run_began_is_read_from_a_checkpoint():
    assert Standing.restored({"cost": 2, "figure": 0.5, "more": "x"}) == Standing(2.0, 0.5)
    assert math.isnan(Standing.restored({}).cost) and math.isnan(Standing.restored({"cost": 1.0}).figure)
