"""dlthink.losses.embeddings.contrastive against a loop over pairs."""

import pytest
import torch

from dlthink.errors import BadInput
from tests.losses.embeddings.triplet_loops import DIM, apart, build, check, mean, others, pairs, points, sample


@pytest.mark.parametrize("margin", [1.0, 1.7])
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_loop(seed, margin):
    out, y = sample(seed)
    e = points(out)
    terms = build("contrastive", margin=margin)(out, y)
    check(terms["positive"], mean([apart(e[a], e[p]) for a, p in pairs(y)]), out)
    gaps = [margin - apart(e[a], e[n]).sqrt() for a in range(len(y)) for n in others(y, a)]
    assert 0 < sum(bool(gap > 0) for gap in gaps) < len(gaps)
    check(terms["negative"], mean([gap**2 for gap in gaps if gap > 0]), out)


def test_two_people_at_one_point_push_with_no_direction():
    out = torch.ones(2, DIM, requires_grad=True)
    cost = build("contrastive", dtype=torch.float32)(out, torch.tensor([0, 1]))["negative"]
    cost.backward()
    assert float(cost.detach()) == pytest.approx(1.0)
    assert not bool(out.grad.any())


@pytest.mark.parametrize("margin", [0.0, 2.1])
def test_refused(margin):
    with pytest.raises(BadInput, match=r"loss\.margin"):
        build("contrastive", margin=margin)
