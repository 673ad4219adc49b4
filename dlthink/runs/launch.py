"""Launch: parts of an experiment -> a run's folder, trained and examined. The command line and Python begin here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dlthink.advice import apt
from dlthink.config.arguments import described
from dlthink.errors import plain
from dlthink.protocols import Data, Loss, Metrics
from dlthink.runs.folder import record, tabulate
from dlthink.runs.predict_words import needed
from dlthink.runs.resumed_settings import check_kept, is_other
from dlthink.training.checkpoint import Checkpoint
from dlthink.training.experiment_parts import Parts
from dlthink.training.loop import Loop


def launch(
    parts: Parts,
    config: DictConfig,
    folder: Path,
    provenance: dict[str, Any],
    saved: Checkpoint | None = None,
    before: DictConfig | None = None,
) -> dict[str, dict[str, float]]:
    """Train `parts`, made from `config`, in `folder`; go on from the checkpoint `saved`, if there is one.

    before: the configuration that it was saved with. Nothing is written until all of this has been accepted; then what
    the run is stands in the folder before the first step. Returns the metrics of validation and test.
    """
    changed = saved is not None and before is not None
    if changed:
        check_kept(before, config, saved["facts"])
    run = Loop(parts, folder, config.seed, saved, changed=changed and is_other(before, config))
    examined = {
        "best": list(parts.metrics.best),
        "scores": Metrics.scores.of(parts.metrics),
        "directions": Metrics.directions.of(parts.metrics),
        "glossary": Metrics.glossary.of(parts.metrics),
        "baselines": list(Data.baselines.of(parts.data)),
        "predicts": Data.predicts.of(parts.data),
        "asks": needed(type(parts.data)),
        "trained_for": list(Loss.trained_for.of(parts.loss)),
        "targets": Metrics.target_names.of(parts.metrics),
    }
    record(folder, config, provenance | examined)  # on resuming, too: settings may differ
    tabulate(folder, Data.tables.of(parts.data))
    for note in parts.data.notes:
        print(plain(f"note: {apt(note, parts.loss)}"))
    return run.run(
        hparams=described(config, provenance["choices"], provenance["command"]),
        text=f"```yaml\n{OmegaConf.to_yaml(config)}\n```",
    )
