"""All costs of embeddings at their limits: nothing to compare, one point, duplicates, bf16; what they read out."""

import math

import numpy as np
import pytest
import torch

from dlthink.errors import BadInput
from dlthink.false_accept_rate import allowed
from dlthink.losses.embeddings._collapse import effective_rank, mean_cosine
from dlthink.losses.embeddings._distances import root, squared
from dlthink.losses.embeddings._mining import drawn
from dlthink.losses.embeddings._threshold import _some, most_accurate, threshold
from tests.losses.embeddings.triplet_loops import COSTS, DIM, build, sample, total

DRAWING = {"random", "oasis", "distance_weighted"}  # costs that draw their pairs by chance

PAIRS_ONLY = {"positives_only", "contrastive"}  # one identity alone already means something to them


def slope(name, out, y):
    """The cost's value and gradient in float32."""
    out = out.clone().requires_grad_()
    cost = total(build(name, out.shape[1], torch.float32), out, y)
    assert cost.dtype == torch.float32 and cost.requires_grad
    cost.backward()
    return float(cost.detach()), out.grad


@pytest.mark.parametrize("name", [name for name in COSTS if name != "arcface"])
def test_a_batch_without_a_triplet_costs_nothing(name):
    for people in ([0, 1, 2, 3], [0, 1], [0, 0, 0, 0], [0, 0], [0]):
        y = torch.tensor(people, dtype=torch.long)
        value, grad = slope(name, torch.randn(len(y), DIM), y)
        assert bool(grad.isfinite().all()), people
        if name not in PAIRS_ONLY:
            assert value == 0 and not bool(grad.any()), people


@pytest.mark.parametrize("name", list(COSTS))
def test_all_equal_embeddings_have_a_finite_slope(name):
    value, grad = slope(name, torch.ones(8, DIM), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]))
    assert math.isfinite(value) and bool(grad.isfinite().all())
    assert float(grad.abs().max()) < 100


@pytest.mark.parametrize("name", list(COSTS))
def test_the_same_photo_twice_has_a_finite_slope(name):
    """Under one name, and under two."""
    out, y = sample(dtype=torch.float32)
    out = out.detach().clone()
    out[3], out[2], out[4] = out[1], out[0], 7 * out[0]
    value, grad = slope(name, out, y)
    assert math.isfinite(value) and bool(grad.isfinite().all())
    assert float(grad.abs().max()) < 100


@pytest.mark.parametrize("name", list(COSTS))
def test_outputs_of_any_length(name):
    given, y = sample(dtype=torch.float32)
    for length in (0.0, 1e-20, 1e-7, 1e15):
        out = given.detach().clone()
        out[:3] *= length
        value, grad = slope(name, out, y)
        assert math.isfinite(value) and bool(grad.isfinite().all()), length
        assert float(grad.abs().max()) < 1e8, length  # a cost's slope, over the least length


@pytest.mark.parametrize("name", list(COSTS))
def test_half_precision_is_widened(name):
    out, y = sample(dtype=torch.float32)
    half = out.detach().bfloat16().requires_grad_()
    loss = build(name, dtype=torch.float32)
    torch.manual_seed(0)
    cost = total(loss, half, y)
    torch.manual_seed(0)
    same = total(loss, half.detach().float(), y)
    cost.backward()
    assert cost.dtype == torch.float32 and float(cost.detach()) == float(same.detach())
    assert half.grad.dtype == torch.bfloat16 and bool(half.grad.isfinite().all())
    assert loss.predict(half.detach())["embedding"].dtype == torch.float32


@pytest.mark.parametrize("name", [name for name in COSTS if name not in DRAWING])
def test_float32_is_near_float64(name):
    (out, y), (narrow, wide) = (
        sample(dtype=torch.float32),
        (build(name, dtype=t) for t in (torch.float32, torch.double)),
    )
    wide.load_state_dict(narrow.state_dict())
    assert float(total(narrow, out, y).detach()) == pytest.approx(
        float(total(wide, out.double(), y).detach()), rel=1e-5
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("name", list(COSTS))
def test_no_cost_waits_for_the_device(name):
    out, y = sample(dtype=torch.float32)
    loss, out, y = build(name, dtype=torch.float32).cuda(), out.detach().cuda().requires_grad_(), y.cuda()
    expected = total(loss, out, y)
    torch.cuda.set_sync_debug_mode("error")
    try:
        cost = total(loss, out, y)
        cost.backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    if name not in DRAWING:
        torch.testing.assert_close(cost, expected)
        torch.testing.assert_close(cost.cpu(), total(loss.cpu(), out.cpu(), y.cpu()))


@pytest.mark.parametrize("name", list(COSTS))
def test_what_is_read_out(name):
    out, y = sample(dtype=torch.float32)
    loss = build(name, dtype=torch.float32)
    assert loss.targets == {"identities"} and loss.outputs_per_target == DIM
    predicted = loss.predict(out.detach())
    torch.testing.assert_close(predicted["embedding"].norm(dim=1), torch.ones(len(y)))
    assert predicted["threshold"].ndim == 0
    seen = loss.watch(out, y)
    assert all(value.ndim == 0 and not value.requires_grad for value in seen.values())
    assert loss.remark({key: float(value) for key, value in seen.items()}) is None
    assert loss.load_state_dict(loss.state_dict())


# ------------------------------------------------------------------------------------------------------- threshold


def brute(e, y, far):
    """Sorted distances of different people, and how many may be accepted."""
    d = [float((e[i] - e[j]).square().sum()) for i in range(len(y)) for j in range(i) if y[i] != y[j]]
    return np.sort(d), math.floor(far * len(d) + 1e-6)


@pytest.mark.parametrize("far", [1e-3, 1e-2, 0.1, 0.5])
@pytest.mark.parametrize("chunk", [7, 64, 512])
def test_threshold_is_the_largest_that_keeps_the_rate(far, chunk):
    g = torch.Generator().manual_seed(0)
    e = torch.nn.functional.normalize(torch.randn(60, DIM, generator=g, dtype=torch.float64))
    y = torch.randint(9, (60,), generator=g)
    d, accepted = brute(e, y, far)
    t = float(threshold(e, y, far, chunk=chunk))
    assert (d <= t).sum() == accepted
    assert t == pytest.approx(d[accepted], abs=5e-7)  # just below the first pair that must not be accepted
    assert t < float(threshold(e, y, min(0.99, 2 * far + 0.01)))


def test_threshold_with_ties_keeps_the_rate():
    axes = torch.cat([torch.eye(3), -torch.eye(3)])
    e, y = axes.repeat(3, 1), torch.arange(18) // 2
    d, accepted = brute(e, y, 0.3)
    assert d[0] == 0 and d[accepted] == 2.0  # of the many pairs at 2 some would have to be accepted, some not
    t = float(threshold(e, y, 0.3))
    assert 0 < t < 2
    assert float(threshold(e, y, 1e-3)) < 0  # two people share a photo: one accept is already too many
    assert float(threshold(e, y, 1.0)) == 4


@pytest.mark.parametrize("far, pairs, k", [(0.01, 300, 3), (0.29, 2900, 841), (0.1 - 1e-12, 10, 0), (0.7, 10, 7)])
def test_a_rate_is_kept_to_the_pair(far, pairs, k):
    assert allowed(far, pairs) == k


def test_no_rounding_accepts_the_pair_that_was_refused():
    """Distances in float32, by products, in float64, and on the examination's grid."""
    g = torch.Generator().manual_seed(5)
    y = torch.arange(40).repeat_interleave(3)
    for _ in range(20):
        e = torch.nn.functional.normalize(torch.randn(1, 16, generator=g) + 0.1 * torch.randn(120, 16, generator=g))
        different = (y[:, None] != y) & torch.ones(120, 120).triu(1).bool()
        t = threshold(e, y, 0.01).float()
        d = torch.cdist(e.double(), e.double()).square()[different]
        rounded = ((d * 2**22).round() / 2**22).float()
        for seen in (d, rounded):
            assert (seen <= t).sum() <= allowed(0.01, len(d))


@pytest.mark.parametrize("sizes", [[2] * 60, [3] * 30 + [1] * 10, [500, 500], [500] + [2] * 20], ids=str)
def test_of_many_photos_some_of_each_person_stand_for_all(sizes):
    """Both kinds of pairs are there, however the photos are spread over people."""
    g = torch.Generator().manual_seed(1)
    y = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    centre = torch.randn(len(sizes), DIM, generator=g)
    e = torch.nn.functional.normalize(centre[y] + 0.3 * torch.randn(len(y), DIM, generator=g))
    few, who = _some(e, y, 40)
    assert len(few) == len(who) == 40
    assert who.unique(return_counts=True)[1].max() > 1 and len(who.unique()) > 1
    if len(sizes) == 21:
        assert len(who.unique()) == 20, "nobody's many photos take the place of other people"
    t, best = threshold(e, y, 0.1, most=40), most_accurate(e, y, most=40)
    assert 0 < float(t) <= 4 and 0 < float(best) < 4
    assert torch.equal(_some(e, y, 40)[0], few), "the same each time"


@pytest.mark.parametrize("name", ["semi_hard", "oasis"])
def test_fit_on_validation_keeps_the_threshold_in_the_checkpoint(name):
    out, y = sample(dtype=torch.float32)
    loss = build(name, dtype=torch.float32, false_accept_rate=0.1)
    loss.fit_on_validation(out.detach(), y)
    t = float(loss.predict(out.detach())["threshold"])
    assert t == float(threshold(loss.embed(out.detach()).detach(), y, 0.1).float()) > 0
    fresh = build(name, dtype=torch.float32)
    fresh.load_state_dict(loss.state_dict())
    assert float(fresh.threshold) == t
    loss.fit_on_validation(out.detach(), torch.zeros_like(y))  # one person: nothing to learn a threshold from
    assert float(loss.threshold) == t


# -------------------------------------------------------------------------------------------------- what it is made of


def test_effective_rank_of_known_spectra():
    assert float(effective_rank(torch.ones(20, 8))) == pytest.approx(1, abs=1e-3)
    assert float(effective_rank(torch.eye(8).repeat(3, 1))) == pytest.approx(8, rel=1e-5)
    assert float(effective_rank(torch.cat([torch.eye(8)[:1], -torch.eye(8)[:1]]))) == pytest.approx(1, abs=1e-5)
    a = torch.randn(30, 6, dtype=torch.float64)
    p = np.linalg.svd(a.numpy(), compute_uv=False)
    p /= p.sum()
    assert float(effective_rank(a)) == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-9)
    assert float(effective_rank(torch.zeros(4, 3))) == 1


def test_mean_cosine_is_that_of_all_pairs():
    e = torch.nn.functional.normalize(torch.randn(15, 4, dtype=torch.float64))
    slow = np.mean([float(e[i] @ e[j]) for i in range(15) for j in range(15) if i != j])
    assert float(mean_cosine(e)) == pytest.approx(slow, rel=1e-9)
    assert math.isnan(mean_cosine(e[:1]))


def test_distances():
    e = torch.nn.functional.normalize(torch.randn(40, 128))
    d = squared(e)
    torch.testing.assert_close(d.double(), torch.cdist(e.double(), e.double()).square(), rtol=0, atol=2e-6)
    assert not bool(d.diagonal().any()) and float(d.min()) == 0
    near = torch.tensor([0.0, 1e-12, 1e-6, 4.0], requires_grad=True)
    root(near).sum().backward()
    assert near.grad.tolist() == pytest.approx([0, 0, 500, 0.25])


def test_photos_are_drawn_by_their_weights():
    weights = torch.tensor([[0.0, 1.0, 0.0, 3.0, 0.0], [2.0, 0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    torch.manual_seed(0)
    index = drawn(weights, 20000)
    assert int(index.max()) < 5
    for row, expected in ((0, [0, 0.25, 0, 0.75, 0]), (1, [0.5, 0, 0, 0, 0.5])):
        share = (index[row].bincount(minlength=5) / 20000).tolist()
        assert share == pytest.approx(expected, abs=0.02)
        assert [s == 0 for s in share] == [e == 0 for e in expected]


def test_a_photo_of_weight_0_is_not_drawn_by_the_least_nor_the_largest_chance(monkeypatch):
    weights = torch.tensor([[0.0, 0.1, 0.7, 0.0]])
    for chance, expected in ((0.0, 1), (1.0, 2)):
        monkeypatch.setattr(torch, "rand", lambda *shape, chance=chance, **how: torch.full(shape, chance, **how))
        assert drawn(weights, 1).tolist() == [[expected]]


def test_near_a_collapse_distances_keep_their_differences():
    e = torch.nn.functional.normalize(1 + 1e-3 * torch.randn(50, 128, generator=torch.Generator().manual_seed(0)))
    slow = (e.double()[:, None] - e.double()).square().sum(2)
    torch.testing.assert_close(squared(e).double(), slow, rtol=1e-4, atol=1e-12)


def test_refused():
    with pytest.raises(BadInput, match=r"loss\.dim"):
        build("semi_hard", 1)
    for far in (0.0, 1.0):
        with pytest.raises(BadInput, match=r"loss\.false_accept_rate"):
            build("semi_hard", false_accept_rate=far)


def score(d, same, t):
    """What `most_accurate` makes largest."""
    return float((d[same] <= t).double().mean() + (d[~same] > t).double().mean())


@pytest.mark.parametrize("n, people", [(4, 2), (6, 3), (9, 3), (12, 4), (39, 13)])
def test_the_most_accurate_threshold_makes_the_fewest_mistakes(n, people):
    """Few pairs have several optima apart: what lies between them may be far worse than each."""
    g = torch.Generator().manual_seed(3)
    y = torch.arange(people).repeat_interleave(n // people)
    upper = torch.ones(n, n).triu(1).bool()
    same = (y[:, None] == y[None])[upper]
    for _ in range(60 if n < 20 else 8):
        centre = torch.randn(people, 6, generator=g)
        e = torch.nn.functional.normalize(centre[y] + 0.8 * torch.randn(n, 6, generator=g), dim=1)
        d = (e[:, None] - e[None]).double().square().sum(-1)[upper]
        best = max(score(d, same, t) for t in [-1.0, *d.tolist()])
        for chunk in (7, 512):
            assert score(d, same, float(most_accurate(e, y, chunk=chunk))) == pytest.approx(best)
    assert most_accurate(e, torch.zeros_like(y)) is None and most_accurate(e, torch.arange(n)) is None


def test_where_strangers_are_nearer_nothing_is_accepted():
    e = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    assert float(most_accurate(e, torch.tensor([0, 0, 1, 1]))) < 0


def test_pairs_as_far_apart_are_accepted_together():
    angle = torch.tensor([0.0, 0.3, 0.6])
    e = torch.stack([angle.cos(), angle.sin()], 1)
    near, far = 2 - 2 * math.cos(0.3), 2 - 2 * math.cos(0.6)
    # 0 and 1 are one person, 1 and 2 two and just as far: both or none, up to the middle of the gap behind them
    assert float(most_accurate(e, torch.tensor([0, 0, 1]))) == pytest.approx((near + far) / 2, abs=1e-5)
