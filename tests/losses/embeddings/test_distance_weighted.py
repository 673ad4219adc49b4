"""`distance_weighted` against a loop over the pairs it draws; its weights against the density of distances."""

import math

import pytest
import torch
from scipy import stats

from dlthink.errors import BadInput
from dlthink.losses.embeddings import distance_weighted as module
from dlthink.losses.embeddings._mining import relations
from dlthink.losses.embeddings.distance_weighted import DistanceWeighted
from tests.losses.embeddings.triplet_loops import DIM, Recorded, apart, build, check, points, sample, total


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_loop_and_the_boundary_learns(monkeypatch, seed):
    record, loss, (out, y) = Recorded(monkeypatch, module), build("distance_weighted", boundary=1.1), sample(seed)
    cost = total(loss, out, y)
    e, b = points(out), loss.boundary
    near = [0.2 + apart(e[a], e[p]).sqrt() - b for a, p, _ in record.by_pair(y)]
    far = [0.2 - apart(e[a], e[n]).sqrt() + b for a, _, n in record.by_pair(y)]
    assert all(y[a] != y[n] for a, _, n in record.by_pair(y))
    positive = [value for value in near + far if value > 0]
    check(cost, sum(positive) / len(positive), out, b)


def test_weights_are_one_over_the_density():
    loss, (out, y) = build("distance_weighted", cutoff=0.8, boundary=1.5), sample()
    e = torch.nn.functional.normalize(out.detach())
    d = torch.cdist(e, e).square()
    weights, reach = loss.weights(d, relations(y)[1]), 1.7
    for a in range(len(y)):
        slow = []
        for n in range(len(y)):
            at = max(float(d[a, n]) ** 0.5, 0.8)
            q = at ** (DIM - 2) * (1 - at**2 / 4) ** ((DIM - 3) / 2)
            slow.append(0.0 if y[a] == y[n] or float(d[a, n]) ** 0.5 >= reach else 1 / q)
        assert weights[a].tolist() == pytest.approx([w / max(slow) for w in slow], rel=1e-9)
    assert bool((weights[relations(y)[1]] == 0).any()) and bool((d > reach**2).any())


def test_drawn_distances_are_even():
    """Random points on a sphere lie at D = sqrt 2; those that are drawn are spread over [cutoff, b + margin]."""
    g = torch.Generator().manual_seed(0)
    e = torch.nn.functional.normalize(torch.randn(4001, 3, generator=g))
    d = (e[:1] - e).square().sum(1)[None]
    different = torch.ones(1, 4001, dtype=torch.bool)
    different[0, 0] = False
    torch.manual_seed(0)
    index = module.drawn(DistanceWeighted(3).weights(d, different), 4000)
    found = d[0, index[0]].sqrt()
    found = found[found > 0.5]
    assert stats.kstest(found.numpy(), stats.uniform(0.5, 0.9).cdf).statistic < 0.05


@pytest.mark.parametrize("dim", [2, 3, 128, 2048])
def test_weights_stay_finite(dim):
    """At every distance from one point to the other pole, where the density's log has no bound."""
    d = torch.tensor([[0.0, 0.0, 1e-9, 0.3, 2.0, 3.99999, 4.0]]).expand(7, 7)
    y = torch.tensor([0, 1, 2, 3, 4, 5, 6])
    for boundary in (0.1, 1.2, 1.99):
        weights = DistanceWeighted(dim, boundary=boundary).weights(d, relations(y)[1])
        assert bool(weights.isfinite().all()) and bool((weights.amax(1) == 1).all())


def test_where_all_negatives_are_far_one_is_drawn_and_costs_nothing():
    out = torch.tensor([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0]], requires_grad=True)
    terms = build("distance_weighted", 2, torch.float32)(out, torch.tensor([0, 0, 1]))
    assert all(float(term.detach()) == 0 and term.requires_grad for term in terms.values())
    assert math.isfinite(sum(float(term.detach()) for term in terms.values()))


@pytest.mark.parametrize("settings", [{"margin": 0.0}, {"boundary": 2.0}, {"cutoff": 0.0}, {"cutoff": 1.5}])
def test_refused(settings):
    with pytest.raises(BadInput, match=f"loss.{next(iter(settings))}"):
        build("distance_weighted", **settings)
