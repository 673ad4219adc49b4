"""A trained run on another data set of the same kind, prepared as its own was: all of it test but what it has seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dlthink.config import build
from dlthink.config.compose import composed
from dlthink.config.paths import conf_folder, options
from dlthink.config.typed_experiment import choices
from dlthink.config.types import parameters
from dlthink.did_you_mean import hint
from dlthink.errors import BadInput
from dlthink.files.atomic import write_json
from dlthink.protocols import Data
from dlthink.runs.folder import Run
from dlthink.training.checkpoint import Checkpoint
from dlthink.training.experiment_parts import Parts
from dlthink.training.logger import beside

OWN = ("data", "metrics")  # parts of the other data set; all others are the run's


def elsewhere(run: Run, saved: Checkpoint, on: str, settings: list[str]) -> Parts:
    """The run's network and cost, as they were made, with the data `on`, prepared by the run's state, and its metrics.

    settings: words of the user's for these, `data.path=FILE`. What decides what the network sees (`Data.prepares`) and
    what a data set may be in several kinds of (`data.kind`) is the run's, where nothing else is said. Raises BadInput.
    """
    own = build.find(run.config.data, "data")
    family = Data.family.of(own)
    if family is None:
        raise BadInput(f"on={on}: {own.__name__} does not say with which other data it could be examined (`family`)")
    config = _config(run, saved["data"], on, settings)
    other = build.find(config.data, "data")
    if Data.family.of(other) != family:
        raise BadInput(
            f"on={on}: is {Data.family.of(other) or 'of no family'}, and the run was trained with {family}"
            f"{hint('', _of_family(family))}"
        )
    build.check(config, **choices())
    with saved.fitting(f"data={on}"):
        data = build.build(config.data, state=saved["data"], elsewhere=True)
        for name in parameters(build.find(config.model, "model")).keys() & saved["facts"].keys():
            theirs, ours = data.facts.get(name), saved["facts"][name]
            if theirs != ours:
                raise BadInput(f"on={on}: {name} is {theirs}, and the network was made for {ours}")
        loss, model = build.networks(config, saved["facts"], saved)
        build.check_targets(loss, data)
    trainer = build.build(config.trainer)
    return Parts(data, build.build(config.metrics, **data.facts), loss, model, None, trainer)


def keep(
    folder: Path, name: str, words: list[str], numbers: dict[str, float], figures: dict[str, Any], step: int
) -> Path:
    """Write what the run is worth there beside its own: `metrics_NAME.json`, TensorBoard, `figures/NAME_*.png`."""
    file = folder / f"metrics_{name}.json"
    write_json(file, {"test": numbers, "on": words})
    beside(folder, name, numbers, figures, step)
    return file


def _config(run: Run, state: dict, on: str, settings: list[str]) -> DictConfig:
    known = options("data", conf_folder())
    if on not in known:
        raise BadInput(f"on={on}: there are no such data{hint(on, known, 'on=')}")
    typed = {word.partition("=")[0] for word in settings}
    kinds = {group: _kind(group, run.config.data) for group in _nested(known[on]) if f"data.{group}" not in typed}
    words = [f"data.{group}={kind}" for group, kind in kinds.items() if kind]

    def as_prepared(config: DictConfig) -> None:
        for name in Data.prepares.of(build.find(config.data, "data")):
            if f"data.{name}" not in typed and name in config.data and name in state:
                config.data[name] = state[name]

    config, _, _ = composed([f"data={on}", *words, *settings], {}, as_prepared)
    return OmegaConf.create({part: (config if part in OWN else run.config)[part] for part in run.config})


def _kind(group: str, data: DictConfig) -> str | None:
    """The choice of the group that the run's data are, by name or by class."""
    found = options(f"data/{group}", conf_folder())
    if data.get(group) in found:
        return data[group]
    made = {name: OmegaConf.load(file).get("data") or {} for name, file in found.items()}
    return next((name for name, node in made.items() if node.get("_target_") == data["_target_"]), None)


def _of_family(family: str) -> list[str]:
    """Data sets that come with dlthink and may be of that family, as they are typed."""
    found = []
    for name, file in options("data", conf_folder()).items():
        files = [
            file,
            *(other for group in _nested(file) for other in options(f"data/{group}", conf_folder()).values()),
        ]
        nodes = [node for file in files if "_target_" in (node := OmegaConf.load(file).get("data") or {})]
        if any(Data.family.of(build.find(node, "data")) == family for node in nodes):
            found.append(f"on={name}")
    return found


def _nested(file: Path) -> list[str]:
    """What a data set is in several kinds of: the folders of choices that its file begins with."""
    text = file.read_text()
    return [place.name for place in file.parent.iterdir() if place.is_dir() and f"/data/{place.name}:" in text]
