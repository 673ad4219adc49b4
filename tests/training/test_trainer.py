"""Each knob of the loop does what it says."""

import copy
import csv
import json
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from dlthink.errors import BadInput, Diverged
from dlthink.training.schedule import factor
from dlthink.training.trainer import Trainer
from tests.training.toy import Line, Squared, fit, network, weights


def rows(folder, split, name):
    with open(folder / "metrics.csv", newline="") as file:
        return [
            (int(r["step"]), float(r["value"]))
            for r in csv.DictReader(file)
            if (r["split"], r["name"]) == (split, name)
        ]


def test_equals_a_loop_written_by_hand(tmp_path):
    data = Line()
    taken = []
    take = data.train.take
    data.train.take = lambda index: (taken.append(index), take(index))[1]
    _, model, _, _ = fit(tmp_path, data=data, steps=30, validate_every=30)
    hand = network()
    optim = torch.optim.Adam(hand.parameters(), lr=1e-2)
    for index in taken[:30]:
        x, y = take(index)
        optim.zero_grad()
        (hand(x) - y).square().mean().backward()
        optim.step()
    assert torch.equal(weights(model), weights(hand))


def test_same_seed_same_weights_other_seed_others(tmp_path):
    runs = [fit(tmp_path / str(i), model=network(dropout=0.3), seed=seed)[1] for i, seed in enumerate([0, 0, 1])]
    assert torch.equal(weights(runs[0]), weights(runs[1]))
    assert not torch.equal(weights(runs[0]), weights(runs[2]))


def test_an_epoch_sees_every_sample_once(tmp_path):
    data, taken = Line(n=96), []
    take = data.train.take
    data.train.take = lambda index: (taken.append(index), take(index))[1]
    trainer, *_ = fit(tmp_path, data=data, steps=None, epochs=2, batch=32, validate_every=100)
    assert trainer.step == 6
    first, second = torch.cat(taken[:3]), torch.cat(taken[3:6])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(96))
    assert first.tolist() != second.tolist() != list(range(96))


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
    torch.testing.assert_close(model.weight, before.weight * (1 - 0.1 * 0.5))
    assert torch.equal(model.bias, before.bias)
    assert rows(tmp_path, "train", "l2")[0][1] == pytest.approx(0.25 * before.weight.square().sum().item(), rel=1e-5)


@pytest.mark.parametrize(
    "shape, warmup, expected",
    [
        ("constant", 0, [1, 1, 1, 1]),
        ("constant", 2, [0.5, 1, 1, 1]),
        ("cosine", 0, [0.5 * (1 + math.cos(math.pi * i / 4)) for i in range(4)]),
        ("linear", 0, [1, 1, 1, 0.5]),
    ],
)
def test_schedule(tmp_path, shape, warmup, expected):
    assert [factor(shape, i, 4, warmup) for i in range(4)] == pytest.approx(expected)
    fit(tmp_path, schedule=shape, warmup=warmup, steps=4, log_every=1, optim=partial(torch.optim.SGD, lr=0.2))
    assert [v for _, v in rows(tmp_path, "optim", "learning_rate")] == pytest.approx([0.2 * e for e in expected])


def test_ema_is_what_is_examined(tmp_path):
    trainer, model, _, results = fit(tmp_path, ema=0.9, steps=20, validate_every=20)
    saved = torch.load(tmp_path / "checkpoints" / "best.pt", weights_only=True)
    raw = network()
    raw.load_state_dict(saved["model"])
    averaged = network()
    averaged.load_state_dict(saved["ema"])
    assert not torch.equal(weights(raw), weights(averaged))
    x, y = trainer.test.x, trainer.test.y
    assert results["test"]["rmse"] == pytest.approx((averaged(x) - y).square().mean().sqrt().item(), rel=1e-6)
    assert torch.equal(weights(model), weights(averaged))


def test_ema_equals_its_formula(tmp_path):
    path, kept = [], Squared.forward
    model = network()

    class Watch(Squared):
        def forward(self, out, y):
            if self.training:
                path.append(weights(model))
            return kept(self, out, y)

    fit(tmp_path, model, Watch(), ema=0.5, steps=20, validate_every=20)
    last = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)
    mean, after = path[0], [*path[1:], torch.cat([t.double().flatten() for t in last["model"].values()])]
    for step, now in enumerate(after, start=1):
        decay = min(0.5, step / (step + 9))
        mean = decay * mean + (1 - decay) * now
    torch.testing.assert_close(
        torch.cat([t.double().flatten() for t in last["ema"].values()]), mean, rtol=1e-4, atol=1e-6
    )


def test_early_stopping_and_the_best_is_kept(tmp_path):
    trainer, _, _, results = fit(
        tmp_path, optim=partial(torch.optim.SGD, lr=0.0), steps=1000, validate_every=5, patience=3
    )
    assert trainer.step == 5 * 4  # one that is best, three that are not better
    assert trainer.best["step"] == 5
    values = dict(rows(tmp_path, "val", "rmse"))
    assert results["val"]["rmse"] == pytest.approx(min(values.values()), rel=1e-6)


def test_the_best_on_validation_is_tested_not_the_last(tmp_path):
    class Worse(Squared):
        """Good for twenty steps, then the wrong way."""

        seen = 0

        def forward(self, out, y):
            self.seen += self.training
            return {"mse": super().forward(out, y)["mse"] * (1 if self.seen <= 20 else -1)}

    _, _, _, results = fit(tmp_path, loss=Worse(), steps=60, validate_every=20)
    values = dict(rows(tmp_path, "val", "rmse"))
    assert values[20] < values[60]
    assert results["val"]["rmse"] == pytest.approx(values[20], rel=1e-6)
    assert json.loads((tmp_path / "metrics.json").read_text()) == results


def test_time_limit_stops_and_examines(tmp_path):
    trainer, _, _, results = fit(tmp_path, steps=10**9, minutes=0.005, validate_every=10**9)
    assert 0 < trainer.step < 10**9
    assert "rmse" in results["test"]
    assert (tmp_path / "checkpoints" / "last.pt").exists()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_and_costs_stay_wide(tmp_path, precision):
    seen = {}

    class Dtypes(Squared):
        def forward(self, out, y):
            seen["cost"] = out.dtype
            return super().forward(out, y)

    model = network()
    model[0].register_forward_hook(lambda m, i, o: seen.update(inside=o.dtype))
    trainer, _, _, results = fit(tmp_path / "half", model, Dtypes(), precision=precision, steps=300)
    _, _, _, wide = fit(tmp_path / "wide", precision="fp32", steps=300)
    assert seen == {"inside": {"bf16": torch.bfloat16, "fp16": torch.float16}[precision], "cost": torch.float32}
    assert trainer.precision.scaler.is_enabled() == (precision == "fp16")
    assert results["test"]["rmse"] == pytest.approx(wide["test"]["rmse"], rel=0.15)


def test_fp16_scaler_is_live_skips_overflow_and_is_kept(tmp_path):
    class Huge(Squared):
        """Gradients overflow at the first scale of 65536 and fit once it is lower."""

        def forward(self, out, y):
            return {"mse": 100.0 * super().forward(out, y)["mse"]}

    model = network()
    before = weights(model)
    trainer, *_ = fit(tmp_path, model, Huge(), precision="fp16", steps=30, validate_every=30)
    scale = trainer.precision.scaler.get_scale()
    assert scale < 65536
    assert torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["scaler"]["scale"] == scale
    assert weights(model).isfinite().all() and not torch.equal(before, weights(model))


def test_auto_is_float32_on_a_cpu():
    assert Trainer(device="cpu").precision.name == "fp32"


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


def test_a_cost_that_is_not_a_number_stops_the_run(tmp_path):
    class Bursts(Squared):
        seen = 0

        def forward(self, out, y):
            self.seen += self.training
            return {"fine": super().forward(out, y)["mse"], "burst": out.mean() * (math.nan if self.seen == 27 else 1)}

    data, taken = Line(), []
    take = data.train.take
    data.train.take = lambda index: (taken.append(index), take(index))[1]
    with pytest.raises(Diverged) as error:
        fit(tmp_path, loss=Bursts(), data=data, steps=100, log_every=10, validate_every=10)
    text = str(error.value)
    assert "step 27" in text and "burst is nan" in text and "\n" not in text
    steps = [index for index in taken if len(index) == 32]
    assert ", ".join(map(str, steps[26].tolist()[:8])) in text
    last = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)
    assert last["step"] == 20
    assert all(t.isfinite().all() for t in last["model"].values())


def test_weights_that_are_not_numbers_are_never_saved(tmp_path):
    class Trap(Squared):
        """A finite cost whose gradient is not: the root of zero."""

        def forward(self, out, y):
            return {"mse": super().forward(out, y)["mse"] + (out - out).square().sum().sqrt()}

    with pytest.raises(Diverged, match="weights"):
        fit(tmp_path, loss=Trap(), steps=1)
    assert not (tmp_path / "checkpoints" / "last.pt").exists()


def test_settle_is_asked_on_validation_and_kept(tmp_path):
    class Settled(Squared):
        def __init__(self):
            super().__init__()
            self.register_buffer("spread", torch.zeros(3))

        def settle(self, out, y):
            self.spread.copy_((y - out).std(0))

    _, model, loss, _ = fit(tmp_path, loss=Settled(), steps=60, validate_every=20)
    data = Line()
    torch.testing.assert_close(loss.spread, (data.val.y - model(data.val.x)).std(0).detach())


@pytest.mark.parametrize(
    "knobs", [{"batch": 0}, {"steps": 0}, {"epochs": None, "steps": None}, {"ema": 1.0}, {"clip": -1.0}, {"l2": -0.1}]
)
def test_bad_knobs(knobs):
    with pytest.raises(BadInput, match=r"trainer\."):
        Trainer(**knobs)


def test_compile_trains_the_same_network(tmp_path):
    pytest.importorskip("torch._inductor")
    import shutil

    if not shutil.which("g++") and not shutil.which("clang++"):
        pytest.skip("torch.compile needs a C++ compiler")
    _, model, _, _ = fit(tmp_path / "c", compile=True, steps=6, validate_every=6)
    _, plain, _, _ = fit(tmp_path / "p", steps=6, validate_every=6)
    torch.testing.assert_close(weights(model), weights(plain), rtol=1e-3, atol=1e-5)
    assert list(model.state_dict()) == list(plain.state_dict())


def test_steps_draw_and_examinations_take(tmp_path):
    data, drawn = Line(), []
    take = data.train.take
    data.train.draw = lambda index: drawn.append(len(index)) or take(index)
    fit(tmp_path, data=data, steps=7, batch=16)
    assert drawn == [16] * 7


def test_what_a_cost_watches_is_logged_and_its_remark_is_said_once(tmp_path, capsys):
    class Wary(Squared):
        def watch(self, out, y):
            assert not out.requires_grad and out.shape == y.shape
            return {"largest": out.abs().max()}

        def remark(self, seen):
            return "too quiet" if seen["largest"] < 1e9 else None

    fit(tmp_path, loss=Wary(), steps=40, log_every=10)
    rows = [line.split(",") for line in (tmp_path / "metrics.csv").read_text().splitlines()]
    assert [row[0] for row in rows if row[2:4] == ["watch", "largest"]] == ["10", "20", "30", "40"]
    told = capsys.readouterr()
    assert (told.out + told.err).count("step 10: too quiet") == 1 and (told.out + told.err).count("too quiet") == 1


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
