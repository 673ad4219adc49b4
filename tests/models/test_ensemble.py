"""Members side by side, and heads that each learn from their half: dlthink.models.ensemble."""

import pytest
import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.models.ensemble import Ensemble, hashed
from dlthink.models.mlp import MLP


def maker(n_out=2):
    return lambda: MLP(3, n_out, 4, width=8)


def inputs(n=50):
    return torch.randn(n, 4, 3, generator=torch.Generator().manual_seed(0))


def test_members_answer_side_by_side_and_begin_elsewhere():
    torch.manual_seed(0)
    model = Ensemble(maker(), 2, members=3)
    out = model(inputs())
    assert out.shape == (50, 3, 2)
    torch.testing.assert_close(out, torch.stack([network(inputs()) for network in model.networks], 1))
    assert not torch.equal(out[:, 0], out[:, 1])


def test_of_networks_that_answer_as_ensembles_all_members_stand_side_by_side():
    torch.manual_seed(0)
    model = Ensemble(lambda: Ensemble(maker(), 2, members=3), 2, members=2)
    out = model(inputs())
    assert out.shape == (50, 6, 2)
    torch.testing.assert_close(out[:, 3:], model.networks[1](inputs()))


def test_a_trunk_with_several_read_outs_answers_as_its_parts():
    torch.manual_seed(0)
    model = Ensemble(maker(), 2, members=3, share="trunk").eval()
    layer, hidden = model.network.readout, model.network.hidden(inputs().flatten(1))
    for m in range(3):
        rows = slice(2 * m, 2 * m + 2)
        torch.testing.assert_close(model(inputs())[:, m], hidden @ layer.weight[rows].T + layer.bias[rows])


@pytest.mark.parametrize("with_tie", [True, False])
def test_each_head_learns_from_one_fixed_half(with_tie):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.readout = nn.Linear(3, 1)

        def forward(self, x):
            return self.readout(x["a"])

    torch.manual_seed(0)
    x = torch.randn(2000, 3)
    batch = {"a": x} | ({"tie": torch.randint(0, 2**62, (2000,))} if with_tie else {})
    model = Ensemble(Tied, 1, members=4, share="trunk").train()
    learns = model._learns(batch)
    assert torch.equal(learns, model._learns(batch))
    assert (learns.float().mean(0) - 0.5).abs().max() < 0.05
    pairs = torch.corrcoef(learns.T.float()) - torch.eye(4)
    assert pairs.abs().max() < 0.1  # one head's half says nothing of another's
    for m in range(4):
        model.zero_grad()
        model(batch)[:, m].sum().backward()
        grad = model.network.readout.weight.grad[m]
        torch.testing.assert_close(grad, x[learns[:, m]].sum(0), rtol=1e-4, atol=1e-3)
        assert model.network.readout.weight.grad.abs().sum(1).count_nonzero() == 1


def test_a_hash_does_not_depend_on_the_rest_of_the_batch():
    x = inputs(200)
    assert torch.equal(hashed(x)[7:9], hashed(x[7:9]))
    assert len(hashed(x).unique()) == 200


def test_what_cannot_be_an_ensemble():
    with pytest.raises(BadInput, match="members"):
        Ensemble(maker(), 2, members=1)
    with pytest.raises(BadInput, match="readout"):
        Ensemble(lambda: nn.Linear(3, 2), 2, share="trunk")
