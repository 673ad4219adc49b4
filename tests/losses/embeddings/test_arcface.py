"""dlthink.losses.embeddings.arcface against angles, one by one; who has no class, where the cosine turns."""

import math

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.losses.embeddings.arcface import ArcFace
from tests.losses.embeddings.triplet_loops import DIM, build, check, mean, points, sample, total


def slowly(loss, out, y, scale, margin):
    e, w = points(out), points(loss.weight)
    costs = []
    for a in range(len(y)):
        if y[a] >= len(w):
            continue
        logits = []
        for j, weight in enumerate(w):
            cosine = e[a] @ weight
            angle = torch.acos(cosine)
            if j == int(y[a]):
                turned = float(angle.detach()) + margin >= math.pi
                cosine = cosine - margin * math.sin(margin) if turned else torch.cos(angle + margin)
            logits.append(scale * cosine)
        costs.append(torch.logsumexp(torch.stack(logits), 0) - logits[int(y[a])])
    return mean(costs)


@pytest.mark.parametrize("scale, margin", [(30.0, 0.5), (4.0, 1.2), (10.0, 0.0)])
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_loop(seed, scale, margin):
    (out, y), loss = sample(seed), build("arcface", scale=scale, margin=margin)
    with torch.no_grad():
        loss.weight[0] = -out[1]  # beyond pi - margin for photo 1
        loss.weight[0, 0] += 0.1
    check(total(loss, out, y), slowly(loss, out, y, scale, margin), out, loss.weight)


def test_people_without_a_class_are_left_out():
    (out, y), loss = sample(), build("arcface")
    strangers = torch.where(y == 2, 17, y)
    check(total(loss, out, strangers), slowly(loss, out, strangers, 30.0, 0.5), out, loss.weight)
    check(total(loss, out, strangers), total(loss, out[y != 2], y[y != 2]), out, loss.weight)
    nobody = total(loss, out, y + 4)
    assert float(nobody.detach()) == 0
    slopes = torch.autograd.grad(nobody, (out, loss.weight))
    assert not any(bool(slope.any()) for slope in slopes)


@pytest.mark.parametrize("sign", [1, -1])
def test_on_its_class_or_at_the_other_pole_the_slope_is_finite(sign):
    loss = ArcFace(4, DIM)
    out = (sign * loss.weight.detach().clone()).requires_grad_()
    total(loss, out, torch.arange(4)).backward()
    assert bool(out.grad.isfinite().all()) and bool(loss.weight.grad.isfinite().all())
    assert float(out.grad.abs().max()) < 100


def test_the_own_class_falls_all_the_way():
    loss = build("arcface")
    cosine = torch.linspace(1, -1, 20001, dtype=torch.float64)
    assert bool((loss.harder(cosine).diff() < 0).all())


@pytest.mark.parametrize("settings, word", [({"n_identities": 1}, "1 person"), ({"scale": 0.0}, "loss.scale")])
def test_refused(settings, word):
    with pytest.raises(BadInput, match=word):
        build("arcface", **settings)
    with pytest.raises(BadInput, match=r"loss\.margin"):
        build("arcface", margin=1.6)
