"""A step: what each knob does to the gradients of one or several batches."""

import copy
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.training.players import players
from dlthink.training.precision import Precision
from dlthink.training.step import Step
from tests.training.toy import Line, Squared, fit, network, rows, weights


def test_a_step_can_be_taken_without_a_run():
    """Terms, norms and gradients of a step on given batches; outputs are kept only for who looks at them."""
    model, loss, cpu = nn.Linear(5, 3), Squared(), Precision("fp32", "cpu")
    split, start = Line().train, weights(model)
    batches = [split.take(torch.arange(16)), split.take(torch.arange(16, 32))]
    sides = players(model, loss, partial(torch.optim.SGD, lr=0.5), cpu)
    step = Step(model, sides, cpu.scaler)
    expected = torch.stack([(model(x) - y).square().mean() for x, y in batches]).mean()
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(expected, list(model.parameters()))])
    taken = step(batches, measure=True)
    assert taken.terms["mse"].item() == pytest.approx(expected.item())
    assert [norm.item() for norm in taken.norms] == pytest.approx([gradient.norm().item()])
    assert taken.seen is None and not taken.converged
    torch.testing.assert_close(weights(model), start - 0.5 * gradient.double())
    out, y = Step(model, sides, cpu.scaler, watched=True)(batches).seen
    assert not out.requires_grad and torch.equal(y, batches[1][1])


def test_accumulated_batches_are_one_large_batch(tmp_path):
    data = Line(n=64)
    whole, parts = network(), network()
    sgd = partial(torch.optim.SGD, lr=0.1)
    fit(tmp_path / "whole", whole, data=data, optim=sgd, batch=64, steps=3)
    fit(tmp_path / "parts", parts, data=data, optim=sgd, batch=16, accumulate=4, steps=3)
    torch.testing.assert_close(weights(whole), weights(parts), rtol=1e-4, atol=1e-6)
    mse = [dict(rows(tmp_path / name, "train", "mse"))[3] for name in ("whole", "parts")]
    assert mse[0] == pytest.approx(mse[1], rel=1e-4)


def test_clip_bounds_the_step(tmp_path):
    start = network()
    model = copy.deepcopy(start)
    fit(tmp_path, model, optim=partial(torch.optim.SGD, lr=1.0), clip=0.01, steps=1, validate_every=1)
    assert (weights(model) - weights(start)).norm().item() == pytest.approx(0.01, rel=1e-3)
    assert rows(tmp_path, "optim", "gradient_norm")[0][1] > 0.1  # what is logged is the norm before clipping


def test_l2_pulls_matrices_and_not_biases(tmp_path):
    model, data = nn.Linear(5, 3), Line(n=32)
    before = copy.deepcopy(model)

    class Zero(Squared):
        def forward(self, out, y):
            return {"zero": 0.0 * out.sum()}

    fit(tmp_path, model, Zero(), data, partial(torch.optim.SGD, lr=0.1), l2=0.5, steps=1)
    torch.testing.assert_close(model.weight, before.weight * (1 - 0.1 * 0.5 / 3))
    assert torch.equal(model.bias, before.bias)
    penalty = 0.5 / 2 / 3 * before.weight.square().sum().item()
    assert rows(tmp_path, "train", "l2")[0][1] == pytest.approx(penalty, rel=1e-5)


LBFGS = partial(torch.optim.LBFGS, line_search_fn="strong_wolfe")


@pytest.mark.parametrize("batch, optim", [(None, LBFGS), (64, None)])
def test_l2_means_the_same_for_one_target_and_for_many(tmp_path, batch, optim):
    """Targets that are copies of one another have the weights that one has alone, whatever descends."""
    found = {}
    for n in (1, 7):
        data = Line(n=64, n_targets=1, noise=0.5)
        for split in (data.train, data.val, data.test):
            split.y = split.y.expand(-1, n).contiguous()
        data.facts["n_targets"] = n
        model = nn.Linear(5, n)
        nn.init.zeros_(model.weight)
        nn.init.zeros_(model.bias)
        sgd = partial(torch.optim.SGD, lr=0.1 * n)  # the cost is a mean over targets: so is each one's gradient
        fit(tmp_path / str(n), model, data=data, optim=optim or sgd, batch=batch, l2=0.3, steps=60, validate_every=60)
        found[n] = model.weight.detach()
    torch.testing.assert_close(found[7], found[1].expand(7, -1), rtol=1e-3, atol=1e-4)
    x, y = data.train.x - data.train.x.mean(0), data.train.y[:, :1] - data.train.y[:, :1].mean()
    exact = torch.linalg.solve(2 * x.T @ x / 64 + 0.3 * torch.eye(5), 2 * x.T @ y / 64)
    torch.testing.assert_close(found[1], exact.T, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_and_costs_stay_wide(tmp_path, precision):
    seen = {}

    class Dtypes(Squared):
        def forward(self, out, y):
            seen["cost"] = out.dtype
            return super().forward(out, y)

    model = network()
    model[0].register_forward_hook(lambda m, i, o: seen.update(inside=o.dtype))
    run, _, _, results = fit(tmp_path / "half", model, Dtypes(), precision=precision, steps=300)
    _, _, _, wide = fit(tmp_path / "wide", precision="fp32", steps=300)
    assert seen == {"inside": {"bf16": torch.bfloat16, "fp16": torch.float16}[precision], "cost": torch.float32}
    assert run.precision.scaler.is_enabled() == (precision == "fp16")
    assert results["test"]["rmse"] == pytest.approx(wide["test"]["rmse"], rel=0.15)


def test_fp16_scaler_is_live_skips_overflow_and_is_kept(tmp_path):
    class Huge(Squared):
        """Gradients overflow at the first scale of 65536 and fit once it is lower."""

        def forward(self, out, y):
            return {"mse": 100.0 * super().forward(out, y)["mse"]}

    model = network()
    before = weights(model)
    run, *_ = fit(tmp_path, model, Huge(), precision="fp16", steps=30, validate_every=30)
    scale = run.precision.scaler.get_scale()
    assert scale < 65536
    assert torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["scaler"]["scale"] == scale
    assert weights(model).isfinite().all() and not torch.equal(before, weights(model))


def test_lbfgs_finds_the_least_squares_solution(tmp_path):
    data = Line(n=200, noise=0.5)
    model = nn.Linear(5, 3)
    lbfgs = partial(torch.optim.LBFGS, max_iter=20, line_search_fn="strong_wolfe", tolerance_grad=1e-9)
    fit(tmp_path, model, data=data, optim=lbfgs, batch=None, steps=5, validate_every=5, log_every=1)
    x = np.c_[data.train.x.numpy(), np.ones(200)]
    exact = np.linalg.lstsq(x, data.train.y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(model.weight.detach().numpy(), exact[:5].T, atol=2e-4)


def test_lbfgs_refuses_what_it_cannot_do(tmp_path):
    with pytest.raises(BadInput, match="lbfgs"):
        fit(tmp_path, optim=torch.optim.LBFGS, precision="fp16")


def test_compile_trains_the_same_network(tmp_path):
    pytest.importorskip("torch._inductor")

    if not shutil.which("g++") and not shutil.which("clang++"):
        pytest.skip("torch.compile needs a C++ compiler")
    _, model, _, _ = fit(tmp_path / "c", compile=True, steps=6, validate_every=6)
    _, plain, _, _ = fit(tmp_path / "p", steps=6, validate_every=6)
    torch.testing.assert_close(weights(model), weights(plain), rtol=1e-3, atol=1e-5)
    assert list(model.state_dict()) == list(plain.state_dict())


def test_convolutions_may_lie_channels_last_and_learn_the_same(tmp_path):
    class Pictures(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.out = torch.nn.Conv2d(5, 8, 3, padding=1), torch.nn.Linear(8, 3)

        def forward(self, x):
            return self.out(self.conv(x[:, :, None, None].expand(-1, -1, 4, 4)).mean((2, 3)))

    ends = []
    for name, lie in (("as it is", False), ("last", True)):
        torch.manual_seed(0)
        model = Pictures()
        fit(tmp_path / name, model, channels_last=lie)
        assert model.conv.weight.is_contiguous(memory_format=torch.channels_last) == lie
        ends.append(weights(model))
    torch.testing.assert_close(*ends, rtol=1e-4, atol=1e-6)
