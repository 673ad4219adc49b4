"""Networks that read windows read rows of tables, too: numbers, categories, an offset."""

import pytest
import torch

from dlthink.models._row import EMBEDDED, Categories, Flat, with_offset
from dlthink.models.ensemble import Ensemble
from dlthink.models.glm import GLM
from dlthink.models.mlp import MLP

SIZES, N_IN, N_OUT = [3, 5], 2, 4
MODELS = {"glm": GLM, "mlp": MLP, "ensemble": lambda **facts: Ensemble(lambda: MLP(**facts), facts["n_out"], 2)}


def rows(n=7):
    codes = torch.stack([torch.arange(n) % size for size in SIZES], 1).int()
    return {"numbers": torch.randn(n, N_IN, generator=torch.Generator().manual_seed(1)), "categories": codes}


def made(name, sizes=SIZES):
    torch.manual_seed(0)
    return MODELS[name](n_in=N_IN, n_out=N_OUT, category_sizes=sizes, n_targets=2)


@pytest.mark.parametrize("name", MODELS)
def test_shape_gradients_and_offset(name):
    model, x = made(name), rows()
    out = model(x)
    assert out.shape == (7, 2, N_OUT) if name == "ensemble" else out.shape == (7, N_OUT)
    out.square().sum().add(out.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    offset = torch.arange(7.0)[:, None]
    more = model(x | {"offset": offset}) - out
    shift = offset[:, None] if name == "ensemble" else offset
    for column in range(N_OUT):  # two targets of two numbers each
        assert torch.allclose(more[..., column : column + 1], shift if column % 2 == 0 else 0 * shift, atol=1e-5)


def test_a_glm_has_a_weight_for_each_category():
    model = made("glm")
    assert torch.equal(model(rows()), torch.zeros(7, N_OUT))
    assert model.categories.vectors.weight.shape == (sum(SIZES), N_OUT)
    with torch.no_grad():
        model.categories.vectors.weight.copy_(torch.arange(8.0)[:, None].expand(-1, N_OUT))
    codes = rows()["categories"]
    assert torch.equal(model(rows())[:, 0], codes[:, 0] + 3.0 + codes[:, 1])


def test_vectors_of_categories_equal_a_slow_loop_and_code_0_is_nothing():
    vectors = Categories(SIZES, 6)
    codes = torch.tensor([[0, 4], [2, 0]])
    table = vectors.vectors.weight
    assert torch.equal(vectors(codes)[0, 1], table[3 + 4]) and torch.equal(vectors(codes)[1, 0], table[2])
    assert torch.equal(vectors(codes)[0, 0], torch.zeros(6)) and torch.equal(vectors(codes)[1, 1], torch.zeros(6))


def test_a_window_is_as_flat_as_before():
    x = torch.randn(5, 4, 3)
    assert torch.equal(Flat(3, 4)(x), x.flatten(1)) and Flat(3, 4).width == 12
    flat = Flat(N_IN, category_sizes=SIZES)
    assert flat(rows()).shape == (7, flat.width) == (7, N_IN + 2 * EMBEDDED)


def test_without_an_offset_nothing_is_touched():
    out = torch.randn(3, 4)
    assert with_offset(out, torch.zeros(3, 1, 2), 2) is out and with_offset(out, rows(3), 2) is out
