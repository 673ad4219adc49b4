"""Fingerprints, nearest neighbours and boosted trees on them, beside rdkit, slow loops and scikit-learn."""

import math

import numpy as np
import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from rdkit import DataStructs  # noqa: E402
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator  # noqa: E402

from dlthink.data.molecules.boosting import LEAST, Boosting  # noqa: E402
from dlthink.data.molecules.features.fingerprints import bits, fingerprints, nearest  # noqa: E402
from dlthink.data.molecules.neighbours import BINS, NEIGHBOURS, Neighbours  # noqa: E402
from tests.data.molecules.made_shifts import EVERY  # noqa: E402

MOLECULES = [Chem.MolFromSmiles(text) for text in EVERY]
PRINTS = fingerprints(MOLECULES)
Y = torch.tensor([[m.GetNumHeavyAtoms() + 0.1 * (i % 7), float(i % 5)] for i, m in enumerate(MOLECULES)])


@pytest.fixture(scope="module")
def similarity():
    own = [GetMorganGenerator(radius=2, fpSize=2048).GetFingerprint(m) for m in MOLECULES]
    return torch.tensor([DataStructs.BulkTanimotoSimilarity(one, own) for one in own])


def test_bits_are_those_of_rdkit():
    own = [GetMorganGenerator(radius=2, fpSize=2048).GetFingerprint(m) for m in MOLECULES]
    assert [set(row.nonzero()[:, 0].tolist()) for row in bits(PRINTS)] == [set(one.GetOnBits()) for one in own]


@pytest.mark.parametrize("itself", [False, True])
def test_similarity_is_tanimoto(similarity, itself):
    found, places = nearest(PRINTS, PRINTS, 4, itself)
    slow = similarity.clone()
    if itself:
        slow.fill_diagonal_(-1)
        assert not (places == torch.arange(len(places))[:, None]).any()
    torch.testing.assert_close(found, slow.sort(1, descending=True).values[:, :4])
    torch.testing.assert_close(slow.gather(1, places), found)


def test_nothing_in_common_is_similarity_zero():
    nothing = torch.zeros(1, PRINTS.shape[1], dtype=torch.uint8)
    assert nearest(nothing, nothing, 3)[0].tolist() == [[0.0]]
    read = Neighbours.fit(PRINTS, Y).predict(nothing)
    assert read["mean"].isfinite().all() and read["std"].isfinite().all()


def test_the_look_up_by_a_slow_loop(similarity):
    known = torch.arange(0, len(Y), 2)
    y = Y.clone()
    y[::6, 1] = math.nan
    lookup = Neighbours.fit(PRINTS[known], y[known])
    read = lookup.predict(PRINTS[1::2])
    for row, molecule in enumerate(range(1, len(Y), 2)):
        for target in (0, 1):
            have = [i for i in known.tolist() if not math.isnan(y[i, target])]
            top = sorted(have, key=lambda i: -similarity[molecule, i])[:NEIGHBOURS]
            last = similarity[molecule, top[-1]]
            if sum(bool(similarity[molecule, i] == last) for i in have) > 1:
                continue  # equally near: either will do
            weights = [float(similarity[molecule, i]) ** 4 for i in top]
            slow = sum(w * float(y[i, target]) for w, i in zip(weights, top, strict=True)) / sum(weights)
            assert float(read["mean"][row, target]) == pytest.approx(slow, rel=1e-4)


def test_its_spread_is_the_error_at_that_similarity():
    lookup = Neighbours.fit(PRINTS, Y)
    assert lookup.ends.shape == (2, BINS - 1) and bool((lookup.ends.diff(dim=1) >= 0).all())
    assert lookup.std[0, -1] < lookup.std[0, 0]  # nearer neighbours, smaller errors
    read = lookup.predict(PRINTS)
    assert {*read["std"][:, 0].tolist()} <= {*lookup.std[0].tolist()}
    few = Neighbours.fit(PRINTS[:4], Y[:4]).predict(PRINTS)
    assert few["std"].isfinite().all() and bool((few["std"] > 0).all())


def test_the_look_up_is_the_same_from_its_state():
    lookup = Neighbours.fit(PRINTS, Y)
    again = Neighbours(**lookup.state()).predict(PRINTS)
    assert all(torch.equal(values, again[name]) for name, values in lookup.predict(PRINTS).items())


def test_trees_are_those_of_scikit_learn():
    """Of molecules of which some have no value."""
    ensemble = pytest.importorskip("sklearn.ensemble")
    y, ties = Y[:, :1].clone(), torch.arange(len(Y)) * 7
    y[::9] = math.nan
    boosting = Boosting.fit(PRINTS, y, ties)
    read = boosting.predict(PRINTS)
    known = ~y[:, 0].isnan()
    x, values = bits(PRINTS[known]).numpy(), y[known, 0].double().numpy()

    def fitted(x, values):
        settings = {"max_bins": 2, "min_samples_leaf": LEAST, "random_state": 0}
        return ensemble.HistGradientBoostingRegressor(**settings).fit(x, values)

    expected = fitted(x, values).predict(bits(PRINTS).numpy())
    np.testing.assert_allclose(read["mean"][:, 0], expected, rtol=1e-5, atol=1e-5)
    fold, residual = ties[known].numpy() % 5, np.empty(len(x))
    for k in range(5):
        residual[fold == k] = values[fold == k] - fitted(x[fold != k], values[fold != k]).predict(x[fold == k])
    np.testing.assert_allclose(read["std"][:, 0], np.sqrt(np.mean(residual**2)), rtol=1e-5)
    assert read["mean"][:, 0].std() > 1  # they have learned something
    (plain,) = boosting.state()
    expected = {"start": float, "std": float, "nodes": torch.Tensor, "roots": torch.Tensor}
    assert {name: type(value) for name, value in plain.items()} == expected


def test_a_stranger_s_tree_ends():
    """It would go round for ever: a node that is its own child, and two that are each other's."""
    tree = torch.tensor([[0.0, 3, 0.5, 1, 2], [0.0, -1, 0, 0, 0], [0.0, 2, 0.5, 3, 1], [1.0, -1, 0, 0, 0]])
    state = {"start": 0.0, "std": 1.0, "roots": torch.tensor([0])}
    for nodes in (tree, tree[[0, 1, 2]].clone().index_fill_(0, torch.tensor([2]), 0.0)):
        with pytest.raises(ValueError, match="circle"):
            Boosting([state | {"nodes": nodes}])
    tree[2, 4] = 3
    assert Boosting([state | {"nodes": tree}]).predict(PRINTS)["mean"].unique().tolist() == [0.0, 1.0]


@pytest.mark.parametrize("y", [Y[:10, :1], torch.full((len(Y), 1), 3.0)])
def test_trees_of_too_little_say_a_constant(y):
    pytest.importorskip("sklearn")
    read = Boosting.fit(PRINTS[: len(y)], y, torch.arange(len(y))).predict(PRINTS)
    torch.testing.assert_close(read["mean"], y.mean().expand(len(Y), 1))
    assert bool((read["std"] > 0).all())
