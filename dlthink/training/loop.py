"""One run: where it stands, and how it goes on from there to its end."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch

from dlthink import __version__
from dlthink.errors import BadInput, in_shell, plain
from dlthink.files.atomic import write_arrays, write_json
from dlthink.progress_bar import Bar, Lines, progress_bar
from dlthink.protocols import Loss, Metrics, Model, Split
from dlthink.training import checkpoint, evaluation, rng
from dlthink.training.best_validation import Best
from dlthink.training.checkpoint import Checkpoint
from dlthink.training.ema import EMA
from dlthink.training.evaluation import Examined, Standing
from dlthink.training.experiment_parts import Parts
from dlthink.training.interrupt import Interrupt, Interrupted
from dlthink.training.logger import Logger
from dlthink.training.players import networks_of, players
from dlthink.training.precision import Precision
from dlthink.training.precision_trial import LONG, quickest
from dlthink.training.progress import Progress
from dlthink.training.sampler import Sampler
from dlthink.training.sanity_check import sanity_check
from dlthink.training.schedule import factor, warmup_steps
from dlthink.training.step import Step, Taken
from dlthink.training.stop_gradient import stop_gradient
from dlthink.training.validation_fit import validation_fit

# What a checkpoint must hold for a run to go on from it
WEIGHTS = ("model", "loss", "ema", "optimizers", "scaler", "sampler", "generators")
RESUMED = (*WEIGHTS, "step", "best", "stale", "converged", "recent")


class Loop:
    """The state of one run: network, cost and their players on the device, the order of samples, how many steps are
    behind it and which was the best. `run` goes on to its end, from the start or from the checkpoint `saved`.

    Nothing is written before `run`: what the parts, the settings or the checkpoint do not bear is refused here.
    changed: what the run descends is no longer what it was when `saved` was written; a search for its end begins anew.
    """

    def __init__(
        self, parts: Parts, folder: Path, seed: int = 0, saved: Checkpoint | None = None, changed: bool = False
    ) -> None:
        settings, device = parts.trainer, parts.trainer.precision.device
        self.parts, self.settings, self.data, self.metrics = parts, settings, parts.data, parts.metrics
        self.model, self.loss = model, loss = parts.model.to(device), parts.loss.to(device)
        self.folder, self.checkpoints = folder, folder / "checkpoints"
        self.train, self.val, self.test = (parts.split(name).to(device) for name in ("train", "val", "test"))
        self._draw = Split.draw.of(self.train)  # what is drawn for a step may be augmented
        Loss.prepare.of(loss)(self.train.targets())
        stop_gradient(model, loss)
        self.sampler = Sampler(self.train, settings.batch, seed, device)
        if settings.accumulate > len(self.sampler):  # they are held together
            raise BadInput(
                f"trainer.accumulate={settings.accumulate}: an epoch has {len(self.sampler):,} batches of "
                f"{self.sampler.batch:,}; give that many at most"
            )
        self.epoch_steps = len(self.sampler) // settings.accumulate
        self.since = {"step": 0, "epoch": 0.0}  # from where epochs are counted: where batches became what they are
        self.notes: list[str] = []  # about what is chosen here or resumed
        self.precision = self._choose_precision(parts.optim, saved)
        for network in (model, *networks_of(loss)):
            self.precision.network(network)
        if settings.compile:
            model.compile()
        self.players = players(model, loss, parts.optim, self.precision)
        l2 = settings.l2 / parts.data.facts.get("n_targets", 1)  # the cost is a mean over targets
        self.take_step = Step(model, self.players, self.precision.scaler, settings.clip, l2, Loss.watch.given(loss))
        self._stream = iter(self.sampler)
        self.samples = self.sampler.batch * settings.accumulate  # in a step
        if self.samples < len(self.train) and any(player.searches for player in self.players):
            raise BadInput("optim=lbfgs searches on all samples at once: use trainer=lbfgs, or trainer.batch=null")
        self.ema = EMA(model, settings.ema) if settings.ema else None
        self.step, self.converged = 0, False
        self.best = Best(*parts.metrics.best)
        self.fitted: dict[str, float] = {}  # what the examination fitted where the cost does not
        self.first = Standing()  # before anything was trained
        self.doubt: str | None = None  # of a cost that falls while what is examined gets worse
        self._recent: list[dict[str, float]] | None = None  # terms that a resumed run had told of in no curve
        if saved is not None:
            self._restore(saved, changed)
        cost = sanity_check(model, loss, self.train, self.val, parts.metrics, self.sampler.next(), self.step)
        if not self.step:
            self.first.cost = cost

    def _choose_precision(self, optim: Any, saved: Checkpoint | None) -> Precision:
        """The one of the settings; where it is open, what the run had until now or, at its start, the quickest."""
        precision = self.settings.precision
        if saved is not None:
            return precision.of_run(saved.state)
        if not precision.open or self.total < LONG:
            return precision

        def draw() -> tuple[Any, Any]:
            return self._draw(next(iter(Sampler(self.train, self.settings.batch, 0, precision.device))))

        name, note = quickest(precision, self.model, self.loss, optim, draw)
        self.notes += filter(None, [note])
        return precision.with_format(name)

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        if self.settings.steps:
            return self.settings.steps
        epochs = self.since["step"] + max(0, round((self.settings.epochs - self.since["epoch"]) * self.epoch_steps))
        return max(min(epochs, self.settings.at_most or epochs), self.settings.at_least or 0)

    def run(self, hparams: dict | None = None, text: str = "") -> dict[str, dict[str, float]]:
        """Train until the end, the time limit or a signal (`Interrupted`), then examine the best weights."""
        if self._recent is not None and (why := self.end()):
            self.notes.append(f"nothing is left to train: {why}")
        for note in self.notes:
            print(plain(f"note: {note}"))
        self.logger = Logger(self.folder, after=None if self._recent is None else self.step)
        self.logger.text("config", text, self.step)
        try:
            with self._bar() as bar, Interrupt() as stop:
                self.progress = Progress(self.logger, bar, self.loss, self.checkpoints, self.step)
                self.progress.restore(self._recent or [], self.precision.device)
                self._train(stop)
                if not (self.checkpoints / "best.pt").exists():  # resumed for fewer steps than were behind it
                    self._save(better=self._validate())
            self._say_what_follows()
            results = self._final_examination()
            self.logger.hparams(hparams or {}, self.step)
        finally:
            self.logger.close()
        return results

    def _bar(self) -> Bar | Lines:
        return progress_bar(total=self.total, initial=self.step, unit="step", minutes=self.settings.minutes)

    def _train(self, stop: Interrupt) -> None:
        settings = self.settings
        began = self._saved_at = time.monotonic()
        validate_every = settings.validate_every or self.epoch_steps
        self.model.train()
        self.loss.train()
        total = self.total
        while not self.end():
            last = self.step + 1 == total
            log = last or (self.step + 1) % settings.log_every == 0
            taken = self.advance(measure=log)
            if log:
                self.progress.log(self.step, self.sampler.epoch, taken, self.players, self.samples)
            now = time.monotonic()
            late = settings.minutes is not None and now - began > 60 * settings.minutes
            if last or late or self.converged:
                self._say_what_follows()
            if last or late or self.converged or self.step % validate_every == 0:
                self._save(better=self._validate())
            elif stop.signal or now - self._saved_at > 60 * settings.save_minutes:
                self._save()
            self.progress.paused += time.monotonic() - now
            if stop.signal:
                raise Interrupted(stop.signal, stop.requeue)
            if late:
                break

    def advance(self, measure: bool) -> Taken:
        """One step, and what moves on with it: learning rate, order, average. Nothing is waited for."""
        settings = self.settings
        if settings.schedule != "constant" or self.step < warmup_steps(settings.warmup, self.total):
            for player in self.players:
                player.set_rate(factor(settings.schedule, self.step, self.total, settings.warmup))
        indices = [next(self._stream) for _ in range(settings.accumulate)]
        taken = self.take_step([self._draw(index) for index in indices], measure)
        self.step, self.converged = self.step + 1, taken.converged
        if self.ema:
            self.ema.update(self.step)
        self.progress.add(self.step, taken, indices)
        return taken

    def end(self) -> str | None:
        """Why the run has come to its end, with what would make it go on; None where it has not."""
        patience = self.settings.patience
        if self.step >= self.total:
            return f"{self.step} of {self.total} steps are behind; give more of trainer.steps or trainer.epochs"
        if self.converged:
            return "the search has converged; change the cost, the optimizer or trainer.l2"
        if patience is not None and self.best.stale >= patience:
            return f"no better figure in {self.best.stale} validations; give more trainer.patience than {patience}"
        return None

    def _say_what_follows(self) -> None:
        """Once, of a run that has told of its steps: the last of them is not its end."""
        if self.progress.bar.long():
            self.progress.remark("the end of training; examining validation and test ...", self.step, once="the end")

    def _cut_short(self) -> str | None:
        """That time was over before the end, and how to go on."""
        if self.end():
            return None
        return (
            f"trainer.minutes={self.settings.minutes:g} ended it after {self.step:,} of {self.total:,} steps; go on "
            f"with dlthink train resume={in_shell(self.folder)}"
        )

    # ------------------------------------------------------------------------------------------------ examinations

    @torch.no_grad()
    def _validate(self) -> bool:
        """Examine validation (with figures) and as many training samples. Is this the best so far?"""
        with self.ema.in_place() if self.ema else nullcontext():
            val = self._examine(self.val, terms=True)
            self.fitted = val.fitted
            numbers = self.metrics.numbers(*val.answers)
            self.logger.scalars("val", val.terms | numbers, self.step, self.sampler.epoch)
            self.logger.figures("val", partial(self.metrics.figures, *val.answers), self.step)
            # what it draws is part of the run
            train = self._examine(self.train, self.fitted, most=len(self.val), terms=True)
            train_numbers = self.metrics.numbers(*train.answers)
            self.logger.scalars("train", train_numbers, self.step, self.sampler.epoch)
        self.logger.flush()
        name, value = self.best.name, numbers[self.best.name]
        now = Standing(sum(train.terms.values()), train_numbers[name])
        if math.isnan(self.first.figure):
            self.first.figure = now.figure
        if not math.isfinite(value):
            self.progress.remark(f"validation's {name} is {value}: it never counts as the best", self.step, once=name)
        better = self.best.better(value, self.step)
        if not better or self.step == self.total:
            self.doubt = evaluation.doubt(self.metrics, train.answers, self.first, now)
        self.progress.shown = {f"val {name}": f"{value:.4g}", "best": f"{self.best.value:.4g}"}
        return better

    def _examine(
        self, split: Any, fitted: dict[str, float] | None = None, most: int | None = None, terms: bool = False
    ) -> Examined:
        batches = evaluation.batches_of(split, self.settings.examine_batch, self.precision.device, most)
        return evaluation.examine(self.model, self.loss, self.metrics, split, batches, fitted, terms)

    @torch.no_grad()
    def _final_examination(self) -> dict[str, dict[str, float]]:
        """The best weights, examined on validation and test: `metrics.json`, figures; `scores.npz` of test's items."""
        late = self.best.lateness(self.step, self.total, self.settings.patience)
        for remark in filter(None, (self._cut_short(), self.best.remark(), late)):
            print(plain(f"note: {remark}"))
        saved = checkpoint.load(self.checkpoints / "best.pt")
        saved.install(self.model, self.loss)
        fitted, note = validation_fit(saved, self.parts)
        if note:
            print(plain(f"note: {note}"))
            anew = {"loss": self.loss.state_dict(), "fitted": fitted, "fitted_by": self.parts.fitted_by}
            checkpoint.replace(saved, saved.state | anew)
        results = {}
        for name, split in (("val", self.val), ("test", self.test)):
            answers = self._examine(split, fitted).answers
            results[name] = self.metrics.numbers(*answers)
        for line in evaluation.lines(self.metrics, self.loss, *answers):
            print(plain(f"note: test: {line}"))
        if self.doubt:
            print(plain(f"note: {self.doubt}"))
        self.logger.figures("test", partial(evaluation.all_figures, self.metrics, *answers), self.step)
        self.logger.figures("model", Model.figures.of(self.model), self.step)
        if points := Metrics.projection.of(self.metrics)(*answers):
            self.logger.projection("test", *points, self.step)
        self.logger.scalars("test", results["test"], self.step, self.sampler.epoch)
        write_arrays(self.folder / "scores.npz", Metrics.item_scores.of(self.metrics)(*answers), alone=True)
        training = {"training": self.best.summary(self.step)}
        write_json(self.folder / "metrics.json", results | training, alone=True)
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
            "version": __version__,
            "precision": self.precision.name,
            "device": self.precision.device.type,
            "model": self.model.state_dict(),
            "loss": self.loss.state_dict(),
            "ema": self.ema.weights if self.ema else None,
            "optimizers": {player.name: player.optimizer.state_dict() for player in self.players},
            "scaler": self.precision.scaler.state_dict(),
            "sampler": self.sampler.state(),
            "generators": rng.state(),
            "step": self.step,
            "since": self.since,
            "best": self.best.state(),
            "stale": self.best.stale,
            "converged": self.converged,
            "fitted": self.fitted,
            "fitted_by": self.parts.fitted_by,
            "first": vars(self.first),
            "recent": recent,
            "samples": self.samples,
            "data": self.data.state,
            "facts": self.data.facts,
        }
        checkpoint.save(self.checkpoints, state, better)
        self._saved_at = time.monotonic()

    def _restore(self, saved: Checkpoint, changed: bool) -> None:
        """Go on from a checkpoint: all or nothing of it. Raises BadInput in one line where it does not fit."""
        saved.require(*RESUMED)
        try:
            saved.install(self.model, self.loss, averaged=False)
            if self.ema:
                self.ema.restore(saved["ema"] or saved["model"])
            for player in self.players:
                player.restore(saved["optimizers"][player.name])
                if changed and player.searches:
                    player.forget()
            if saved["scaler"]:  # empty where the run was not in float16 until now
                self.precision.scaler.load_state_dict(saved["scaler"])
            self.step, self.converged = int(saved["step"]), bool(saved["converged"]) and not changed
            note = self.sampler.restore(saved["sampler"])
            self.since = saved.state.get("since", self.since)
            if note:
                self.notes.append(f"step {self.step}: trainer.batch: {note}")
            if saved.state.get("samples", self.samples) != self.samples:
                self.since = {"step": self.step, "epoch": self.sampler.epochs}
            self.notes += filter(None, [self.best.restore(saved["best"], saved["stale"])])
            if self.best.known and (lost := checkpoint.damage(self.checkpoints / "best.pt")):
                self.notes.append(f"{lost}; the best weights are chosen anew")
                self.best = Best(*self.metrics.best)
            self.fitted, self.first = saved.fitted, Standing.restored(saved.state.get("first", {}))
            self._recent = [dict(terms) for terms in saved["recent"]]
            rng.restore(saved["generators"])
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(
                f"{saved.path}: does not fit this run, {saved.writer} ({type(error).__name__}: "
                f"{(str(error).splitlines() or [''])[0]}); train anew"
            ) from error
