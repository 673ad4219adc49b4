"""Finished runs of a sweep, as the figures of the course's pages read them."""

from collections.abc import Iterator
from pathlib import Path

from omegaconf import OmegaConf

import dlthink
from dlthink.api import Run


def finished(folder: Path, key: str, allow: str | None = None) -> Iterator[tuple[str, Run]]:
    """(value of the setting `key`, run) of every finished run below the folder; "loss" is the name of its file.

    allow: a module of the working folder that one of them uses.
    """
    for metrics in sorted(folder.rglob("metrics.json")):
        run = dlthink.open_run(metrics.parent, allow=allow)
        value = OmegaConf.select(run.config, "loss._target_" if key == "loss" else key)
        yield str(value).rpartition(".")[0].rpartition(".")[2] if key == "loss" else str(value), run
