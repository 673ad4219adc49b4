"""dlthink's side of a comparison: its loop, in the settings it ships with."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from clock import now, peak
from hydra import compose, initialize_config_dir
from torch import Tensor, arange, cat

from dlthink.config.build import build, networks
from dlthink.config.paths import conf_folder
from dlthink.data.recordings.windows import Split
from dlthink.training.experiment_parts import Parts
from dlthink.training.loop import Loop


class Timed(Loop):
    """Knows how long it trained, but for validations and checkpoints: `seconds` (CPU, wall).

    enough(run) is asked after every evaluation of the cost, off the clock, until it is true; that is
    when it was `reached`. measured: the memory of the last step's peak, MB, is `held`; that run's times are worthless.
    per_second: steps, between the last two log lines; the device has finished them by then.
    """

    reached: np.ndarray | None = None

    def __init__(self, *parts, enough: Callable | None = None, measured: bool = False, **more):
        super().__init__(*parts, **more)
        self.measured, self.held, self.per_second = measured, 0.0, 0.0
        if enough:
            backward = self.take_step.backward

            def asked(*arguments):
                result = backward(*arguments)
                if self.reached is None:
                    at = now() - self.began - self.rest
                    if self._off(enough, self):
                        self.reached = at
                return result

            self.take_step.backward = asked

    def _train(self, stop) -> None:
        self.began, self.rest = now(), 0.0
        log = self.progress.log

        def logged(step: int, *arguments) -> None:
            steps, since = step - self.progress.logged_step, self.progress.logged_at
            log(step, *arguments)
            self.per_second = steps / (self.progress.logged_at - since)

        self.progress.log = logged
        super()._train(stop)
        self.seconds = now() - self.began - self.rest

    def _off(self, work: Callable, *arguments):
        began = now()
        result = work(*arguments)
        self.rest = self.rest + now() - began
        return result

    def _validate(self) -> bool:
        return self._off(super()._validate)

    def _save(self, better: bool = False) -> None:
        self._off(super()._save, better)

    def advance(self, measure: bool):
        if not (self.measured and self.step + 1 == self.total):
            return super().advance(measure)
        result = []
        self.held = peak(lambda: result.append(super(Timed, self).advance(measure)))
        return result[0]


class Unexamined:
    """No examination at all."""

    best = ("nothing", "max")

    def numbers(self, read: dict, y: Any, known: dict) -> dict[str, float]:
        return {"nothing": 0.0}

    def figures(self, read: dict, y: Any, known: dict) -> dict:
        return {}


class LogScore:
    """The least an examination can be."""

    best = ("log_score", "max")

    def numbers(self, read: dict, y: Tensor, truth: dict) -> dict[str, float]:
        return {"log_score": read["distribution"].log_prob(y).mean().item()}

    def figures(self, read: dict, y: Tensor, truth: dict) -> dict:
        return {}


def windows(signals: Tensor, counts: Tensor, history=0, examined=None) -> SimpleNamespace:
    """A data set of windows of `signals`; the first `examined` of them validate, or all.

    signals: [n + history, n_in]; counts: [n, n_targets].
    """
    rows, padded = arange(history, len(signals)), cat([counts[:history], counts])
    split, few = (Split(signals, padded, rows[:n], history, 0, {}) for n in (None, examined))
    facts = {"n_in": signals.shape[1], "window": history + 1, "n_targets": counts.shape[1]}
    facts["largest_count"] = int(counts.max())
    return SimpleNamespace(train=split, val=few, test=few, state={}, facts=facts, notes=[])


def train(
    words: list[str], data: Any, enough: Callable | None = None, metrics: Any = None, measured: bool = False
) -> Timed:
    """`dlthink train WORDS` on `data`. Returns the run, with its times and networks."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config = compose("train", ["trainer.precision=fp32", *words])  # as by hand, if nothing else is said
    loss, model = networks(config, data.facts)
    parts = Parts(data, metrics or LogScore(), loss, model, build(config.optim), build(config.trainer))
    with tempfile.TemporaryDirectory() as folder:
        run = Timed(parts, Path(folder), config.seed, enough=enough, measured=measured)
        run.run()
    return run
