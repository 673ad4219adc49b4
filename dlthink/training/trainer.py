"""The one loop. Every scenario, every cost: who learns, in which precision, for how long, and what is kept of it."""

import math
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from tqdm import tqdm

from dlthink.errors import BadInput, Diverged
from dlthink.nested import each
from dlthink.training import checkpoint, evaluation, rng
from dlthink.training.board import Board, write_json
from dlthink.training.ema import Average
from dlthink.training.interrupt import Interrupt, Interrupted
from dlthink.training.players import Player, Terms, players
from dlthink.training.precision import Format, Precision
from dlthink.training.sampler import Order
from dlthink.training.schedule import Shape, factor


class Trainer:
    """Trains a network on a cost, examines it, and can go on from any checkpoint as if nothing had happened.

    Knobs (conf/trainer): length in `epochs`, or in `steps` (which wins); `batch` samples a step (null: all),
    `accumulate` of them summed into one step; `schedule` and `warmup` of the learning rate; `clip` the gradient's norm;
    `l2` penalty on weight matrices, l2/2 |w|^2; `ema` decay of averaged weights; `patience` validations without a
    better figure; `minutes` for one launch; `validate_every` steps (null: each epoch), `log_every` steps,
    `save_minutes` between checkpoints when validations are rare.
    """

    def __init__(
        self,
        epochs: int | None = 30,
        steps: int | None = None,
        batch: int | None = 256,
        accumulate: int = 1,
        schedule: Shape = "constant",
        warmup: int = 0,
        clip: float | None = None,
        l2: float = 0.0,
        ema: float | None = None,
        patience: int | None = None,
        minutes: float | None = None,
        precision: Format = "auto",
        device: str = "auto",
        deterministic: bool = False,
        channels_last: bool = False,
        compile: bool = False,
        log_every: int = 50,
        validate_every: int | None = None,
        save_minutes: float = 5.0,
        examine_batch: int = 4096,
    ):
        if steps is None and epochs is None:
            raise BadInput("trainer.epochs and trainer.steps are both null: say how long to train")
        at_least_one = dict(epochs=epochs, steps=steps, batch=batch, accumulate=accumulate, patience=patience)
        at_least_one |= dict(log_every=log_every, validate_every=validate_every, examine_batch=examine_batch)
        for name, value in at_least_one.items():
            if value is not None and value < 1:
                raise BadInput(f"trainer.{name}={value}: must be 1 or more")
        for name, value in dict(clip=clip, minutes=minutes, save_minutes=save_minutes).items():
            if value is not None and not value > 0:
                raise BadInput(f"trainer.{name}={value}: must be above 0")
        if ema is not None and not 0 < ema < 1:
            raise BadInput(f"trainer.ema={ema}: a decay lies between 0 and 1, e.g. 0.999")
        if not 0 <= l2 < math.inf or warmup < 0:
            raise BadInput(f"trainer.l2={l2}, trainer.warmup={warmup}: must be numbers from 0")
        self.epochs, self.steps, self.batch, self.accumulate = epochs, steps, batch, accumulate
        self.schedule, self.warmup, self.clip, self.l2 = schedule, warmup, clip, l2
        self.ema, self.patience, self.minutes = ema, patience, minutes
        self.log_every, self.validate_every = log_every, validate_every
        self.save_minutes, self.examine_batch, self.compile = save_minutes, examine_batch, compile
        self.precision = Precision(precision, device, deterministic, channels_last)

    # ------------------------------------------------------------------------------------------------- a whole run

    def fit(
        self,
        model: nn.Module,
        loss: nn.Module,
        data: Any,
        metrics: Any,
        optim: Callable[[list[nn.Parameter]], torch.optim.Optimizer],
        folder: Path,
        seed: int = 0,
        saved: dict | None = None,
        hparams: dict[str, str | float | bool] | None = None,
        text: str = "",
    ) -> dict[str, dict[str, float]]:
        """Train until the end, the time limit or a signal (`Interrupted`), then examine the best weights.

        `saved` is the checkpoint to go on from. Returns the metrics of validation and test, which are in
        `metrics.json` too.
        """
        self._move_in(model, loss, data, metrics, optim, folder, seed)
        if saved is not None:
            self._restore(saved)
        few = evaluation.batches_of(len(self.val), 16, self.precision.device)[0]
        evaluation.rehearse(model, loss, self.val, few, metrics)
        self.board = Board(folder, after=None if saved is None else self.step)
        self.board.text("config", text, self.step)
        try:
            with tqdm(total=self.total, initial=self.step, disable=None, unit="step") as self.bar, Interrupt() as stop:
                self._loop(stop)
            results = self._final_examination()
            self.board.hparams(hparams or {}, results["test"], self.step)
        finally:
            self.board.close()
        return results

    def _move_in(self, model, loss, data, metrics, optim, folder, seed) -> None:
        """Everything to its device, everybody to their side of the game."""
        device = self.precision.device
        self.model, self.loss, self.metrics, self.data = model.to(device), loss.to(device), metrics, data
        self.folder, self.checkpoints = folder, folder / "checkpoints"
        self.train, self.val, self.test = (split.to(device) for split in (data.train, data.val, data.test))
        self.draw = getattr(self.train, "draw", self.train.take)  # what is drawn for a step may be augmented
        if hasattr(loss, "prepare"):
            loss.prepare(self.train.targets())
        for network in (model, getattr(loss, "adversary", None), getattr(loss, "eye", None)):
            if isinstance(network, nn.Module):
                self.precision.network(network)
        if self.compile:
            model.compile()
        self.players = players(model, loss, optim, self.precision)
        self.watched = hasattr(loss, "watch")
        self.kept = self.watched or len(self.players) > 1  # are a step's outputs looked at once more?
        self.penalized = [p for p in model.parameters() if p.ndim > 1] if self.l2 else []
        self.order = Order(self.train, self.batch, seed, device)
        if self.order.batch * self.accumulate < len(self.train) and any(player.searches for player in self.players):
            raise BadInput("optim=lbfgs searches on all samples at once: use trainer=lbfgs, or trainer.batch=null")
        self.epoch_steps = max(1, len(self.order) // self.accumulate)
        self.total = self.steps or self.epochs * self.epoch_steps
        self.average = Average(model, self.ema) if self.ema else None
        self.converged = False  # has a search along lines come to its end?
        self.step, self.stale, self.best = 0, 0, {"value": math.nan, "step": 0}
        self.shown: dict[str, str] = {}  # beside the progress bar
        self.remarks: set[str] = set()  # what the cost has said of itself
        self.recent: list[Terms] = []  # the terms of each step since the last log line, still on the device
        self.indices: list[list[torch.Tensor]] = []  # and its batches, to name one that goes wrong

    def _loop(self, stop: Interrupt) -> None:
        began = self.saved_at = self.logged_at = time.monotonic()
        self.logged_step, self.paused = self.step, 0.0  # seconds since then that were no steps
        validate_every = self.validate_every or self.epoch_steps
        self.stream = iter(self.order)
        self.model.train()
        self.loss.train()
        while not self._finished():
            last = self.step + 1 == self.total
            log = last or (self.step + 1) % self.log_every == 0
            norms = self._take_step(measure=log)
            if log:
                self._log(norms)
            now = time.monotonic()
            late = self.minutes is not None and now - began > 60 * self.minutes
            if last or late or self.converged or self.step % validate_every == 0:
                self._save(better=self._validate())
            elif stop.signal or now - self.saved_at > 60 * self.save_minutes:
                self._save()
            self.paused += time.monotonic() - now
            if stop.signal:
                raise Interrupted(stop.signal)
            if late:
                break

    def _finished(self) -> bool:
        out_of_patience = self.patience is not None and self.stale >= self.patience
        return self.step >= self.total or self.converged or out_of_patience

    # --------------------------------------------------------------------------------------------------- one step

    def _take_step(self, measure: bool) -> list[torch.Tensor]:
        """Each player in turn: terms -> backward on its own parameters only -> step. Returns gradient norms."""
        if self.schedule != "constant" or self.step < self.warmup:
            for player in self.players:
                player.set_rate(factor(self.schedule, self.step, self.total, self.warmup))
        indices = [next(self.stream) for _ in range(self.accumulate)]
        batches = [self.draw(index) for index in indices]
        fakes: list = []  # the network's outputs, detached: what the critic judges is what the network just made
        record, norms, scaler = {}, [], self.precision.scaler
        for player in self.players:
            if player.searches:
                record |= self._search(player, batches)
                continue
            record |= self._backward(player, batches, fakes)[1]
            if self.clip or measure:
                scaler.unscale_(player.optimizer)
                norms.append(self._clip(player))
            scaler.step(player.optimizer)
        scaler.update()
        self.step += 1
        if self.average:
            self.average.update(self.step)
        self.recent.append(record)
        self.indices.append(indices)
        return norms

    def _backward(self, player: Player, batches: list, fakes: list) -> tuple[torch.Tensor, Terms]:
        """The player's cost over the batches and its gradients; the terms by name, without a wait for the device."""
        for parameter in player.parameters:  # zero_grad, but for its note to the profiler: 20 us a step
            parameter.grad = None
        alone, leads = len(self.players) == 1, player is self.players[0]
        totals, records = [], []
        for i, (x, y) in enumerate(batches):
            out = self.model(x) if leads else fakes[i]
            terms = player.cost(out, y)
            if self.penalized and leads:
                terms = terms | {"l2": self.l2 / 2 * reduce(add, [p.square().sum() for p in self.penalized])}
            total = reduce(add, terms.values())
            if len(batches) > 1:
                total = total / len(batches)
            self.precision.scaler.scale(total).backward(inputs=None if alone else player.parameters)
            if leads and self.kept:
                fakes.append(each(torch.Tensor.detach, out))
                self.latest = fakes[-1], y
            totals.append(total)
            records.append({player.prefix + name: term.detach() for name, term in terms.items()})
        if len(batches) == 1:
            return totals[0], records[0]
        mean = {name: torch.stack([r[name] for r in records]).mean() for name in records[0]}
        return reduce(add, totals), mean

    def _search(self, player: Player, batches: list) -> Terms:
        """A step that asks for the cost as often as it likes. Returns the terms it began with."""
        records: list[Terms] = []

        def cost() -> torch.Tensor:
            total, record = self._backward(player, batches, [])
            records.append(record)
            return total

        limits, state = player.optimizer.param_groups[0], player.optimizer.state[player.parameters[0]]
        before = state.get("n_iter", 0)
        player.optimizer.step(cost)
        iterations = state["n_iter"] - before
        self.converged = iterations < limits["max_iter"] and len(records) < limits["max_eval"]
        return records[0]

    def _clip(self, player: Player) -> torch.Tensor:
        norm = get_total_norm([p.grad for p in player.parameters if p.grad is not None])
        if self.clip:
            clip_grads_with_norm_(player.parameters, self.clip, norm)
        return norm

    # ------------------------------------------------------------------------------------- what is told, and kept

    def _means(self) -> dict[str, float]:
        """The terms since the last log line, averaged. The one place where a step's numbers are waited for."""
        names = list(self.recent[0])
        table = torch.stack([record[name] for record in self.recent for name in names]).double().cpu()
        table = table.view(len(self.recent), len(names))
        for row, column in (~table.isfinite()).nonzero().tolist()[:1]:
            samples = torch.cat(self.indices[row - len(self.recent)]).tolist()
            raise self._diverged(
                self.step - len(self.recent) + row + 1,
                f"the term {names[column]} is {table[row, column].item()} on the batch of training samples "
                f"{', '.join(map(str, samples[:8]))}{', ...' if samples[8:] else ''}",
            )
        return dict(zip(names, table.mean(0).tolist(), strict=True))

    def _diverged(self, step: int, what: str) -> Diverged:
        kept = f"{self.checkpoints} keeps the last good checkpoint"
        if not (self.checkpoints / "last.pt").exists():
            kept = "before the first checkpoint"
        advice = getattr(self.loss, "advice", "Try a smaller optim.lr, or trainer.clip=1")
        return Diverged(f"step {step}: {what}; training stops, {kept}. {advice}")

    def _log(self, norms: list[torch.Tensor]) -> None:
        means = self._means()
        now, steps = time.monotonic(), self.step - self.logged_step
        per_second = steps / max(now - self.logged_at - self.paused, 1e-9)
        samples = self.order.batch * self.accumulate * per_second
        optim = {f"{p.prefix}learning_rate": p.optimizer.param_groups[0]["lr"] for p in self.players}
        optim |= {f"{p.prefix}gradient_norm": float(n) for p, n in zip(self.players, norms, strict=False)}
        self.board.scalars("train", means, self.step, self.order.epoch)
        self.board.scalars("optim", optim, self.step, self.order.epoch)
        speed = {"steps_per_second": per_second, "samples_per_second": samples}
        self.board.scalars("speed", speed, self.step, self.order.epoch)
        if self.watched:
            self._watch()
        self.bar.set_postfix({name: f"{value:.4g}" for name, value in means.items()} | self.shown, refresh=False)
        self.bar.update(self.step - self.bar.n)
        self.logged_at, self.logged_step, self.paused = now, self.step, 0.0
        self.recent, self.indices = [], []

    @torch.no_grad()
    def _watch(self) -> None:
        """What the cost sees going wrong in the latest batch: figures, and a remark, said once."""
        seen = {name: float(value) for name, value in self.loss.watch(*self.latest).items()}
        self.board.scalars("watch", seen, self.step, self.order.epoch)
        remark = self.loss.remark(seen)
        if remark and remark not in self.remarks:
            self.remarks.add(remark)
            self.bar.write(f"step {self.step}: {remark}", file=sys.stderr)

    @torch.no_grad()
    def _validate(self) -> bool:
        """Examine validation (with figures) and as many training samples. Is this the best so far?"""
        with self.average.in_place() if self.average else nullcontext():
            answers = self._ask(self.val, loss=self.loss)
            if hasattr(self.loss, "settle"):
                self.loss.settle(answers.out, answers.y)
            reading = evaluation.reading(answers, self.loss)
            numbers = self.metrics.numbers(*reading)
            self.board.scalars("val", answers.terms | numbers, self.step, self.order.epoch)
            self.board.figures("val", self.metrics.figures(*reading), self.step)
            seen = self._ask(self.train, most=len(self.val), loss=self.loss)  # what it draws is part of the run
            trained = self.metrics.numbers(*evaluation.reading(seen, self.loss))
            self.board.scalars("train", trained, self.step, self.order.epoch)
        self.board.flush()
        name, direction = self.metrics.best
        value, best = numbers[name], self.best["value"]
        better = math.isnan(best) or (value > best if direction == "max" else value < best)
        self.stale = 0 if better else self.stale + 1
        if better:
            self.best = {"value": value, "step": self.step}
        self.shown = {f"val {name}": f"{value:.4g}"}
        return better

    def _ask(self, split, most: int | None = None, loss: nn.Module | None = None) -> evaluation.Answers:
        batches = evaluation.batches_of(len(split), self.examine_batch, self.precision.device, most)
        return evaluation.ask(self.model, split, batches, loss)

    @torch.no_grad()
    def _final_examination(self) -> dict[str, dict[str, float]]:
        """The best weights, examined on validation and test: `metrics.json`, figures."""
        path = self.checkpoints / "best.pt"
        checkpoint.install(checkpoint.load(path), self.model, self.loss, path)
        results = {}
        for name, split in (("val", self.val), ("test", self.test)):
            reading = evaluation.reading(self._ask(split), self.loss)
            results[name] = self.metrics.numbers(*reading)
        for remark in evaluation.remarks(self.metrics, *reading):
            print(f"note: test: {remark}")
        self.board.figures("test", self.metrics.figures(*reading), self.step)
        if hasattr(self.metrics, "projection"):
            self.board.projection("test", *self.metrics.projection(*reading), self.step)
        self.board.scalars("test", results["test"], self.step, self.order.epoch)
        write_json(self.folder / "metrics.json", results)
        return results

    def _save(self, better: bool = False) -> None:
        """A checkpoint of everything, unless something in it is not a number."""
        pending = [{k: v.item() for k, v in record.items()} for record in self.recent]
        if self.recent:
            self._means()
        weights = [p.detach() for player in self.players for p in player.parameters]
        if not all(norm.isfinite() for norm in torch._foreach_norm(weights)):
            raise self._diverged(self.step, "the weights are no longer finite though the cost was")
        state = {
            "model": self.model.state_dict(),
            "loss": self.loss.state_dict(),
            "ema": self.average.weights if self.average else None,
            "optimizers": {player.name: player.optimizer.state_dict() for player in self.players},
            "scaler": self.precision.scaler.state_dict(),
            "order": self.order.state(),
            "generators": rng.state(),
            "step": self.step,
            "best": self.best,
            "stale": self.stale,
            "converged": self.converged,
            "recent": pending,
            "data": self.data.state,
            "facts": self.data.facts,
        }
        checkpoint.save(self.checkpoints, state, better)
        self.saved_at = time.monotonic()

    def _restore(self, saved: dict) -> None:
        checkpoint.install(saved | {"ema": None}, self.model, self.loss, self.checkpoints)
        if self.average:
            self.average.restore(saved["ema"] or saved["model"])
        for player in self.players:
            player.optimizer.load_state_dict(saved["optimizers"][player.name])
        self.precision.scaler.load_state_dict(saved["scaler"])
        self.order.restore(saved["order"])
        self.step, self.best, self.stale = saved["step"], saved["best"], saved["stale"]
        self.converged = saved["converged"]
        self.recent = [{k: torch.tensor(v) for k, v in record.items()} for record in saved["recent"]]
        rng.restore(saved["generators"])
