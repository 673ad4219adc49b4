"""Landscapes: slope and curvature in them are those of closed forms; every kind has its picture."""

import pytest
import torch

from dlthink.checks.check import KINDS, landscape
from dlthink.checks.distances import _fitted, arranged
from dlthink.checks.landscape import draw, slope_and_curvature
from tests.checks.run_checks import maker
from tests.checks.test_shipped import node_of


def shape(kind, name, **settings):
    return KINDS[kind].landscape(maker(node_of(name), settings), name)


def test_slope_and_curvature_of_a_known_bowl():
    slope, curvature = slope_and_curvature(
        lambda x: 3 * x[0] ** 2 + 0.5 * x[1] ** 2 + x[1], torch.tensor([1.0, 2.0]).double()
    )
    assert slope == pytest.approx((36 + 9) ** 0.5, rel=1e-6)
    assert curvature == pytest.approx((1.0, 6.0), rel=1e-6)


def test_of_the_squared_error():
    found = shape("reals", "mse")
    places = {place.name: place for place in found.places}
    assert found.y is None and places["optimum"].x == pytest.approx(places["truth"].x, rel=1e-6)
    assert places["optimum"].curvature == pytest.approx((2.0,), rel=1e-4)  # of e^2 in std of the target
    _, cost, slope = found.along
    assert float(cost[-1]) / float(cost[75]) == pytest.approx(4, rel=1e-3)  # ten std off, and five
    assert float(slope[-1]) / float(slope[75]) == pytest.approx(2, rel=1e-3)


def test_of_a_gaussian_likelihood():
    found = shape("reals", "gaussian_nll", spread="exp")
    places = {place.name: place for place in found.places}
    assert (places["optimum"].x, places["optimum"].y) == pytest.approx((places["truth"].x, places["truth"].y), rel=1e-3)
    least = found.cost.flatten().argmin()
    assert float(found.x.flatten()[least]) == pytest.approx(places["truth"].x, abs=2)
    ten = next(place for place in found.places if "10 std" in place.name)
    assert ten.slope == pytest.approx(10, rel=1e-3)  # e / s, per standard deviation moved


def test_the_rate_of_poisson_counts():
    found = shape("counts", "poisson")
    places = {place.name: place for place in found.places}
    rate = places["truth"].x
    assert places["optimum"].x == pytest.approx(rate, rel=1e-4)
    assert places["optimum"].curvature == pytest.approx((rate,), rel=1e-3)  # second derivative of exp(x) - k x


def test_distances_are_arranged_as_said():
    class CostOnBatch:
        y = torch.arange(4).repeat(3)

    e = _fitted(arranged(CostOnBatch, 0.3, 1.1), 64)
    d = torch.cdist(e, e).square()
    same = CostOnBatch.y[:, None] == CostOnBatch.y
    assert torch.allclose(d[same & ~torch.eye(12, dtype=torch.bool)], torch.tensor(0.3).double())
    assert torch.allclose(d[~same], torch.tensor(1.1).double())
    assert torch.allclose(e.norm(dim=1), torch.tensor(1.0).double())


@pytest.mark.slow
def test_a_constant_is_the_deepest_place_of_positives_only_too():
    found = shape("identities", "positives_only", dim=64)
    assert float(found.along[1].max() - found.along[1].min()) < 1e-6
    found = shape("identities", "triplet", dim=64)
    assert float(found.along[1][0]) > float(found.along[1][-1]) == 0


@pytest.mark.parametrize("kind, names", [("counts", ["poisson"]), ("reals", ["gaussian_nll"])])
def test_drawn(kind, names):
    figure = landscape(kind, {name: maker(node_of(name), {}) for name in names})
    assert len(figure.axes) == 2 * len(names) and figure.axes[0].get_title(loc="left").startswith(names[0])
    assert draw([shape(kind, names[0])], "title").get_suptitle() == "title"
