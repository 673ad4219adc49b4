"""A way in from Python: `compose` an experiment, `fit` it into a run's folder, `open_run` it again.

The words are those of the command line, and so are the folders: `dlthink evaluate`, `predict`, `compare` and
TensorBoard understand what `fit` writes. docs/python.md shows it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig

from dlthink.checks.check import KINDS, landscape
from dlthink.checks.check import check as examined
from dlthink.checks.finding import Reports
from dlthink.config import build, typed_experiment
from dlthink.config.compose import composed
from dlthink.config.cost_contract import kinds
from dlthink.config.example_data import example_of
from dlthink.config.override import as_typed
from dlthink.errors import BadInput
from dlthink.files.lock import hold
from dlthink.files.written_files import remember
from dlthink.nested_tensors import each
from dlthink.runs import folder as folders
from dlthink.runs.launch import launch
from dlthink.runs.provenance import provenance
from dlthink.training import evaluation, rng
from dlthink.training.experiment_parts import Parts
from dlthink.training.validation_fit import validation_fit


class Experiment:
    """Data, metrics, loss, model, optim, trainer: composed from words, checked and built. `fit` trains it."""

    def __init__(self, config: DictConfig, words: list[str], choices: dict[str, str]):
        self.config, self._words, self._choices = config, words, choices
        self._parts = build.assemble(config)
        self._chance = rng.state()  # so that `fit` draws as the command line does, whatever is drawn before
        self.data, self.metrics = self._parts.data, self._parts.metrics
        self.loss, self.model = self._parts.loss, self._parts.model
        self.optim, self.trainer = self._parts.optim, self._parts.trainer

    def fit(self, folder: str | Path | None = None) -> Run:
        """Train model and loss into `folder` (none given: outputs/DATE/TIME), examine them, open the finished run.

        They are trained as they are: compose again for first weights. Raises BadInput where the folder holds a run.
        """
        place = Path(folder) if folder else Path("outputs", *datetime.now().strftime("%Y-%m-%d %H-%M-%S-%f").split())
        place.mkdir(parents=True, exist_ok=True)
        with hold(place):
            if (place / "checkpoints").exists():
                raise BadInput(f"{place}: holds a run already; choose another folder")
            rng.restore(self._chance)
            launch(self._parts, self.config, place, provenance(self._words, self._choices))
        return Run(folders.Run(place, self.config), self._parts)


class Run:
    """A finished run: its best network and cost, its metrics, its predictions as arrays, its figures."""

    def __init__(self, run: folders.Run, parts: Parts | None = None):
        self.folder, self.config = run.folder, run.config
        saved = run.best()
        if parts is None:
            with saved.fitting():
                parts = build.assemble(run.config, saved)
        folders.install(saved, parts.loss, parts.model, parts.trainer.precision)
        self._fitted, _ = validation_fit(saved, parts)
        self._parts = parts
        self.data, self.loss, self.model = parts.data, parts.loss, parts.model

    def metrics(self, split: str = "test") -> dict[str, float]:
        """The numbers of the examination of "train", "val" or "test", by name."""
        return self._parts.metrics.numbers(*self._reading(split))

    def predict(self, split: str = "test") -> dict[str, np.ndarray]:
        """What the cost reads in the network's outputs, by name (rate; mean, std; embedding): a row a target row."""
        predicted = self._reading(split).predicted
        return {name: value.cpu().numpy() for name, value in predicted.items() if isinstance(value, torch.Tensor)}

    def distribution(self, split: str = "test") -> torch.distributions.Distribution | None:
        """The predicted distribution of every target, where the cost has one: log_prob, cdf, icdf, mean, stddev."""
        return self._reading(split).predicted.get("distribution")

    def targets(self, split: str = "test") -> Any:
        """What was true: y as an array, or arrays by name."""
        return each(lambda y: y.cpu().numpy(), self._reading(split).y)

    def figures(self, split: str = "test") -> dict[str, Any]:
        """The figures of the examination, by name (matplotlib)."""
        return evaluation.all_figures(self._parts.metrics, *self._reading(split))

    def _reading(self, split: str) -> evaluation.Answers:
        if split not in ("train", "val", "test"):
            raise BadInput(f"split={split}: must be train, val or test")
        device = self._parts.trainer.precision.device
        samples = self._parts.split(split).to(device)
        batches = evaluation.batches_of(samples, self._parts.trainer.examine_batch, device)
        return evaluation.examine(self.model, self.loss, self._parts.metrics, samples, batches, self._fitted).answers


def compose(*words: str, loss: type | None = None, model: type | None = None) -> Experiment:
    """The experiment that `dlthink train WORDS` would run: `compose("loss=mse", "data=spikes", "trainer.epochs=5")`.

    loss, model: a class of your own, in place of a choice; arguments of its constructor with plain defaults are
    settings (`compose("loss.delta=2", loss=MyLoss)`). Raises BadInput, in one line, as the command line does.
    """
    config, given, choices = composed(list(words), {"loss": loss, "model": model})
    build.check(config, **typed_experiment.choices(), chosen=choices)
    return Experiment(config, [as_typed(word) for word in given], choices)


def check(loss: type | str, *words: str, figure: str | Path | None = None) -> Reports:
    """Examine a cost before it is trained, as `dlthink check` does: a class of your own, or the name of a choice.

    words: its settings and the data that it is for (`"loss.delta=2", "data=molecules"`); without data, every kind of
    target that it fits. figure: a PNG of its landscape beside two others; of several kinds, NAME-KIND.png. The answer
    prints as the table of the command line. Raises BadInput.
    """
    own = None if isinstance(loss, str) else loss
    typed = [*words, *([] if own else [f"loss={loss}"])]
    config, _, choices = composed(typed, {"loss": own})
    fits = kinds(build.check_loss(config))
    if any(word.startswith("data=") for word in words):
        asked = {build.answers(config)[0]: typed}
        if not fits & asked.keys():
            named = " or ".join(sorted(fits))
            raise BadInput(f"loss={choices['loss']} is for {named}, the data has {', '.join(asked)}")
    else:
        asked = {kind: [*typed, f"data={example_of(kind)}"] for kind in sorted(fits & KINDS.keys() or fits)}
    name, reports = f"loss={choices['loss']}", Reports()
    for kind, given in asked.items():
        config, _, _ = composed(given, {"loss": own})
        make = partial(build.build, config.loss)
        reports.append(examined(make, kind, partial(build.build, config.metrics), name))
        if figure:
            beside = [other for other in KINDS[kind].beside if name != f"loss={other}"][:2]
            makers = {other: partial(build.build, composed([f"loss={other}"], {})[0].loss) for other in beside}
            place = Path(figure)
            place = place if len(asked) == 1 else place.with_stem(f"{place.stem}-{kind}")
            landscape(kind, {choices["loss"]: make} | makers).savefig(place, dpi=150)
            remember(place)
    return reports


def open_run(folder: str | Path, *settings: str, allow: str | None = None) -> Run:
    """The run in `folder`, changed by `settings` (`data.path=FILE`). allow: modules of your own that it uses.

    A run from elsewhere executes nothing: its configuration may name classes of dlthink and of `allow` only.
    """
    return Run(folders.open_run(str(folder), list(settings), allow))
