"""After any stop, the run goes on as if nothing had happened: the same weights, bit for bit."""

import csv
import multiprocessing
import os
import random
import signal
import time
from functools import partial

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dlthink.errors import BadInput
from dlthink.training import checkpoint, rng
from dlthink.training.board import Board
from dlthink.training.interrupt import Interrupted
from tests.conftest import needs_lite1
from tests.training.test_players import Adversarial
from tests.training.toy import Line, fit, network, weights

ADAM = partial(torch.optim.Adam, lr=1e-2)
LBFGS = partial(torch.optim.LBFGS, max_iter=3, history_size=5, line_search_fn="strong_wolfe")
RUNS = {
    "dropout": dict(model=lambda: network(dropout=0.4)),
    "momentum": dict(optim=partial(torch.optim.SGD, lr=0.01, momentum=0.9)),
    "schedule, average, clip": dict(schedule="cosine", warmup=5, ema=0.9, clip=0.5),
    "fp16 with a live scaler": dict(precision="fp16"),
    "accumulated": dict(accumulate=2),
    "early stopping": dict(patience=6, optim=partial(torch.optim.SGD, lr=0.0), steps=200),
    "l-bfgs": dict(optim=LBFGS, batch=None, steps=30),
}


def start(folder, spec, saved=None, stop_at=None):
    """Train as `spec` says; `stop_at` raises SIGTERM in the middle of that step."""
    spec = dict(steps=60, validate_every=7, log_every=5) | spec
    model, data = spec.pop("model", network)(), Line()
    if stop_at is not None:
        take, seen = data.train.take, []

        def stopping(index):
            if len(index) != 64:  # not the examination of training samples
                seen.append(1)
                if len(seen) == stop_at:
                    os.kill(os.getpid(), signal.SIGTERM)
            return take(index)

        data.train.take = stopping
    rng.seed(5)
    return fit(folder, model, data=data, saved=saved, **spec)


def whole_state(folder):
    saved = checkpoint.load(folder / "checkpoints" / "last.pt")
    return {
        k: saved[k]
        for k in ("model", "loss", "optimizers", "ema", "order", "generators", "step", "best", "stale", "scaler")
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or a != a  # nan is nan


@pytest.mark.parametrize("spec", RUNS.values(), ids=RUNS.keys())
def test_stopped_in_the_middle_and_resumed_equals_uninterrupted(tmp_path, spec):
    _, model, _, results = start(tmp_path / "whole", spec)
    saved = None
    for stop_at in (3, 9, 11):
        with pytest.raises(Interrupted):
            start(tmp_path / "parts", spec, saved, stop_at)
        saved, _ = checkpoint.load_last(tmp_path / "parts" / "checkpoints")
    _, resumed, _, again = start(tmp_path / "parts", spec, saved)
    assert torch.equal(weights(model), weights(resumed))
    assert results == again
    one, other = whole_state(tmp_path / "whole"), whole_state(tmp_path / "parts")
    assert [key for key in one if not same(one[key], other[key])] == []


def test_curves_and_table_go_on_without_gap_or_repeat(tmp_path):
    start(tmp_path / "whole", {})
    with pytest.raises(Interrupted):
        start(tmp_path / "parts", {}, stop_at=33)
    saved, _ = checkpoint.load_last(tmp_path / "parts" / "checkpoints")
    board = tmp_path / "parts" / "metrics.csv"
    with open(board, "a") as file:  # what a kill may leave: rows beyond the checkpoint, half a row
        file.write("40,4,train,mse,123\n41,4,tr")
    start(tmp_path / "parts", {}, saved)

    def curve(folder):
        with open(folder / "metrics.csv", newline="") as file:
            rows = [r for r in csv.DictReader(file) if r["split"] != "speed"]
        return [(r["step"], r["split"], r["name"], pytest.approx(float(r["value"]), rel=1e-6)) for r in rows]

    assert curve(tmp_path / "whole") == curve(tmp_path / "parts")
    events = EventAccumulator(str(tmp_path / "parts"))
    events.Reload()
    steps = [e.step for e in events.Scalars("train/mse")]
    assert steps == sorted(set(steps)) == list(range(5, 61, 5))


def test_a_finished_run_only_examines_again(tmp_path):
    _, model, _, results = start(tmp_path, {})
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    _, again, _, same_results = start(tmp_path, {}, saved)
    assert torch.equal(weights(model), weights(again)) and results == same_results


def test_a_longer_run_goes_on_from_a_shorter_one(tmp_path):
    start(tmp_path / "long", {"steps": 80})
    start(tmp_path / "short", {"steps": 40})
    saved, _ = checkpoint.load_last(tmp_path / "short" / "checkpoints")
    start(tmp_path / "short", {"steps": 80}, saved)
    one, other = whole_state(tmp_path / "long"), whole_state(tmp_path / "short")
    assert same(one["model"], other["model"])


def test_an_adversary_is_resumed_too(tmp_path):
    """Weights of both players and both optimizers (a pool's content is its cost's own to save)."""

    class Fresh(Adversarial):
        """No pool: what it remembers would have to be in its state."""

        def __init__(self):
            super().__init__()
            self.pool.swap = torch.clone

    def run(folder, saved=None, steps=30):
        return fit(folder, loss=Fresh(), steps=steps, saved=saved)

    run(tmp_path / "whole")
    run(tmp_path / "parts", steps=13)
    saved, _ = checkpoint.load_last(tmp_path / "parts" / "checkpoints")
    run(tmp_path / "parts", saved)
    one, other = (checkpoint.load(tmp_path / n / "checkpoints" / "last.pt") for n in ("whole", "parts"))
    assert same(one["model"], other["model"]) and same(one["loss"], other["loss"])
    assert same(one["optimizers"], other["optimizers"])


def test_resumed_with_another_network_is_refused(tmp_path):
    start(tmp_path, {"steps": 10})
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    with pytest.raises(BadInput, match="another network"):
        fit(tmp_path, torch.nn.Linear(5, 3), saved=saved)


# ---------------------------------------------------------------------------------------------- kill -9, for real

SPIKES = ["data=spikes", "model=mlp", "data.minutes=2", "data.neurons=5", "model.width=8", "model.dropout=0.2"]
SPIKES += ["trainer.batch=64", "trainer.log_every=20"]
SEASONS = ["data=seasons", "data.scenes=8", "data.val_scenes=2", "data.test_scenes=2", "data.size=32"]
SEASONS += ["metrics.features=embedded", "model.width=4", "model.blocks=1", "loss.discriminator.width=4", "loss.pool=4"]
OFTEN = ["trainer.device=cpu", "trainer.save_minutes=0.0003"]  # a checkpoint every 18 ms


def command(words, folder):
    """One `dlthink` command in a process of its own."""
    os.chdir(folder)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    torch.set_num_threads(1)
    from dlthink.__main__ import main

    Board.figures = lambda *_: None  # most of the time, and no part of what is resumed
    raise SystemExit(main(words))


def run_and_kill(context, words, folder, after, wait=True):
    """Kill it `after` seconds (None: never) from its first checkpoint or, wait=False, from its start. Did it end?"""
    last = folder / "run" / "checkpoints" / "last.pt"
    stamp = last.stat().st_mtime_ns if last.exists() else None
    process = context.Process(target=command, args=(words, folder))
    process.start()
    while wait and process.is_alive() and (not last.exists() or last.stat().st_mtime_ns == stamp):
        time.sleep(0.002)
    process.join(after)
    finished = not process.is_alive()
    process.kill()
    process.join()
    assert process.exitcode == (0 if finished else -signal.SIGKILL)
    return finished


@pytest.mark.parametrize(
    "problem, pace, kills",
    [
        (SPIKES, 1000, 3),
        pytest.param(SPIKES, 1000, 20, marks=pytest.mark.slow),
        pytest.param([*SEASONS, "loss.mmd=1"], 100, 5, marks=[pytest.mark.slow, needs_lite1]),
        pytest.param([*SEASONS, "loss=cyclegan"], 100, 5, marks=pytest.mark.slow),
    ],
    ids=["spikes", "spikes, often", "seasons", "seasons, cyclegan"],
)
def test_killed_at_random_moments_and_resumed(tmp_path, monkeypatch, problem, pace, kills):
    """pace: steps for each kill, more than can be done between two of them."""
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["torch._dynamo", "dlthink.training.trainer", "dlthink.runs.folder", "dlthink.data.recordings.spikes"]
    )
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    steps = pace * kills
    first = ["train", *problem, *OFTEN, "hydra.run.dir=run"]
    first += [f"trainer.steps={steps}", f"trainer.validate_every={steps // 4}"]
    assert run_and_kill(context, first, tmp_path / "whole", after=None)
    chance, words, reached = random.Random(kills), first, []
    for _ in range(kills):
        training = chance.random() < 0.8  # or still loading
        after = chance.uniform(0.0, 0.7)
        assert not run_and_kill(context, words, tmp_path / "parts", after, wait=training or words is first)
        words = ["train", "resume=run"]
        reached.append(checkpoint.load_last(tmp_path / "parts" / "run" / "checkpoints")[0]["step"])
    assert reached == sorted(reached) and len(set(reached)) > kills // 2  # it got on between the kills
    assert run_and_kill(context, words, tmp_path / "parts", after=None)
    one, other = whole_state(tmp_path / "whole" / "run"), whole_state(tmp_path / "parts" / "run")
    assert [key for key in one if not same(one[key], other[key])] == []
    texts = [(tmp_path / name / "run" / "metrics.json").read_text() for name in ("whole", "parts")]
    assert texts[0] == texts[1]
