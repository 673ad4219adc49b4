"""One run from its first step to its end: what it sees, when it ends, which weights are kept."""

import json
from functools import partial

import numpy as np
import pytest
import torch

from dlthink.errors import Diverged
from tests.training.toy import Error, Line, Squared, fit, network, rows, weights


def test_equals_a_loop_written_by_hand(tmp_path):
    data = Line()
    taken = []
    take = data.train.take
    data.train.take = lambda index: (taken.append(index), take(index))[1]
    _, model, _, _ = fit(tmp_path, data=data, steps=30, validate_every=30)
    hand = network()
    optim = torch.optim.Adam(hand.parameters(), lr=1e-2)
    for index in taken[1:31]:  # the first was the sanity check's
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
    run, *_ = fit(tmp_path, data=data, steps=None, epochs=2, batch=32, validate_every=100)
    assert run.step == 6
    taken = taken[1:]  # the first was the sanity check's
    first, second = torch.cat(taken[:3]), torch.cat(taken[3:6])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(96))
    assert first.tolist() != second.tolist() != list(range(96))


@pytest.mark.parametrize(
    "bounds, steps", [({}, 6), ({"at_least": 4, "at_most": 8}, 6), ({"at_least": 10}, 10), ({"at_most": 5}, 5)]
)
def test_epochs_are_so_many_steps_at_least_and_at_most(tmp_path, bounds, steps):
    run, *_ = fit(tmp_path, data=Line(n=96), steps=None, epochs=2, batch=32, validate_every=100, **bounds)
    assert run.step == run.total == steps


def test_early_stopping_and_the_best_is_kept(tmp_path):
    run, _, _, results = fit(tmp_path, optim=partial(torch.optim.SGD, lr=0.0), steps=1000, validate_every=5, patience=3)
    assert run.step == 5 * 4  # one that is best, three that are not better
    assert run.best.step == 5
    values = dict(rows(tmp_path, "val", "rmse"))
    assert results["val"]["rmse"] == pytest.approx(min(values.values()), rel=1e-6)


def test_the_best_on_validation_is_tested_not_the_last(tmp_path):
    class Worse(Squared):
        """Good for twenty steps, then the wrong way."""

        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.tensor(0))

        def forward(self, out, y):
            self.seen += self.training
            return {"mse": super().forward(out, y)["mse"] * (1 if self.seen <= 20 else -1)}

    _, _, _, results = fit(tmp_path, loss=Worse(), steps=60, validate_every=20)
    values = dict(rows(tmp_path, "val", "rmse"))
    assert values[20] < values[60]
    assert results["val"]["rmse"] == pytest.approx(values[20], rel=1e-6)
    training = {"steps": 60, "best": 20, "late_gain": 0.0}
    assert json.loads((tmp_path / "metrics.json").read_text()) == results | {"training": training}


def test_scores_of_the_test_splits_items_lie_beside_the_metrics(tmp_path):
    class ByRow(Error):
        def item_scores(self, predicted, y, known):
            return {"item": np.arange(len(y)), "se": (predicted["mean"] - y).square().mean(1).numpy()}

    fit(tmp_path, metrics=ByRow())
    with np.load(tmp_path / "scores.npz", allow_pickle=False) as scores:
        assert scores["item"].tolist() == list(range(64))
        rmse = json.loads((tmp_path / "metrics.json").read_text())["test"]["rmse"]
        assert scores["se"].mean() ** 0.5 == pytest.approx(rmse, rel=1e-5)
    fit(tmp_path / "none")
    assert not (tmp_path / "none" / "scores.npz").exists()


def test_time_limit_stops_and_examines(tmp_path, capsys):
    run, _, _, results = fit(tmp_path, steps=10**9, minutes=0.005, validate_every=10**9)
    assert 0 < run.step < 10**9
    assert (
        f"note: trainer.minutes=0.005 ended it after {run.step:,} of 1,000,000,000 steps; " in capsys.readouterr().out
    )
    assert "rmse" in results["test"]
    assert (tmp_path / "checkpoints" / "last.pt").exists()


def test_weights_that_are_not_numbers_are_never_saved(tmp_path):
    class Trap(Squared):
        """A finite cost whose gradient is not, from the third step on: the root of zero."""

        asked = 0

        def forward(self, out, y):
            self.asked += self.training
            trap = (out - out).square().sum().sqrt() if self.asked > 2 else 0
            return {"mse": super().forward(out, y)["mse"] + trap}

    with pytest.raises(Diverged, match="weights"):
        fit(tmp_path, loss=Trap(), steps=3)
    assert not (tmp_path / "checkpoints" / "last.pt").exists()


def test_fit_on_validation_is_asked_and_kept(tmp_path):
    class Settled(Squared):
        def __init__(self):
            super().__init__()
            self.register_buffer("spread", torch.zeros(3))

        def fit_on_validation(self, out, y):
            self.spread.copy_((y - out).std(0))

    _, model, loss, _ = fit(tmp_path, loss=Settled(), steps=60, validate_every=20)
    data = Line()
    torch.testing.assert_close(loss.spread, (data.val.y - model(data.val.x)).std(0).detach())


def test_steps_draw_and_examinations_take(tmp_path):
    data, drawn = Line(), []
    take = data.train.take
    data.train.draw = lambda index: drawn.append(len(index)) or take(index)
    fit(tmp_path, data=data, steps=7, batch=16)
    assert drawn == [16] * (1 + 7)  # the sanity check's, and seven steps


def test_training_samples_are_examined_too_as_many_as_validation_has(tmp_path):
    class Counting(Error):
        def __init__(self):
            self.seen = []

        def numbers(self, predicted, y, truth):
            self.seen.append(len(y))
            return super().numbers(predicted, y, truth)

    metrics = Counting()
    data = Line(n=256)
    data.test.x, data.test.y = data.test.x[:50], data.test.y[:50]
    fit(tmp_path, data=data, metrics=metrics, steps=20)
    assert metrics.seen == [64, 64, 64, 50]  # validation, as many of training; validation and test at the end


def test_a_cost_that_falls_over_wrong_answers_is_doubted_at_the_end_even_of_the_best_weights(tmp_path, capsys):
    class Blaming(Error):
        def remarks(self, predicted, y, truth):
            return ["every answer is off; try another cost"]

    run, *_ = fit(tmp_path, metrics=Blaming())
    assert run.best.step == run.total == 40
    assert "and yet on training samples every answer is off" in capsys.readouterr().out
