"""Baselines: learned from training rows alone, against closed forms and scikit-learn itself."""

import numpy as np
import pytest
import torch

from dlthink.data.tables.baselines import Training
from dlthink.data.tables.preparation import Features
from dlthink.data.tables.row_hash import mixed

SIZES = [3]


def features(n, seed):
    rng = np.random.default_rng(seed)
    numbers = torch.from_numpy(rng.normal(size=(n, 2)).astype(np.float32))
    return Features(numbers, torch.from_numpy(rng.integers(0, 3, (n, 1)).astype(np.int32)))


def training(y, x, names, **more):
    ties = mixed(np.arange(len(y), dtype=np.uint64)).view(np.int64)
    return Training(x, torch.as_tensor(y, dtype=torch.float32), ties, SIZES, names, **more)


def truth(x):
    return 1 + 2 * x.numbers[:, 0] - x.numbers[:, 1] + 3 * (x.categories[:, 0] == 2)


def test_constant_is_mean_and_spread_of_what_is_known():
    y = np.array([[1.0, 5.0], [3.0, np.nan], [5.0, 5.0]])
    read = training(y, features(3, 0), ["constant"]).of_reals(features(4, 1))["constant"]
    assert torch.allclose(read["mean"], torch.tensor([3.0, 5.0]).expand(4, 2))
    assert torch.allclose(read["std"], torch.tensor([np.std([1, 3, 5]), 1.0]).float().expand(4, 2))


def test_linear_finds_lines_and_categories_and_its_spread_is_of_held_out_rows():
    x, rng = features(400, 0), np.random.default_rng(1)
    y = truth(x).numpy()[:, None] + 0.5 * rng.normal(size=(400, 1))
    new = features(50, 2)
    read = training(y, x, ["linear"]).of_reals(new)["linear"]
    assert torch.allclose(read["mean"][:, 0], truth(new), atol=0.3)
    assert read["std"].unique().item() == pytest.approx(0.5, rel=0.1)


def test_boosting_is_that_of_scikit_learn_and_its_spread_is_not_that_of_its_training_rows():
    from sklearn.ensemble import HistGradientBoostingRegressor

    x, rng = features(300, 0), np.random.default_rng(1)
    y = np.sin(2 * truth(x).numpy()) + rng.normal(size=300)
    new = features(50, 2)
    read = training(y[:, None], x, ["boosting"]).of_reals(new)["boosting"]
    matrix = [np.concatenate([one.numbers.numpy(), one.categories.numpy()], 1) for one in (x, new)]
    own = HistGradientBoostingRegressor(categorical_features=[2], random_state=0).fit(matrix[0], y.astype(np.float32))
    assert np.allclose(read["mean"][:, 0], own.predict(matrix[1]), atol=1e-5)
    assert read["std"][0, 0] > 1.2 * np.std(y - own.predict(matrix[0]))
    assert read["std"][0, 0] == pytest.approx(1.0, abs=0.35)


def test_counts_by_the_rate_of_their_exposure():
    x, rng = features(2000, 0), np.random.default_rng(1)
    exposure = rng.gamma(2, 1, 2000) + 0.1
    rate = np.exp(0.3 * x.numbers[:, 0].numpy() + 0.7 * (x.categories[:, 0] == 1).numpy())
    y = rng.poisson(rate * exposure)[:, None]
    made = training(y, x, ["constant", "linear", "boosting"], exposure=exposure)
    new = features(40, 2)
    read = made.of_counts(new, np.full(40, 2.0))
    assert torch.allclose(read["constant"]["rate"], torch.full((40, 1), 2 * float(y.sum() / exposure.sum())))
    wanted = 2 * np.exp(0.3 * new.numbers[:, 0].numpy() + 0.7 * (new.categories[:, 0] == 1).numpy())
    assert np.allclose(read["linear"]["rate"][:, 0], wanted, rtol=0.2)
    assert np.corrcoef(read["boosting"]["rate"][:, 0], wanted)[0, 1] > 0.8


def test_few_rows_and_targets_that_never_change_give_the_mean():
    read = training(np.ones((30, 1)), features(30, 0), ["boosting"]).of_reals(features(3, 1))["boosting"]
    assert read["mean"].tolist() == [[1.0]] * 3 and read["std"].tolist() == [[1.0]] * 3
    assert training([[1.0], [3.0]], features(2, 0), ["linear"]).of_reals(features(1, 1))["linear"]["mean"].item() == 2
