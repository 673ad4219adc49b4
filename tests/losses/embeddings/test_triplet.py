"""`triplet` against loops over triplets: every mining, both clamps, ties, warm-up, its collapse."""

import io
import math

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.losses.embeddings import _all_triplets, triplet
from dlthink.losses.embeddings.triplet import Triplet
from tests.losses.embeddings.triplet_loops import (
    DIM,
    Recorded,
    apart,
    build,
    check,
    mean,
    others,
    pairs,
    points,
    sample,
    triplets,
)

MINES = ["semi_hard", "batch_hard", "batch_all", "random"]


def chosen(d, y, mining):
    """The triplets of a mining, by its words. d: a list of lists of numbers."""
    if mining == "batch_all":
        return triplets(y)
    found = []
    for a, p in pairs(y):
        negatives = others(y, a)
        if not negatives:
            continue
        if mining == "batch_hard":
            own = [i for x, i in pairs(y) if x == a]
            hard = (a, max(own, key=lambda i: d[a][i]), min(negatives, key=lambda i: d[a][i]))
            found += [hard] if p == own[0] else []
        else:
            farther = [n for n in negatives if d[a][n] > d[a][p]]
            nearest = min(farther, key=lambda n: d[a][n]) if farther else max(negatives, key=lambda n: d[a][n])
            found.append((a, p, nearest))
    return found


def slowly(out, y, mining, margin=0.2, clamp="inside", which=None):
    """The cost by a loop, with gradient."""
    e = points(out)
    d = [[apart(a, b) for b in e] for a in e]
    which = which or chosen([[float(v.detach()) for v in row] for row in d], y, mining)
    more = [d[a][p] - d[a][n] for a, p, n in which]
    zero = 0 * out.sum()

    def price(x):
        return torch.log1p(x.exp()) if margin is None else torch.maximum(x + margin, zero)

    if clamp == "outside":
        return price(mean(more))
    costs = [price(x) for x in more]
    if mining == "batch_all":
        costs = [cost for cost in costs if cost > 0] or [zero]
    return mean(costs)


@pytest.mark.parametrize("clamp", ["inside", "outside"])
@pytest.mark.parametrize("margin", [0.2, 0.9, None])
@pytest.mark.parametrize("mining", MINES)
@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradient_are_the_loops(monkeypatch, mining, margin, clamp, seed):
    record = Recorded(monkeypatch, triplet)
    out, y = sample(seed)
    cost = Triplet(DIM, mining=mining, margin=margin, clamp=clamp)(out, y)["triplet"]
    which = record.by_pair(y) if mining == "random" else None
    if mining == "random":
        assert all(y[a] != y[n] for a, _, n in which)
    slow = slowly(out, y, mining, margin, clamp, which)
    if float(slow.detach()) == 0:
        assert float(cost.detach()) == 0
        return
    check(cost, slow, out)


def test_the_samples_know_both_rules_of_semi_hard():
    out, y = sample(0)
    d = torch.cdist(*2 * [torch.nn.functional.normalize(out.detach())])
    missing = [not any(d[a, n] > d[a, p] for n in others(y, a)) for a, p in pairs(y)]
    farther = [any(d[a, n] > d[a, p] for n in others(y, a)) for a, p in pairs(y)]
    far_out = torch.tensor([[1.0, 0.0], [-1.0, 0.1], [1.0, 0.3], [1.0, 0.2]], dtype=torch.float64, requires_grad=True)
    people = torch.tensor([0, 0, 1, 1])
    assert any(farther) or any(missing)
    # both negatives are nearer to photo 0 than its own second photo: the farther of the two, photo 2, is taken
    assert (0, 1, 2) in chosen(torch.cdist(*2 * [torch.nn.functional.normalize(far_out.detach())]), people, "semi_hard")
    check(Triplet(2)(far_out, people)["triplet"], slowly(far_out, people, "semi_hard"), far_out)


@pytest.mark.parametrize("margin", [0.2, 2.5, None])
@pytest.mark.parametrize("mining", MINES[:3])
def test_ties_take_the_first_photo_and_an_equal_distance_is_not_farther(mining, margin):
    axes = torch.cat([torch.eye(3), -torch.eye(3)]).double()  # distances exactly 0, 2 and 4; eight: so is the mean
    out = axes[[0, 1, 0, 1, 2, 3, 4, 2]].clone().requires_grad_()
    y = torch.tensor([0, 0, 1, 1, 0, 2, 2, 1])
    check(Triplet(3, mining=mining, margin=margin)(out, y)["triplet"], slowly(out, y, mining, margin), out)


@pytest.mark.parametrize("name", ["semi_hard", "batch_hard", "batch_all", "batch_all_soft", "semi_hard_outside"])
def test_the_order_of_photos_does_not_matter(name):
    loss = build(name, margin=None if "soft" in name else 0.9)
    out, y = sample(4)
    shuffled = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    one, two = (loss(out[i], y[i])["triplet"] for i in (torch.arange(len(y)), shuffled))
    torch.testing.assert_close(one, two)
    torch.testing.assert_close(*(torch.autograd.grad(cost, out)[0] for cost in (one, two)))


@pytest.mark.parametrize("mining", ["semi_hard", "batch_all"])
@pytest.mark.parametrize("margin", [0.2, None])
def test_positives_listed_as_on_a_gpu_give_the_same(monkeypatch, mining, margin):
    loss, (out, y) = Triplet(DIM, mining=mining, margin=margin), sample(5)
    expected = loss(out, y)["triplet"]

    def everybody(same):
        return torch.arange(len(same)).expand(len(same), -1), same

    monkeypatch.setattr(triplet, "partners", everybody)
    monkeypatch.setattr(_all_triplets, "partners", everybody)
    check(loss(out, y)["triplet"], expected, out)


def test_random_depends_on_the_global_generator_alone():
    loss, (out, y) = build("random"), sample()
    torch.manual_seed(1)
    first = [float(loss(out, y)["triplet"].detach()) for _ in range(3)]
    torch.manual_seed(1)
    assert first == [float(loss(out, y)["triplet"].detach()) for _ in range(3)]
    assert len(set(first)) > 1


def test_warm_up_counts_batches_in_training_and_is_in_the_checkpoint():
    out, y = sample()
    loss = Triplet(DIM, mining="batch_hard", warm_up=2)
    semi, hard = (float(Triplet(DIM, mining=m)(out, y)["triplet"].detach()) for m in ("semi_hard", "batch_hard"))
    assert semi != hard

    def said():
        return float(loss(out, y)["triplet"].detach())

    loss.eval()
    assert [said() for _ in range(3)] == 3 * [semi]  # looking on does not count
    loss.train()
    assert said() == semi
    file = io.BytesIO()
    torch.save(loss.state_dict(), file)
    assert [said(), said()] == [semi, hard]
    file.seek(0)
    loss.load_state_dict(torch.load(file, weights_only=True))
    assert [said(), said()] == [semi, hard]


@pytest.mark.parametrize("mining", MINES)
def test_active_is_the_share_of_triplets_that_cost_something(mining):
    out, y = sample(1, people=2.0)
    e = torch.nn.functional.normalize(out.detach())
    d = torch.cdist(e, e).square()
    which = chosen(d, y, "batch_all" if mining == "random" else mining)
    for margin in (0.2, None):
        state = torch.get_rng_state()
        seen = Triplet(DIM, mining=mining, margin=margin).watch(out, y)
        assert torch.equal(state, torch.get_rng_state())
        share = sum(float(d[a, p] - d[a, n] + (margin or 0)) > 0 for a, p, n in which) / len(which)
        assert float(seen["active"]) == pytest.approx(share, rel=1e-6)
        assert 0 < share < 1


@pytest.mark.parametrize("mining", MINES)
@pytest.mark.parametrize("margin", [0.2, None])
def test_a_collapse_is_said_in_one_line_with_what_to_do(mining, margin):
    loss, (out, y) = Triplet(DIM, mining=mining, margin=margin), sample()

    def remark(out):
        return loss.remark({name: float(value) for name, value in loss.watch(out, y).items()})

    line = remark(torch.ones_like(out) + 1e-3 * out)
    assert "collapsed" in line and "semi_hard" in line and "optim.lr" in line and "loss.warm_up" in line
    assert "\n" not in line
    assert remark(out) is None
    values = {"mean_cosine": 0.99, "effective_rank": 1.0, "active": 0.1}
    assert loss.remark(values | {"cost": 0.02}) is None  # near each other, but told apart


def test_outside_the_clamp_easy_triplets_cancel_hard_ones():
    out = torch.tensor([[1, 0.1], [1, -0.1], [-1, 0.1], [-1, -0.1], [0.1, 1], [1, 1]]).double()  # the last: misplaced
    y = torch.tensor([0, 0, 1, 1, 2, 2])
    inside, outside = (float(Triplet(2, mining="batch_all", clamp=c)(out, y)["triplet"]) for c in ("inside", "outside"))
    assert inside > 0.1 and outside == 0


def test_all_in_one_point_costs_the_margin():
    y = torch.tensor([0, 0, 1, 1, 2])
    for mining in MINES:
        for margin, expected in ((0.2, 0.2), (None, math.log(2))):
            out = torch.ones(5, DIM, requires_grad=True)
            cost = Triplet(DIM, mining=mining, margin=margin)(out, y)["triplet"]
            assert float(cost.detach()) == pytest.approx(expected, abs=1e-5)
            cost.backward()
            assert bool(out.grad.isfinite().all())


@pytest.mark.parametrize("settings", [{"margin": -0.1}, {"margin": 4.0}, {"warm_up": -1}])
def test_refused(settings):
    with pytest.raises(BadInput, match=f"loss.{next(iter(settings))}"):
        Triplet(DIM, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("mining", MINES)
@pytest.mark.parametrize("margin", [0.2, None])
def test_memory_is_of_the_order_of_the_table_of_distances(mining, margin):
    from torch.profiler import ProfilerActivity, profile

    n = 1800
    out, y = torch.randn(n, 128, requires_grad=True), torch.arange(45).repeat_interleave(40)
    loss = Triplet(mining=mining, margin=margin)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        loss(out, y)["triplet"].backward()
    events = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    held, peak = 0, 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    assert n * n * 4 < peak < 40 * n * n * 4
