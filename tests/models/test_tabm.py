"""`dlthink.models.tabm`: members that answer as an ensemble does, what it makes of categories, gradients, precision."""

import pytest
import torch

from dlthink.errors import BadInput

pytest.importorskip("tabm")

from dlthink.models.tabm import TabM

SIZES, N_IN, N_OUT = [3, 5], 2, 4


def rows(n=7):
    generator = torch.Generator().manual_seed(1)
    numbers = torch.randn(n, N_IN, generator=generator)
    numbers[:, 1] = (numbers[:, 1] > 0).float()  # a boolean: one bin
    codes = torch.stack([torch.arange(n) % size for size in SIZES], 1).int()
    return {"numbers": numbers, "categories": codes}


def made(**settings):
    torch.manual_seed(0)
    x = rows(200)["numbers"].numpy()
    quantiles = torch.quantile(torch.from_numpy(x), torch.linspace(0, 1, 49), dim=0).T
    facts = {"n_in": N_IN, "n_out": N_OUT, "category_sizes": SIZES, "quantiles": quantiles, "n_targets": 2}
    return TabM(**facts | {"members": 3, "width": 8} | settings)


@pytest.mark.parametrize("embedding", ["piecewise", "periodic", "none"])
def test_members_answer_side_by_side(embedding):
    model, x = made(embedding=embedding), rows()
    out = model(x)
    assert out.shape == (7, 3, N_OUT)
    out.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    model.eval()
    assert torch.equal(model(x)[2], model({name: of[2:3] for name, of in x.items()})[0]) or torch.allclose(
        model(x)[2], model({name: of[2:3] for name, of in x.items()})[0], atol=1e-6
    )
    assert model(x).std(1).mean() > 1e-3  # members differ from the start


def test_what_training_does_not_know_weighs_nothing_at_first_and_can_learn():
    model, x = made(dropout=0.0).eval(), rows(1)
    known = {**x, "categories": torch.tensor([[1, 1]]).int()}
    unknown = {**x, "categories": torch.zeros(1, 2).int()}
    first = model.network.backbone.blocks[0][0].weight
    assert first.shape[1] == 2 * 16 + sum(SIZES)
    assert torch.equal(first[:, 32], torch.zeros(8)) and torch.equal(first[:, 35], torch.zeros(8))
    assert first[:, 33].abs().min() > 0 and first[:, 36].abs().min() > 0
    assert not torch.equal(model(known), model(unknown))
    model(unknown).sum().backward()
    assert first.grad[:, 32].abs().sum() > 0


def test_tables_of_numbers_or_of_categories_alone():
    x = rows()
    numbers = made(category_sizes=[])
    assert numbers({**x, "categories": x["categories"][:, :0]}).shape == (7, 3, N_OUT)
    categories = made(n_in=0, quantiles=torch.zeros(0, 49))
    assert categories({**x, "numbers": x["numbers"][:, :0]}).shape == (7, 3, N_OUT)


def test_an_offset_is_added_to_the_first_number_of_each_target():
    model, x = made().eval(), rows()
    offset = torch.arange(7.0)[:, None]
    wanted = model(x).unflatten(-1, (2, 2)).clone()
    wanted[..., 0] += offset[:, None]
    assert torch.allclose(model(x | {"offset": offset}), wanted.flatten(-2))


def test_half_precision():
    with torch.autocast("cpu", torch.bfloat16):
        assert made()(rows()).isfinite().all()


def test_sizes_are_checked():
    for wrong in ({"members": 0}, {"dropout": 1.0}, {"width": 0}, {"embedded": 0}):
        with pytest.raises(BadInput, match="model=tabm"):
            made(**wrong)
