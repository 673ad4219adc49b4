"""The categorical cost of counts against a loop and against every other cost: nothing says more on its own samples."""

import math

import pytest
import torch

from dlthink.checks.kinds.counts import Counts
from dlthink.errors import BadInput
from dlthink.losses.counts.categorical import Categorical
from dlthink.losses.counts.poisson import Poisson
from tests.losses.counts.made_counts import COSTS, build, counts

D = torch.float64


def made(largest=6, n=50, seed=0):
    loss = Categorical(2, largest).double()
    k = counts(n, 2, seed=seed, mean=2.0).clamp(max=largest)
    loss.prepare(k)
    out = torch.randn(n, 2 * (largest + 1), generator=torch.Generator().manual_seed(seed), dtype=D)
    return loss, out, k


def test_equals_a_loop():
    loss, out, k = made()
    logits, slow = loss.logits(out), 0.0
    for i in range(50):
        for j in range(2):
            slow += math.log(sum(math.exp(x) for x in logits[i, j])) - float(logits[i, j, int(k[i, j])])
    assert float(loss(out, k)["nll"]) == pytest.approx(slow / 100, rel=1e-12)
    distribution = loss.predict(out)["distribution"]
    assert float(loss(out, k)["nll"]) == pytest.approx(-float(distribution.log_prob(k).mean()), rel=1e-12)
    torch.testing.assert_close(loss.predict(out)["rate"], distribution.log_p.exp() @ torch.arange(7.0, dtype=D))


def test_gradcheck_and_half_precision():
    loss, out, k = made(n=4)
    assert torch.autograd.gradcheck(lambda o: loss(o, k)["nll"], (out.requires_grad_(),))
    single = Categorical(2, 6)
    single.load_state_dict(loss.state_dict())
    half = out.detach().bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        nll = single(half, k.float())["nll"]
    assert nll.dtype == torch.float32
    assert float(nll) == pytest.approx(float(loss(half.double(), k)["nll"]), rel=1e-5)


@pytest.mark.parametrize("name", ["poisson", *COSTS])
def test_no_law_says_more_of_the_training_counts(name):
    loss, _, k = made(n=3000)
    other = Poisson(2).double() if name == "poisson" else build(name, 2)
    other.prepare(k)
    best = loss(torch.zeros(3000, 14, dtype=D), k)["nll"]
    assert float(best) < float(other(torch.zeros(3000, 2, dtype=D), k)["nll"].detach())


def test_out_zero_predicts_the_shares_of_the_training_counts():
    loss, _, k = made(n=5000)
    distribution = loss.predict(torch.zeros(1, 14, dtype=D))["distribution"]
    share = (k[..., None] == torch.arange(7)).double().mean(0)
    torch.testing.assert_close(distribution.log_p[0].exp(), share, rtol=0, atol=2e-3)


def test_data_may_state_the_largest_count():
    assert Categorical(1).largest == 20 and Categorical(1, largest_count=7).largest == 7
    assert Categorical(1, 3, largest_count=7).largest == 3 and Categorical(1, largest_count=0).largest == 1
    samples = Counts()
    assert samples.facts()["largest_count"] == samples.skewed().y.max() >= samples.even().y.max()


def test_a_count_beyond_a_bound_has_no_probability():
    loss, out, k = made()
    assert Categorical.targets == {"counts"}  # of no exposure: an offset would be that of the class 0 alone
    assert float(loss(out, k + 7)["nll"]) == math.inf
    assert (loss.predict(out)["distribution"].log_prob(k + 7) == -math.inf).all()


def test_a_count_beyond_what_training_has_seen_is_one_of_the_open_class():
    """Against the sum of what is left: training has 49 counts of 6, so of 6 or more the share of 6 is 1 - 1/100."""
    loss, k = Categorical(2, largest_count=6).double(), counts(50, 2, seed=0, mean=2.0).clamp(max=5)
    k[:49, 0], k[:, 1] = 6, 0
    loss.prepare(k)
    assert loss.tail.tolist() == pytest.approx([0.01, 0.5])  # the second target has none
    out = torch.randn(3, 14, generator=torch.Generator().manual_seed(0), dtype=D)
    distribution, classes = loss.predict(out)["distribution"], loss.logits(out).softmax(-1)
    torch.testing.assert_close(distribution.log_prob(torch.full((3, 2), 5.0, dtype=D)).exp(), classes[..., 5])
    last = classes[..., 6] * torch.tensor([0.99, 0.5], dtype=D)
    for beyond in range(4):
        y = torch.full((3, 2), 6.0 + beyond, dtype=D)
        share = last * loss.tail**beyond
        torch.testing.assert_close(distribution.log_prob(y).exp(), share)
        assert float(loss(out, y)["nll"]) == pytest.approx(-float(share.log().mean()), rel=1e-6)
    torch.testing.assert_close(distribution.cdf(torch.full((3, 2), 60.0, dtype=D)), torch.ones(3, 2, dtype=D))


@pytest.mark.parametrize(
    "k, why", [([[8.0, 0.0]], "largest training count is 8.*loss.largest=8"), ([[0.5, 0.0]], "no whole number")]
)
def test_refusals(k, why):
    with pytest.raises(BadInput, match=why):
        Categorical(2, 6).prepare(torch.tensor(k))
    for largest, stated, why in ((0, 9, "largest=0"), (1001, 9, "1 to 1000"), (None, 1001, "count is 1,001")):
        with pytest.raises(BadInput, match=why):
            Categorical(2, largest, stated)
