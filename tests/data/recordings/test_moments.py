"""Points that stand for samples: of the same means and covariances, and of the same expected log likelihood."""

import numpy as np
import pytest
import torch

from dlthink.data.recordings import moments
from dlthink.data.recordings.moments import Moments
from dlthink.data.recordings.spikes import Spikes
from dlthink.data.recordings.windows import Split
from dlthink.errors import BadInput
from dlthink.losses.counts.poisson_expected import PoissonExpected

SMALL = {"minutes": 2.0, "neurons": 3, "history": 2, "blocks": 5}
NONE = torch.arange(0)


def split(n=3000, units=2, before=1, after=0):
    g = torch.Generator().manual_seed(0)
    features = torch.randn(n, 4, generator=g)
    features[:, 3] = features[:, 0] + 1  # one direction in which nothing varies
    y = torch.poisson((0.5 * features[:, :units]).exp(), generator=g)
    rows = torch.tensor([row for row in range(before, n - after) if not 100 <= row < 130])
    return Split(features, y, rows, before, after, {})


@pytest.mark.parametrize(("before", "after"), [(1, 0), (0, 1)])
def test_points_have_the_means_and_covariances_of_the_samples(monkeypatch, before, after):
    monkeypatch.setattr(moments, "ROWS", 5000)  # in five chunks
    whole = split(before=before, after=after)
    x, y = whole.take(torch.arange(len(whole)))
    u, v = Moments(whole).draw(NONE)
    assert u.shape == (12, 2, 4) and v.shape == (12, 2)  # eight numbers, six directions
    both = [np.concatenate([a.flatten(1), b], 1).astype(float) for a, b in ((x, y), (u, v))]
    (mean, own_mean), (cov, own) = ([np.mean(b, 0) for b in both], [np.cov(b.T, bias=True) for b in both])
    np.testing.assert_allclose(own_mean, mean, atol=1e-5)
    np.testing.assert_allclose(own[:, :8], cov[:, :8], atol=1e-5)  # that of y and y is no matter


def test_the_expected_log_likelihood_of_a_linear_predictor_is_the_same_on_points_and_samples():
    whole = split()
    x, y = whole.take(torch.arange(len(whole)))
    loss, linear = PoissonExpected(2), torch.nn.Linear(8, 2)
    loss.prepare(whole.targets())
    slopes, values = [], []
    for a, b in ((x, y), Moments(whole).draw(NONE)):
        linear.zero_grad()
        value = loss(linear(a.flatten(1)), b)["nll"]
        value.backward()
        slopes.append(linear.weight.grad.clone())
        values.append(value.detach())
    torch.testing.assert_close(*values, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-5)


def test_of_white_covariates_only_the_products_with_y_are_needed():
    whole = split(before=0)
    x, y = (each.double() for each in whole.take(torch.arange(len(whole))))
    loss, linear = PoissonExpected(2), torch.nn.Linear(4, 2)
    loss.prepare(whole.targets())
    u, v = Moments(whole, white=True).draw(NONE)
    w, b = linear.weight.double(), linear.bias.double() + loss.log_mean
    closed = (b + w.square().sum(1) / 2).exp() - (y * (x[:, 0] @ w.T + b)).mean(0) + torch.lgamma(y + 1).mean(0)
    torch.testing.assert_close(loss(linear(u.flatten(1)), v)["nll"].double(), closed.mean(), rtol=1e-5, atol=1e-6)


def test_of_a_recording_training_sees_points_and_examinations_samples():
    data, plain = Spikes(**SMALL, moments="estimated"), Spikes(**SMALL)
    x, y = data.train.draw(torch.arange(5))
    assert len(x) == len(y) <= 2 * 36 and x.shape[1:] == plain.train.take(torch.arange(1))[0].shape[1:]
    for mine, other in zip(data.train.take(torch.arange(9)), plain.train.take(torch.arange(9)), strict=True):
        assert torch.equal(mine, other)
    assert torch.equal(data.train.targets(), plain.train.targets()) and len(data.train) == len(plain.train)
    assert isinstance(data.train.to("cpu"), Moments) and type(data.val) is Split
    assert Spikes.targets({"moments": "white"}) == "moments of counts" and Spikes.targets({}) == "counts"


def test_what_training_sees_is_told_and_whether_covariates_are_white():
    """Behaviour is smooth: two bins side by side are nearly the same."""
    said = [line for line in Spikes(**SMALL, moments="estimated").notes if "data.moments" in line]
    assert len(said) == 1 and "72 points of the same means" in said[0] and "model=glm" in said[0]
    assert "two of them correlate by 1.00" in Spikes(**SMALL, moments="white").notes[-1]
    features = torch.randn(5000, 4, generator=torch.Generator().manual_seed(0))
    white = Moments(Split(features, torch.zeros(5000, 1), torch.arange(1, 5000), 1, 0, {}), white=True)
    assert len(white.notes()) == 1
    features[:, 1] = 0.5 * features[:, 0] + features[:, 1]
    assert "correlate by 0.4" in Moments(white, white=True).notes()[1]


def test_what_is_refused(cli):
    with pytest.raises(BadInput, match=r"data.moments: a window holds 6,000 numbers"):
        Moments(split(before=1499))
    code, _, err = cli("train", "data.moments=estimated", "loss=poisson", "model=glm")
    assert code == 2 and "moments of counts" in err and "poisson_expected" in err


def test_a_run(cli):
    words = ["data.minutes=2", "data.neurons=4", "trainer.device=cpu", "model=glm", "trainer=lbfgs"]
    words += ["trainer.steps=1", "optim.max_iter=5"]
    code, out, err = cli("train", *words, "loss=poisson_expected", "data.moments=estimated")
    assert code == 0, err
    assert "bits_per_spike" in out
