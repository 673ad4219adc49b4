"""`oasis` against a loop, and its passive-aggressive step against the paper's algorithm in numpy."""

import numpy as np
import pytest
import torch

from dlthink.losses.embeddings import oasis as module
from tests.losses.embeddings.triplet_loops import DIM, Recorded, build, check, mean, points, sample, total


def with_similarity(w):
    loss = build("oasis", len(w))
    with torch.no_grad():
        loss.similarity.copy_(w)
    return loss


def matrix(seed=0):
    return torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_loop(monkeypatch, seed):
    record, loss, (out, y) = Recorded(monkeypatch, module), with_similarity(matrix(seed)), sample(seed)
    cost = total(loss, out, y)
    e, w = points(out), loss.similarity
    hinges = [1 - e[a] @ w @ e[p] + e[a] @ w @ e[n] for a, p, n in record.by_pair(y)]
    assert all(y[a] != y[n] for a, _, n in record.by_pair(y)) and min(hinges) < 0 < max(hinges)
    check(cost, mean([torch.relu(hinge) for hinge in hinges]), out, w)


def test_the_similarity_starts_as_the_cosine():
    assert torch.equal(build("oasis").similarity.detach(), torch.eye(DIM).double())


@pytest.mark.parametrize("aggressiveness", [0.02, 0.1, 100.0])
def test_passive_aggressive_is_the_papers_algorithm(aggressiveness):
    rng = np.random.default_rng(0)
    loss, w = build("oasis"), np.eye(DIM)
    kinds = set()
    for _ in range(60):
        a, p, n = rng.normal(size=(3, DIM))
        before = max(0.0, 1 - a @ w @ p + a @ w @ n)
        v = np.stack([a_i * (p - n) for a_i in a])  # row i: a_i (p - n)
        step = min(aggressiveness, before / np.linalg.norm(v) ** 2)
        w = w + step * v
        said = loss.passive_aggressive(*map(torch.from_numpy, (a, p, n)), aggressiveness=aggressiveness)
        assert said == pytest.approx(before, rel=1e-9)
        np.testing.assert_allclose(loss.similarity.detach().numpy(), w, rtol=1e-9, atol=1e-12)
        kinds.add("passive" if before == 0 else "bounded" if step == aggressiveness else "exact")
        if 0 < step < aggressiveness:  # then this triplet is ranked by exactly 1
            assert a @ w @ (p - n) == pytest.approx(1.0)
    assert kinds == {"passive", "bounded", "exact"} if aggressiveness < 1 else {"passive", "exact"}


def test_its_step_goes_down_the_hinge():
    a, p, n = torch.randn(3, DIM, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    loss = build("oasis")
    (slope,) = torch.autograd.grad(1 - a @ loss.similarity @ (p - n), loss.similarity)
    start = loss.similarity.detach().clone()
    assert loss.passive_aggressive(a, p, n) > 0
    moved = (loss.similarity - start).detach()
    torch.testing.assert_close(moved / moved.norm(), -slope / slope.norm())


def test_two_photos_alike_teach_nothing():
    loss, a = build("oasis"), torch.randn(DIM, dtype=torch.float64)
    assert loss.passive_aggressive(a, a, a) == 1
    assert torch.equal(loss.similarity.detach(), torch.eye(DIM).double())


def test_what_is_read_out_follows_the_positive_part():
    w, (out, y) = matrix(3), sample()
    loss = with_similarity(w)
    e, predicted = torch.stack(points(out.detach())), loss.predict(out.detach())["embedding"]
    values, vectors = np.linalg.eigh(((w + w.T) / 2).numpy())
    assert values.min() < 0 < values.max()
    positive = torch.from_numpy(vectors @ np.diag(values.clip(0)) @ vectors.T)
    s = e @ positive @ e.T
    torch.testing.assert_close(predicted @ predicted.T, s / s.diagonal().sqrt() / s.diagonal().sqrt()[:, None])
    kept = build("oasis").predict(out.detach())["embedding"]
    torch.testing.assert_close(kept @ kept.T, e @ e.T)  # W = I: distances as they were
    assert set(loss.watch(out, y)) == {"mean_cosine", "effective_rank"}
