"""log k! is worked out once for a batch, and never for another one."""

import weakref

import torch

from dlthink.losses.counts._log_factorial import log_factorial
from dlthink.losses.counts.poisson import Poisson


def test_it_is_exact():
    k = torch.tensor([[0.0, 1.0], [2.0, 10_000.0]], dtype=torch.float64)
    torch.testing.assert_close(log_factorial(k), torch.lgamma(k + 1), rtol=0, atol=0)
    with torch.inference_mode():
        assert float(log_factorial(torch.tensor([2.0]))) == float(torch.lgamma(torch.tensor([3.0])))


def test_a_cost_that_is_asked_again_about_one_batch_works_it_out_once(monkeypatch):
    asked, lgamma = [], torch.lgamma
    monkeypatch.setattr(torch, "lgamma", lambda x: asked.append(len(x)) or lgamma(x))
    k, loss = torch.ones(5, 3), Poisson(3)
    values = [float(loss(torch.full((5, 3), out), k)["nll"]) for out in (0.0, 1.0, 0.0)]
    assert asked == [5] and values[0] == values[2] != values[1]
    loss(torch.zeros(4, 3), k[:4])
    assert asked == [5, 4]


def test_what_is_written_into_is_another_batch():
    k = torch.ones(3, 1)
    before = log_factorial(k).clone()
    k.add_(1)
    assert (log_factorial(k) > before).all()


def test_it_is_kept_no_longer_than_the_batch():
    k = torch.ones(3, 1)
    kept = weakref.ref(log_factorial(k))
    assert kept() is not None
    del k
    assert kept() is None
