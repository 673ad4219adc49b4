"""The loop is the one for every tenant: an adversary that judges pooled fakes, and a cost with a weight of its own."""

from functools import partial

import pytest
import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.training.players import players
from dlthink.training.precision import Precision
from dlthink.training.step import Step
from tests.training.toy import Error, Line, Squared, fit, network, weights


class Pool:
    """Half of the fakes shown to the judge are older ones (Shrivastava et al. 2017, as in CycleGAN)."""

    def __init__(self, size, seed):
        self.size, self.kept = size, []
        self.chance = torch.Generator().manual_seed(seed)

    def swap(self, fakes):
        shown = []
        for fake in fakes:
            if len(self.kept) < self.size:
                self.kept.append(fake)
                shown.append(fake)
            elif torch.rand(1, generator=self.chance).item() < 0.5:
                place = int(torch.randint(self.size, (1,), generator=self.chance))
                shown.append(self.kept[place])
                self.kept[place] = fake
            else:
                shown.append(fake)
        return torch.stack(shown)


class Adversarial(nn.Module):
    """Least squares GAN: the network makes y from x, the judge tells made from real."""

    targets = {"reals"}
    outputs_per_target = 1

    def __init__(self, n_targets=3):
        super().__init__()
        torch.manual_seed(7)
        self.adversary = nn.Sequential(nn.Linear(n_targets, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        self.pool = Pool(20, seed=3)

    def forward(self, out, y):
        return {"fool": (self.adversary(out) - 1).square().mean(), "near": 0.3 * (out - y).abs().mean()}

    def adversary_loss(self, out, y):
        made = self.adversary(self.pool.swap(out))
        return {"real": 0.5 * (self.adversary(y) - 1).square().mean(), "made": 0.5 * made.square().mean()}

    def predict(self, out):
        return {"mean": out}


class Recorded(Line):
    """Remembers which samples were taken for training."""

    def __init__(self):
        super().__init__()
        self.taken = []
        take = self.train.take
        self.train.take = lambda index: (self.taken.append(index.clone()), take(index))[1]


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("optim", [partial(torch.optim.Adam, lr=1e-2), partial(torch.optim.SGD, lr=1e-2, momentum=0.9)])
def test_an_adversarial_cost_equals_the_loop_written_by_hand(tmp_path, float64, optim):
    data, loss, model = Recorded(), Adversarial(), network()
    fit(tmp_path, model, loss, data, optim, steps=40, validate_every=40)

    by_hand, judge, pool = network(), Adversarial().adversary, Pool(20, seed=3)
    data_again = Line()
    maker_steps, judge_steps = optim(by_hand.parameters()), optim(judge.parameters())
    for index in data.taken[1:41]:  # the first was the sanity check's
        x, y = data_again.train.take(index)
        made = by_hand(x)
        maker_steps.zero_grad()
        ((judge(made) - 1).square().mean() + 0.3 * (made - y).abs().mean()).backward()
        maker_steps.step()
        judge_steps.zero_grad()
        shown = judge(pool.swap(made.detach()))
        (0.5 * (judge(y) - 1).square().mean() + 0.5 * shown.square().mean()).backward()
        judge_steps.step()
    assert len(data.taken) > 40
    torch.testing.assert_close(weights(model), weights(by_hand), rtol=0, atol=1e-12)
    torch.testing.assert_close(weights(loss.adversary), weights(judge), rtol=0, atol=1e-12)


def test_each_player_moves_only_its_own_weights(tmp_path):
    """A judge with learning rate zero stays where it was although the network's cost runs through it."""
    loss, model = Adversarial(), network()
    before, start = weights(loss.adversary), weights(model)
    judge = {id(p) for p in loss.adversary.parameters()}

    def optim(parameters):
        return torch.optim.SGD(parameters, lr=0.0 if id(parameters[0]) in judge else 0.1)

    fit(tmp_path, model, loss, optim=optim, steps=5)
    assert torch.equal(before, weights(loss.adversary))
    assert not torch.equal(start, weights(model))


class Noisy(nn.Module):
    """Gaussian likelihood with one learned noise level per target: a weight that cooperates."""

    targets = {"reals"}
    outputs_per_target = 1

    def __init__(self, n_targets=3):
        super().__init__()
        self.log_std = nn.Parameter(torch.zeros(n_targets))

    def forward(self, out, y):
        return {"nll": (self.log_std + 0.5 * ((y - out) / self.log_std.exp()).square()).mean()}

    def predict(self, out):
        return {"mean": out}


def test_a_cooperating_weight_finds_the_true_noise(tmp_path):
    data = Line(n=4096, noise=0.25)
    linear = nn.Linear(5, 3)
    _, _, loss, _ = fit(tmp_path, linear, Noisy(), data, partial(torch.optim.Adam, lr=3e-2), steps=900, batch=512)
    residual = (data.train.y - linear(data.train.x)).std(0)
    assert loss.log_std.exp().detach() == pytest.approx(torch.full((3,), 0.25), abs=0.01)
    assert loss.log_std.exp().detach() == pytest.approx(residual.detach(), rel=0.02)


def test_batches_and_outputs_may_be_dicts(tmp_path):
    class Named(Line):
        def __init__(self):
            super().__init__()
            for split in (self.train, self.val, self.test):
                take = split.take
                split.take = lambda index, take=take: tuple({"a": part} for part in take(index))

    class Inside(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network()

        def forward(self, x):
            return {"a": self.inner(x["a"])}

    class Cost(Squared):
        def forward(self, out, y):
            return super().forward(out["a"], y["a"])

        def predict(self, out):
            return {"mean": out["a"]}

    class Rmse(Error):
        def numbers(self, predicted, y, truth):
            return super().numbers(predicted, y["a"], truth)

    _, model, _, results = fit(tmp_path / "dict", Inside(), Cost(), Named(), metrics=Rmse())
    _, plain, _, expected = fit(tmp_path / "plain")
    assert torch.equal(weights(model), weights(plain))
    assert results == expected


SETTINGS = [
    (
        partial(torch.optim.Adam, lr=1e-2, betas=[0.9, 0.999]),
        dict(lr=5e-3, betas=(0.5, 0.9), eps=1e-4, weight_decay=0.3),
    ),
    (partial(torch.optim.Adam, lr=1e-2, fused=True), dict(fused=False)),
    (partial(torch.optim.SGD, lr=1e-2), dict(momentum=0.9, nesterov=True, weight_decay=0.1)),
    (partial(torch.optim.SGD, lr=1e-2, momentum=0.9), dict(momentum=0.0, dampening=0.1)),
    (partial(torch.optim.LBFGS, lr=1.0), dict(max_iter=7, max_eval=9, history_size=3, tolerance_grad=1e-3, lr=0.5)),
]


@pytest.mark.parametrize("optim, other", SETTINGS)
def test_settings_of_an_optimizer_are_those_of_now_and_its_memory_is_kept(optim, other):
    cpu, (x, y) = Precision("fp32", "cpu"), Line().train.take(torch.arange(64))

    def player(optim):
        torch.manual_seed(0)
        model = nn.Linear(5, 3)
        return Step(model, players(model, Squared(), optim, cpu), cpu.scaler)

    before = player(optim)
    for _ in range(3):
        before([(x, y)])
    saved = before.players[0].optimizer.state_dict()
    now = player(partial(optim, **other))
    now.players[0].restore(saved)
    group = now.players[0].optimizer.param_groups[0]
    assert {name: group[name] for name in other} == other
    kept = now.players[0].optimizer.state_dict()["state"]
    assert kept.keys() == ({} if "history_size" in other else saved["state"]).keys()
    for _ in range(30):
        now([(x, y)])
    assert weights(now.model).isfinite().all()


def test_a_setting_that_needs_more_than_was_kept_is_refused_by_name():
    cpu, model = Precision("fp32", "cpu"), nn.Linear(5, 3)
    adam = partial(torch.optim.Adam, lr=1e-2)
    before = players(model, Squared(), adam, cpu)
    Step(model, before, cpu.scaler)([Line().train.take(torch.arange(8))])
    (now,) = players(model, Squared(), partial(adam, amsgrad=True), cpu)
    with pytest.raises(BadInput, match=r"optim\.amsgrad: the checkpoint has no max_exp_avg_sq"):
        now.restore(before[0].optimizer.state_dict())


@pytest.mark.parametrize(
    "optim, words",
    [
        (partial(torch.optim.Adam, lr=-1.0, betas=[0.9, 0.99]), "optim.lr=-1.0: "),
        (partial(torch.optim.Adam, lr=1e-3, betas=[0.9]), "optim.betas=[0.9]: "),
        (partial(torch.optim.Adam, lr=None), "optim.lr=null: "),
        (partial(torch.optim.LBFGS, lr=1.0, line_search_fn="armijo"), "optim.line_search_fn=armijo: "),
        (partial(torch.optim.LBFGS, lr=1.0, history_size=0), "optim.history_size=0: "),
        (partial(torch.optim.LBFGS, lr=1.0, max_iter=0), "optim.max_iter=0: "),
        (partial(torch.optim.SGD, lr=1.0, momentum=0.0, nesterov=True), "optim.nesterov=True: "),
    ],
)
def test_what_torch_would_refuse_is_refused_by_name_before_anything_begins(optim, words):
    with pytest.raises(BadInput) as error:
        players(nn.Linear(5, 3), Squared(), optim, Precision("fp32", "cpu"))
    assert str(error.value).startswith(words) and "\n" not in str(error.value)
