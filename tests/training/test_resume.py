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

from dlthink import __version__
from dlthink.errors import BadInput
from dlthink.training import checkpoint, rng
from dlthink.training.experiment_parts import Parts
from dlthink.training.interrupt import Interrupted
from dlthink.training.logger import Logger
from dlthink.training.loop import RESUMED, Loop
from dlthink.training.sampler import Sampler
from dlthink.training.trainer import Trainer
from tests.conftest import needs_lite1
from tests.training.test_players import Adversarial
from tests.training.toy import Error, Line, Squared, fit, network, rows, weights

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
    spec = dict(steps=30, validate_every=7, log_every=5) | spec
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
        for k in ("model", "loss", "optimizers", "ema", "sampler", "generators", "step", "best", "stale", "scaler")
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
        start(tmp_path / "parts", {}, stop_at=23)
    saved, _ = checkpoint.load_last(tmp_path / "parts" / "checkpoints")
    logger = tmp_path / "parts" / "metrics.csv"
    with open(logger, "a") as file:  # what a kill may leave: rows beyond the checkpoint, half a row
        file.write("28,3,train,mse,123\n29,3,tr")
    start(tmp_path / "parts", {}, saved)

    def curve(folder):
        with open(folder / "metrics.csv", newline="") as file:
            rows = [r for r in csv.DictReader(file) if r["split"] != "speed"]
        return [(r["step"], r["split"], r["name"], pytest.approx(float(r["value"]), rel=1e-6)) for r in rows]

    assert curve(tmp_path / "whole") == curve(tmp_path / "parts")
    events = EventAccumulator(str(tmp_path / "parts"))
    events.Reload()
    steps = [e.step for e in events.Scalars("train/mse")]
    assert steps == sorted(set(steps)) == list(range(5, 31, 5))


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


# ------------------------------------------------------------------------------------ other settings than before

SGD = torch.optim.SGD
SAME_CHANGES = [("fp16", "fp32"), ("bf16", "fp16")]  # a scaler goes, a scaler comes, as above


def changed(tmp_path, before, after, steps=20, more=20):
    """A run of some steps, resumed with other settings for more: the run, its last checkpoint."""
    start(tmp_path, dict(steps=steps) | before)
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    run, *_ = start(tmp_path, dict(steps=steps + more) | before | after, saved)
    return run, checkpoint.load(tmp_path / "checkpoints" / "last.pt")


def test_settings_of_now_are_what_the_optimizer_uses(tmp_path):
    """The weights are those of a loop by hand that changes them at that step."""
    before, after = dict(lr=1e-2, betas=(0.9, 0.999)), dict(lr=5e-4, betas=(0.5, 0.9), weight_decay=0.3)
    optim = [partial(torch.optim.Adam, **knobs) for knobs in (before, after)]
    run, last = changed(tmp_path, {"optim": optim[0]}, {"optim": optim[1]})
    hand, data = network(), Line()
    by_hand = optim[0](hand.parameters())
    for step, index in zip(range(40), Sampler(data.train, 32, 0, torch.device("cpu")), strict=False):
        if step == 20:
            by_hand.param_groups[0].update(after)
        by_hand.zero_grad()
        x, y = data.train.take(index)
        (hand(x) - y).square().mean().backward()
        by_hand.step()
    assert torch.equal(weights(hand), weights(run.model))
    assert last["optimizers"]["network"]["param_groups"][0]["weight_decay"] == 0.3


@pytest.mark.parametrize(
    "before, after, rate",
    [
        (dict(schedule="cosine"), dict(schedule="constant"), 0.2),
        (dict(schedule="linear", warmup=3), dict(schedule="constant"), 0.2),
        (dict(warmup=30), dict(warmup=5), 0.2),
        (dict(), dict(warmup=80), 0.2 * 40 / 80),
        (dict(), dict(optim=partial(SGD, lr=0.05)), 0.05),
        (dict(schedule="cosine"), dict(schedule="constant", optim=partial(SGD, lr=0.05)), 0.05),
    ],
)
def test_the_learning_rate_is_what_schedule_and_optimizer_say_now(tmp_path, before, after, rate):
    _, last = changed(tmp_path, dict(optim=partial(SGD, lr=0.2)) | before, after)
    assert last["optimizers"]["network"]["param_groups"][0]["lr"] == pytest.approx(rate)


@pytest.mark.parametrize(
    "before, after",
    [("fp32", "fp16"), ("fp16", "bf16"), *(pytest.param(*p, marks=pytest.mark.slow) for p in SAME_CHANGES)],
)
def test_another_precision(tmp_path, before, after):
    run, last = changed(tmp_path, {"precision": before}, {"precision": after})
    assert run.step == 40 and bool(last["scaler"]) == (after == "fp16")


@pytest.mark.parametrize("before, after", [(None, 0.9), (0.9, None), (0.9, 0.5)])
def test_averaged_weights_on_and_off(tmp_path, before, after):
    _, last = changed(tmp_path, {"ema": before}, {"ema": after})
    assert (last["ema"] is None) == (after is None)


@pytest.mark.parametrize("before, after", [(0.0, 0.1), (0.1, 0.0)])
def test_terms_that_come_or_go_between_two_log_lines(tmp_path, before, after):
    """Stopped at step 17, with a line at each tenth: that of step 20 has terms of both."""
    with pytest.raises(Interrupted):
        start(tmp_path, {"l2": before, "log_every": 10}, stop_at=17)
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    start(tmp_path, {"l2": after, "log_every": 10, "steps": 30}, saved)
    assert [step for step, _ in rows(tmp_path, "train", "l2")] == ([20, 30] if after else [10, 20])


@pytest.mark.parametrize("after, left", [({"batch": 16}, 32), ({"batch": 128}, 4), ({"accumulate": 2}, 8), ({}, 16)])
def test_epochs_stay_epochs_in_batches_of_another_size(tmp_path, capsys, after, left):
    """256 samples: two epochs of eight steps, then two more in batches of another size, with a stop on the way."""
    start(tmp_path, dict(steps=None, epochs=2))
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    with pytest.raises(Interrupted):
        start(tmp_path, dict(steps=None, epochs=4) | after, saved, stop_at=3)
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    run, *_ = start(tmp_path, dict(steps=None, epochs=4) | after, saved)
    assert run.step == 16 + left and run.sampler.epochs == pytest.approx(4.0)
    assert capsys.readouterr().out.count("note: step 16: trainer.batch") == ("batch" in after)


def test_a_search_that_had_converged_is_taken_up_where_the_cost_is_another(tmp_path):
    spec = dict(optim=partial(torch.optim.LBFGS, line_search_fn="strong_wolfe"), batch=None, steps=9, l2=1.0)
    start(tmp_path, spec)
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    assert saved["converged"] and saved["step"] < 9
    same_cost, *_ = start(tmp_path, spec, saved)
    assert same_cost.step == saved["step"]
    trainer = Trainer(device="cpu", batch=None, steps=9, l2=0.1)
    parts = Parts(Line(), Error(), Squared(), network(), spec["optim"], trainer)
    run = Loop(parts, tmp_path, saved=saved, changed=True)
    run.run()
    assert run.step > saved["step"]


@pytest.mark.parametrize(
    "spec, words", [(dict(steps=10), "10 of 10 steps"), (dict(patience=2, steps=900), "no better figure in 2 valid")]
)
def test_where_nothing_is_left_to_train_it_says_why(tmp_path, capsys, spec, words):
    spec = dict(optim=partial(SGD, lr=0.0)) | spec
    start(tmp_path, spec)
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    capsys.readouterr()
    start(tmp_path, spec, saved)
    assert f"note: nothing is left to train: {words}" in capsys.readouterr().out


def test_the_best_that_is_lost_is_chosen_anew(tmp_path, capsys):
    start(tmp_path, {"steps": 20})
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    (tmp_path / "checkpoints" / "best.pt").unlink()  # it may be the last one, too
    (tmp_path / "checkpoints" / "best.pt").write_bytes(b"x")
    run, *_ = start(tmp_path, {"steps": 30, "optim": partial(SGD, lr=0.0)}, saved)
    assert run.best.step == 21 and "best weights are chosen anew" in capsys.readouterr().out


@pytest.mark.parametrize("name", RESUMED)
def test_a_checkpoint_that_lacks_something_says_who_wrote_it(tmp_path, name):
    start(tmp_path, {"steps": 5})
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    del saved.state[name]
    with pytest.raises(BadInput, match=rf"has no {name} \(dlthink {__version__} wrote it") as error:
        start(tmp_path, {"steps": 9}, saved)
    assert "\n" not in str(error.value)


ODD = dict(optimizers={}, sampler={}, generators={}, best=None, stale="a", recent=None, step="x", scaler={"a": 1})


@pytest.mark.parametrize("name, value", ODD.items(), ids=ODD)
def test_a_checkpoint_that_does_not_fit_is_refused_in_one_line(tmp_path, name, value):
    start(tmp_path, {"steps": 5, "precision": "fp16"})
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    saved.state[name] = value
    with pytest.raises(BadInput, match=r"last\.pt: ") as error:
        start(tmp_path, {"steps": 9, "precision": "fp16"}, saved)
    assert "\n" not in str(error.value)


def test_what_a_newer_version_adds_is_in_nobodys_way(tmp_path):
    start(tmp_path, {"steps": 5})
    saved, _ = checkpoint.load_last(tmp_path / "checkpoints")
    saved.state.update(version="99.0", telescope={"a": 1})
    run, *_ = start(tmp_path, {"steps": 9}, saved)
    assert run.step == 9


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

    Logger.figures = lambda *_: None  # most of the time, and no part of what is resumed
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem, pace, kills",
    [
        (SPIKES, 1000, 3),
        (SPIKES, 1000, 20),
        pytest.param([*SEASONS, "loss.mmd=1"], 100, 5, marks=needs_lite1),
        ([*SEASONS, "loss=cyclegan"], 100, 5),
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
