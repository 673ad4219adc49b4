"""A split is examined a batch at a time, and what is kept of a batch is what its metrics say."""

import weakref

import torch
from torch import nn

from dlthink.training.evaluation import batches_of, condensing, predictions, run_split


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


class Settling(Cost):
    def fit_on_validation(self, out, y):
        pass


def asked(loss, metrics, model):
    condense = condensing(loss, metrics)
    answers = run_split(model, Split(), batches_of(Split(), 3, torch.device("cpu")), loss, condense)
    return predictions(answers, loss), answers.terms


def test_what_metrics_condense_is_all_that_is_kept():
    model, loss = Model(), Cost()
    (predicted, y, known), terms = asked(loss, Sums(), model)
    assert predicted == {"sums": [9.0, 27.0, 45.0, 19.0]} and (y, known) == ({}, {})
    assert terms == asked(loss, object(), Model())[1] == {"error": 4.5}
    assert model.most <= 2, "an answer is forgotten when the next one is there"


def test_others_get_everything():
    for loss, metrics in ((Cost(), object()), (Settling(), Sums())):  # a cost may settle something on all answers
        (predicted, y, known), _ = asked(loss, metrics, Model())
        assert predicted["mean"].shape == y.shape == (10, 1) and known["picture"].shape == (10, 100)


def test_a_split_may_ask_for_smaller_batches():
    class Few(Split):
        at_once = 2

    sizes = [[len(b) for b in batches_of(split, 4, torch.device("cpu"))] for split in (Split(), Few())]
    assert sizes == [[4, 4, 2], [2] * 5]
