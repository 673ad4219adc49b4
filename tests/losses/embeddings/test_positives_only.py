"""dlthink.losses.embeddings.positives_only against a loop, and its collapse, which triplet does not share."""

import pytest
import torch

from tests.losses.embeddings.triplet_loops import apart, build, check, mean, pairs, points, sample, total


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_loop(seed):
    out, y = sample(seed)
    e = points(out)
    check(total(build("positives_only"), out, y), mean([apart(e[a], e[p]) for a, p in pairs(y)]), out)


def trained(name):
    """What a linear network is led to by this cost: mean cosine, effective rank, remark."""
    g = torch.Generator().manual_seed(0)
    y = torch.arange(8).repeat_interleave(6)
    x = 1.5 * torch.randn(8, 8, generator=g)[y] + torch.randn(48, 8, generator=g)
    torch.manual_seed(0)
    net, loss = torch.nn.Linear(8, 6), build(name, 6, torch.float32)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(600):
        optimizer.zero_grad()
        total(loss, net(x), y).backward()
        optimizer.step()
    seen = {key: float(value) for key, value in loss.watch(net(x).detach(), y).items()}
    return seen["mean_cosine"], seen["effective_rank"], loss.remark(seen)


def test_it_collapses():
    cosine, rank, remark = trained("positives_only")
    assert rank < 1.05
    assert cosine > 0.99 or abs(cosine) < 0.1  # one point, or two opposite ones
    assert "collapsed" in remark and "loss=no_margin" in remark


@pytest.mark.slow
def test_the_triplet_cost_does_not():
    cosine, rank, remark = trained("semi_hard")
    assert cosine < 0.5 and rank > 3 and remark is None
