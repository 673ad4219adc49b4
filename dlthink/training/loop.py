"""One run: where it stands, and how it goes on from there to its end."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from tqdm import tqdm

from dlthink.errors import BadInput
from dlthink.training import checkpoint, evaluation, rng
from dlthink.training.board import Board, write_json
from dlthink.training.ema import Average
from dlthink.training.interrupt import Interrupt, Interrupted
from dlthink.training.players import networks_of, players
from dlthink.training.progress import Progress, watches
from dlthink.training.sampler import Order
from dlthink.training.schedule import factor
from dlthink.training.step import Step, Taken
from dlthink.training.stop_gradient import stop_gradient

if TYPE_CHECKING:
    from dlthink.training.trainer import Trainer


class Loop:
    """The state of one run of `settings`: network, cost and their players on the device, the order of samples,
    how many steps are behind it and which was the best. `run` goes on to its end, from the start or from `saved`.
    """

    def __init__(
        self,
        settings: Trainer,
        model: nn.Module,
        loss: nn.Module,
        data: Any,
        metrics: Any,
        optim: Any,
        folder: Path,
        seed: int = 0,
        saved: dict | None = None,
    ):
        self.settings, self.precision = settings, settings.precision
        device = self.precision.device
        self.model, self.loss, self.metrics, self.data = model.to(device), loss.to(device), metrics, data
        self.folder, self.checkpoints = folder, folder / "checkpoints"
        self.train, self.val, self.test = (split.to(device) for split in (data.train, data.val, data.test))
        self._draw = getattr(self.train, "draw", self.train.take)  # what is drawn for a step may be augmented
        if hasattr(loss, "prepare"):
            loss.prepare(self.train.targets())
        stop_gradient(model, loss)
        for network in (model, *networks_of(loss)):
            self.precision.network(network)
        if settings.compile:
            model.compile()
        self.players = players(model, loss, optim, self.precision)
        self.take_step = Step(model, self.players, self.precision.scaler, settings.clip, settings.l2, watches(loss))
        self.order = Order(self.train, settings.batch, seed, device)
        self._stream = iter(self.order)
        self.samples = self.order.batch * settings.accumulate  # in a step
        if self.samples < len(self.train) and any(player.searches for player in self.players):
            raise BadInput("optim=lbfgs searches on all samples at once: use trainer=lbfgs, or trainer.batch=null")
        self.epoch_steps = max(1, len(self.order) // settings.accumulate)
        self.total = settings.steps or settings.epochs * self.epoch_steps
        self.average = Average(model, settings.ema) if settings.ema else None
        self.step, self.stale, self.converged = 0, 0, False  # stale: validations since the best one
        self.best = {"value": math.nan, "step": 0}
        self._saved = saved
        if saved is not None:
            self._restore(saved)

    def run(self, hparams: dict | None = None, text: str = "") -> dict[str, dict[str, float]]:
        """Train until the end, the time limit or a signal (`Interrupted`), then examine the best weights."""
        few = evaluation.batches_of(self.val, 16, self.precision.device)[0]
        evaluation.rehearse(self.model, self.loss, self.val, few, self.metrics)
        self.board = Board(self.folder, after=None if self._saved is None else self.step)
        self.board.text("config", text, self.step)
        try:
            with tqdm(total=self.total, initial=self.step, disable=None, unit="step") as bar, Interrupt() as stop:
                self.progress = Progress(self.board, bar, self.loss, self.checkpoints, self.step)
                if self._saved is not None:
                    self.progress.restore(self._saved["recent"])
                self._train(stop)
            results = self._final_examination()
            self.board.hparams(hparams or {}, results["test"], self.step)
        finally:
            self.board.close()
        return results

    def _train(self, stop: Interrupt) -> None:
        settings = self.settings
        began = self._saved_at = time.monotonic()
        validate_every = settings.validate_every or self.epoch_steps
        self.model.train()
        self.loss.train()
        while not self.finished():
            last = self.step + 1 == self.total
            log = last or (self.step + 1) % settings.log_every == 0
            taken = self.advance(measure=log)
            if log:
                self.progress.log(self.step, self.order.epoch, taken, self.players, self.samples)
            now = time.monotonic()
            late = settings.minutes is not None and now - began > 60 * settings.minutes
            if last or late or self.converged or self.step % validate_every == 0:
                self._save(better=self._validate())
            elif stop.signal or now - self._saved_at > 60 * settings.save_minutes:
                self._save()
            self.progress.paused += time.monotonic() - now
            if stop.signal:
                raise Interrupted(stop.signal)
            if late:
                break

    def advance(self, measure: bool) -> Taken:
        """One step, and what moves on with it: learning rate, order, average. Nothing is waited for."""
        settings = self.settings
        if settings.schedule != "constant" or self.step < settings.warmup:
            for player in self.players:
                player.set_rate(factor(settings.schedule, self.step, self.total, settings.warmup))
        indices = [next(self._stream) for _ in range(settings.accumulate)]
        taken = self.take_step([self._draw(index) for index in indices], measure)
        self.step, self.converged = self.step + 1, taken.converged
        if self.average:
            self.average.update(self.step)
        self.progress.add(taken, indices)
        return taken

    def finished(self) -> bool:
        """Has the run come to its end: all steps, a search that converged, or no patience left?"""
        patience = self.settings.patience
        return self.step >= self.total or self.converged or (patience is not None and self.stale >= patience)

    # ------------------------------------------------------------------------------------------------ examinations

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
        self.progress.shown = {f"val {name}": f"{value:.4g}"}
        return better

    def _ask(self, split, most: int | None = None, loss: nn.Module | None = None) -> evaluation.Answers:
        batches = evaluation.batches_of(split, self.settings.examine_batch, self.precision.device, most)
        return evaluation.ask(self.model, split, batches, loss, evaluation.condensing(self.loss, self.metrics))

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

    # ------------------------------------------------------------------------------------------------- checkpoints

    def _save(self, better: bool = False) -> None:
        """A checkpoint of everything, unless something in it is not a number."""
        recent = self.progress.state()
        self.progress.means(self.step)
        weights = [p.detach() for player in self.players for p in player.parameters]
        if not all(norm.isfinite() for norm in torch._foreach_norm(weights)):
            raise self.progress.diverged(self.step, "the weights are no longer finite though the cost was")
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
            "recent": recent,
            "data": self.data.state,
            "facts": self.data.facts,
        }
        checkpoint.save(self.checkpoints, state, better)
        self._saved_at = time.monotonic()

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
        rng.restore(saved["generators"])
