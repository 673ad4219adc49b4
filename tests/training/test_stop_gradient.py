"""What a cost reads beside the network does not shape it."""

import pytest
import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.models.ensemble import Ensemble
from dlthink.models.mlp import MLP
from dlthink.training.stop_gradient import stop_gradient
from tests.training.toy import Squared, fit


class Cost(nn.Module):
    outputs_per_target, detached = 2, (1,)


def network():
    torch.manual_seed(0)
    return MLP(3, 4, 2, width=8)  # two targets, two numbers each


X = torch.randn(20, 2, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("make", [network, lambda: Ensemble(network, 4, 3), lambda: Ensemble(network, 4, 3, "trunk")])
def test_answers_are_the_same_and_the_way_back_ends_at_the_last_layer(make):
    torch.manual_seed(0)
    plain = make().eval()
    torch.manual_seed(0)
    model = make().eval()
    stop_gradient(model, Cost())
    torch.testing.assert_close(model(X), plain(X))

    model(X)[..., [1, 3]].square().sum().backward()
    for name, parameter in model.named_parameters():
        moved = parameter.grad is not None and bool(parameter.grad.any())
        assert moved == (".readout." in f".{name}"), name

    model.zero_grad()
    model(X)[..., [0, 2]].square().sum().backward()
    plain(X)[..., [0, 2]].square().sum().backward()
    for mine, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


def test_a_network_without_a_last_layer_is_refused_in_one_line():
    with pytest.raises(BadInput, match="readout"):
        stop_gradient(nn.Sequential(nn.Linear(3, 4)), Cost())
    stop_gradient(nn.Sequential(nn.Linear(3, 4)), nn.Module())  # a cost that wants nothing aside is content with any


def test_the_loop_sets_aside_whoever_made_network_and_cost(tmp_path):
    """`fit` by hand, without a configuration: what the cost reads beside moves the last layer and nothing before it."""

    class Beside(Squared):
        outputs_per_target, detached = 2, (1,)

        def forward(self, out, y):
            return {"mse": (self.predict(out)["mean"] - y).square().mean()}

        def predict(self, out):
            return {"mean": out[..., 1::2]}

    model = nn.Sequential()
    model.add_module("hidden", nn.Linear(5, 4))
    model.add_module("readout", nn.Linear(4, 6))
    before = [p.detach().clone() for p in model.parameters()]
    fit(tmp_path, model, Beside(), steps=2, validate_every=2)
    assert [not torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True)] == [
        False,
        False,
        True,
        True,
    ]


def test_a_training_loop_of_ones_own_is_told_what_it_forgot():
    """Without the cut a faithful cost would silently shape the network by its spread."""
    from dlthink.losses.reals.faithful import Faithful

    loss = Faithful(1)
    network = nn.Sequential()
    network.add_module("readout", nn.Linear(3, 2))
    x, y = torch.rand(5, 3), torch.rand(5, 1)
    with pytest.raises(BadInput, match="stop_gradient"):
        loss(network(x), y)
    stop_gradient(network, loss)
    assert set(loss(network(x), y)) == {"half_square", "nll"}
