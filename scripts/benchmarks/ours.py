"""dlthink's side of a comparison: its own Trainer, in the settings it ships with, over tensors made on the spot."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import torch
from hydra import compose, initialize_config_dir

from dlthink.config.build import build, networks
from dlthink.config.paths import conf_folder
from dlthink.data.windows import Split
from dlthink.trainer import Trainer


def now() -> torch.Tensor:
    """CPU seconds of this process, wall seconds."""
    return torch.tensor([time.process_time(), time.perf_counter()], dtype=torch.float64)


class Timed(Trainer):
    """Knows how long its loop took: `seconds`, all of it but validations, checkpoints and the question `enough`.

    enough(model, loss), asked after every evaluation of the cost, notes `reached`: the seconds until it was true.
    """

    enough: Callable | None = None
    reached: torch.Tensor | None = None

    def _loop(self, stop) -> None:
        self.began, self.rest = now(), torch.zeros(2)
        super()._loop(stop)
        self.seconds = now() - self.began - self.rest

    def _resting(self, work: Callable, *arguments):
        began = now()
        result = work(*arguments)
        self.rest = self.rest + (now() - began)
        return result

    def _validate(self) -> bool:
        return self._resting(super()._validate)

    def _save(self, better: bool = False) -> None:
        self._resting(super()._save, better)

    def _backward(self, *arguments):
        result = super()._backward(*arguments)
        if self.enough and self.reached is None:
            at = now() - self.began - self.rest
            if self._resting(self.enough, self.model, self.loss):
                self.reached = at
        return result


class LogScore:
    """The least an examination can be."""

    best = ("log_score", "max")

    def numbers(self, read: dict, y: torch.Tensor, truth: dict) -> dict[str, float]:
        return {"log_score": read["distribution"].log_prob(y).mean().item()}

    def figures(self, read: dict, y: torch.Tensor, truth: dict) -> dict:
        return {}


def train(words: list[str], features: torch.Tensor, counts: torch.Tensor, history=0, examined=None, enough=None) -> Timed:
    """`dlthink train WORDS` on windows of `features`; the first `examined` of them validate, or all.

    features: [n + history, n_in]; counts: [n, n_targets]. Returns the trainer, with its times and networks.
    """
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config = compose("train", words)
    config.trainer._target_ = f"{__name__}.{Timed.__name__}"
    trainer, optim = build(config.trainer), build(config.optim)
    trainer.enough = enough
    rows, padded = torch.arange(history, len(features)), torch.cat([counts[:history], counts])
    split, few = (Split(features, padded, rows[:n], history, {}) for n in (None, examined))
    facts = {"n_in": features.shape[1], "window": history + 1, "n_targets": counts.shape[1]}
    data = SimpleNamespace(train=split, val=few, test=few, state={}, facts=facts, notes=[])
    loss, model = networks(config, facts)
    with tempfile.TemporaryDirectory() as folder:
        trainer.fit(model, loss, data, LogScore(), optim, Path(folder), seed=config.seed)
    return trainer


def repeats(usual: int) -> int:
    """How often to repeat: what `bench.py --repeats` says, or else `usual`."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else usual


def report(name: str, goal: float | None, ours: list, peer: list) -> None:
    """A row of the table as a line of JSON: (CPU, wall) seconds of paired repetitions, and the goal of their ratio."""
    pairs = {who: torch.stack(times).tolist() for who, times in (("ours", ours), ("peer", peer))}
    print(json.dumps({"name": name, "goal": goal, **pairs}), flush=True)
