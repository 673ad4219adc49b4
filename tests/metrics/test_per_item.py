"""Scores of single items: their weighted mean is the number of that name, for every examination that has them."""

import math

import numpy as np
import pytest
import torch

from dlthink.metrics.counts.metrics import Counts
from dlthink.metrics.embeddings.metrics import Embeddings
from dlthink.metrics.per_item import by_item
from dlthink.metrics.reals.metrics import Reals
from tests.metrics.embeddings.made_people import people


def test_values_are_put_together_by_hand_and_what_is_not_known_counts_nothing():
    y = torch.tensor([[1.0, 2.0], [2.0, math.nan], [4.0, 5.0], [math.nan, math.nan]])
    score = torch.tensor([[1.0, 3.0], [2.0, 9.0], [6.0, 8.0], [7.0, 7.0]])
    made = by_item({"s": score}, y, torch.tensor([7, 3, 7, 5]))
    assert {k: v.tolist() for k, v in made.items()} == {
        "item": [3, 7],
        "weight": [1.0, 4.0],
        "target": [2.0, 12.0],
        "s": [2.0, 4.5],
    }
    alone = by_item({"s": torch.tensor([1.0, 2.0])}, torch.tensor([5, 6]), None)
    assert alone["item"].tolist() == [0, 1] and alone["target"].tolist() == [5.0, 6.0]


def counted():
    y = torch.poisson(torch.full((60, 4), 2.0))
    return Counts([*"abcd"], bin=0.1), {"rate": torch.rand(60, 4) + 1}, y


def measured():
    y = torch.randn(60, 2)
    normal = torch.distributions.Normal(torch.zeros(60, 2), torch.rand(60, 2) + 0.5)
    return Reals("ppm"), {"mean": normal.mean, "distribution": normal}, y


def in_other_units():
    metrics = Reals(["cm", "cm/s"], target_names=["x", "v"], target_std=[2.0, 5.0])
    return metrics, *measured()[1:]


def recognized():
    embedding, y = people()
    return Embeddings(), {"embedding": embedding}, y


@pytest.mark.parametrize("made", [counted, measured, in_other_units, recognized])
def test_the_weighted_mean_over_items_is_the_number_of_that_name(made):
    metrics, predicted, y = made()
    known = {"item": torch.randint(0, 7, (len(y),))} if made is not recognized else {}
    items = metrics.item_scores(predicted, y, known)
    numbers = metrics.numbers(predicted, y, known)
    scores = items.keys() - {"item", "weight", "target"}
    assert scores and scores <= metrics.scores.keys() and metrics.best[0] in metrics.scores
    for name in scores:
        assert np.average(items[name], weights=items["weight"]) == pytest.approx(numbers[name], rel=1e-9), name
        assert len(items[name]) == len(items["item"]) == len(set(items["item"].tolist())) > 1


def test_a_poisson_stands_in_where_no_distribution_of_counts_is_read():
    metrics, predicted, y = counted()
    poisson = torch.distributions.Poisson(predicted["rate"])
    own, given = (metrics.item_scores(p, y, {}) for p in (predicted, predicted | {"distribution": poisson}))
    np.testing.assert_allclose(own["log_score"], given["log_score"], rtol=1e-5)
