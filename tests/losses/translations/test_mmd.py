"""`dlthink.losses.translations._mmd`: MMD against KID and its gradient; what is remembered."""

import numpy as np
import pytest
import torch

from dlthink.losses.translations._mmd import MADE, MMD, REAL
from dlthink.metrics.translations.kid import kids


def features(n, seed, d=7, shift=0.0):
    """Pooled features are not below 0, and far from it where a channel often speaks."""
    g = torch.Generator().manual_seed(seed)
    return (torch.randn(n, d, generator=g, dtype=torch.float64) + 1 + shift).relu()


def remembering(made, real):
    cost = MMD()
    cost.made, cost.real = made, real
    return cost


def test_the_gradient_is_that_of_kid():
    made, real = features(9, 0).requires_grad_(), features(14, 1, shift=0.3)
    k = lambda a, b: (a @ b / len(a) + 1) ** 3  # noqa: E731
    pairs = [k(made[i], made[j]) for i in range(9) for j in range(9) if i != j]
    across = [k(f, r) for f in made for r in real]
    squared = 100 * (sum(pairs) / len(pairs) - 2 * sum(across) / len(across))
    (expected,) = torch.autograd.grad(squared, made)
    for i in range(9):  # every photo set against all others
        others = torch.cat([made[:i], made[i + 1 :]]).detach()
        photo = made[i : i + 1].detach().requires_grad_()
        remembering(others, real)(photo, real[:0]).backward()
        assert torch.allclose(photo.grad[0] / 9, expected[i], rtol=1e-12)


def test_its_value_is_kid_on_average():
    made, real = features(400, 0), features(300, 1, shift=0.6)
    g = torch.Generator().manual_seed(2)
    some = lambda x, n: x[torch.randperm(len(x), generator=g)[:n]]  # noqa: E731
    values = []
    for _ in range(2000):
        drawn = some(made, 41)
        values.append(remembering(drawn[:40], some(real, 40))(drawn[40:], real[:0]).item())
    expected = kids(made.numpy(), real.numpy(), 0)[0]
    error = np.std(values) / len(values) ** 0.5
    assert abs(np.mean(values) - expected) < 4 * error and expected > 15 * error


def test_the_latest_stand_for_all():
    made, real = features(MADE + 3, 0), features(REAL + 3, 1)
    cost = MMD()
    for i in range(2):
        photo = made[i : i + 1].clone().requires_grad_()
        value = cost(photo, real[i : i + 1])
        value.backward()
        assert value == 0 and (photo.grad == 0).all(), "of one photo there are no pairs"
    for i in range(2, len(made)):
        value = cost(made[i : i + 1], real[i : i + 1])
        again = remembering(made[:i][-MADE:], real[:i][-REAL:])(made[i : i + 1], real[i : i + 1])
        assert value.item() == pytest.approx(again.item(), rel=1e-12) and value != 0
    for i in range(len(made), len(real)):
        cost(made[-1:], real[i : i + 1])
    assert cost.made.equal(made[-1:].expand(MADE, -1)) and cost.real.equal(real[3:])


def test_a_large_batch_is_set_against_those_before_it_and_its_last_remembered():
    made, real = features(2 * MADE + 5, 0), features(REAL + 5, 1)
    cost = remembering(made[:MADE], real[:9])
    value = cost(made[MADE:], real)
    others = [remembering(made[:MADE], real[-REAL:])(photo[None], real[:0]).item() for photo in made[MADE:]]
    assert value.item() == pytest.approx(sum(others) / len(others), rel=1e-9)
    assert cost.made.equal(made[-MADE:]) and cost.real.equal(real[-REAL:])


def test_the_state_is_all_there_is():
    cost, made, real = MMD(), features(6, 0), features(6, 1)
    cost(made[:4].requires_grad_(), real[:4])
    assert not cost.made.requires_grad
    again = MMD()
    again.load_state_dict(cost.state_dict())
    once = cost(made[4:], real[4:])
    assert once != 0 and again(made[4:], real[4:]) == once, "what was saved is not changed later"
