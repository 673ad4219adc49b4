"""Penalties on the weights of a GLM, and its filters drawn."""

import math

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.losses.counts.poisson import Poisson
from dlthink.models._filter_figure import filters
from dlthink.models.bases.raised_cosine import RaisedCosine
from dlthink.models.ensemble import Ensemble
from dlthink.models.glm import GLM
from dlthink.training.step import Step


def random(**settings):
    model = GLM(3, 6, 8, n_targets=4, **settings).double()
    torch.nn.init.normal_(model.linear.weight, generator=torch.Generator().manual_seed(0))
    return model


@pytest.mark.parametrize("basis", [None, lambda: RaisedCosine(6, number=4)])
def test_penalties_equal_slow_sums(basis):
    model = random(l1=0.3, group=0.7, basis=basis)
    number = 6 if basis is None else 4
    w = model.linear.weight.view(8, number, 3)
    slow = 0.3 * sum(abs(float(v)) for v in w.flatten())
    for out in range(8):
        for i in range(3):
            slow += 0.7 * math.sqrt(number) * math.sqrt(sum(float(v) ** 2 for v in w[out, :, i]))
    assert float(model.penalty()) == pytest.approx(slow / 4, rel=1e-6)
    assert random().penalty() is None


def test_a_penalty_has_a_slope_everywhere():
    model = GLM(3, 6, 8, l1=1.0, group=1.0)
    model.penalty().backward()
    assert model.linear.weight.grad.isfinite().all()
    assert float(model.penalty()) < 0.01


def test_a_step_descends_the_penalty_beside_the_cost():
    torch.manual_seed(0)
    for model in (random(l1=0.5).float(), Ensemble(lambda: random(l1=0.5).float(), n_out=8, members=2)):
        step = Step(model, [], None)
        terms = step._of_weights()
        single = float(random(l1=0.5).penalty())
        assert float(terms["penalty"]) == pytest.approx(single * (2 if isinstance(model, Ensemble) else 1), rel=1e-5)
    assert Step(random(), [], None)._of_weights() == {}


@pytest.mark.parametrize("name", ["l1", "group"])
def test_few_inputs_are_left(name):
    """Two of six inputs matter. Their weights stay, the others' come near zero."""
    torch.manual_seed(0)
    x = torch.randn(2000, 1, 6)
    y = torch.poisson((0.5 * x[:, 0, 0] - 0.7 * x[:, 0, 3]).exp())[:, None]
    model, loss = GLM(6, 1, 1, **{name: 0.1}), Poisson(1)
    loss.prepare(y)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def cost():
        optimizer.zero_grad()
        total = loss(model(x), y)["nll"] + model.penalty()
        total.backward()
        return total

    for _ in range(5):
        optimizer.step(cost)
    w = model.linear.weight[0].abs()
    assert (w[[0, 3]] > 0.2).all() and (w[[1, 2, 4, 5]] < 0.01).all()


@pytest.mark.parametrize("settings", [{"l1": -1.0}, {"group": math.inf}])
def test_penalties_out_of_range(settings):
    with pytest.raises(BadInput, match=next(iter(settings))):
        GLM(3, 6, 8, **settings)


def test_filters_are_drawn():
    names = [f"input {i}" for i in range(3)]
    model = GLM(
        3,
        6,
        24,
        n_targets=12,
        input_names=names,
        lags=[-0.25 + 0.05 * i for i in range(6)],
        target_names=[f"unit {i}" for i in range(12)],
    )
    torch.nn.init.normal_(model.linear.weight)
    figure = model.figures()["filters"]
    shown = [ax for ax in figure.axes if ax.lines]
    assert len(shown) == 9 and shown[0].get_title("left") == "unit 0" and shown[-1].get_title("left") == "unit 11"
    line = shown[0].lines[1]
    column = names.index(line.get_label())
    assert line.get_ydata() == pytest.approx(model.filters()[0, :, column].numpy(), abs=1e-6)
    assert line.get_xdata().tolist() == pytest.approx([-0.25, -0.2, -0.15, -0.1, -0.05, 0.0])


def test_an_input_has_one_colour_in_all_panels_where_there_are_as_many():
    weights = torch.zeros(2, 1, 3)
    weights[0], weights[1] = torch.tensor([3.0, 2.0, 1.0]), torch.tensor([1.0, 2.0, 3.0])
    colours = [
        {line.get_label(): line.get_color() for line in ax.lines[1:]}
        for ax in filters(weights, ["x", "y", "speed"], [0.0], ["a", "b"]).axes[:2]
    ]
    assert colours[0] == colours[1] and len(set(colours[0].values())) == 3
    many = filters(torch.rand(1, 2, 9), list("abcdefghi"), [-1.0, 0.0], ["a"]).axes[0]
    assert len({line.get_color() for line in many.lines[1:]}) == 5
