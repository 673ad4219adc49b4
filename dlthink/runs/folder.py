"""The folder of a run: its configuration, its checkpoints, and how to open them again."""

import csv
import json
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from torch import nn

from dlthink.config import build
from dlthink.config.paths import conf_folder, options
from dlthink.config.words import change
from dlthink.errors import BadInput
from dlthink.training import checkpoint
from dlthink.training.board import write_json
from dlthink.training.precision import Precision


class Run:
    """A run on the disk. `settings` (`data.path=FILE`, ...) change its configuration; `allow` names trusted modules."""

    def __init__(self, folder: str | None, settings: list[str] = (), allow: str | None = None):
        if not folder:
            raise BadInput("give the folder of a run, e.g. run=outputs/2026-01-31/10-20-30-123456 (or resume=...)")
        self.folder = Path(folder)
        file = self.folder / "config.yaml"
        if not file.is_file():
            raise BadInput(f"{self.folder}: not the folder of a run (there is no config.yaml in it)")
        try:
            self.config = OmegaConf.load(file)
        except Exception as error:  # YAML has many ways to be broken
            raise BadInput(f"{file}: not readable as YAML ({str(error).splitlines()[0]})") from error
        if not isinstance(self.config, DictConfig) or not {*build.PARTS, "seed"} <= self.config.keys():
            raise BadInput(f"{file}: not the configuration of a run ({', '.join(build.PARTS)}, seed)")
        change(self.config, list(settings))
        build.check(self.config, trusted=allow.split(",") if allow else (), **choices())

    def best(self) -> tuple[dict, Path]:
        """The best checkpoint, and where it lies."""
        path = self.folder / "checkpoints" / "best.pt"
        if not path.exists() and path.with_name("last.pt").exists():
            raise BadInput(
                f"{path}: there is no best checkpoint; if the run stopped before anything was examined, "
                f"go on with dlthink train resume={self.folder}"
            )
        return checkpoint.load(path), path

    def install(self, saved: dict, path: Path, loss: nn.Module, model: nn.Module, precision: Precision) -> None:
        """The checkpoint's weights into cost and network, on the device and in the precision of the run."""
        checkpoint.install(saved, model, loss, path)
        model.to(precision.device)
        loss.to(precision.device)
        precision.network(model)

    def story(self) -> dict:
        """Provenance of the run's first launch; without a story if the file is gone."""
        file = self.folder / "provenance.json"
        return json.loads(file.read_text()) if file.is_file() else {"choices": {}, "command": []}


def record(folder: Path, config: DictConfig, provenance: dict) -> None:
    """Write what the run is, before it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, folder / "config.yaml", resolve=True)
    write_json(folder / "provenance.json", provenance)


def tabulate(folder: Path, tables: dict[str, list[list]]) -> None:
    """Write what the data say of themselves, {file name: rows, a header first}, as CSV into the run's folder."""
    for name, rows in tables.items():
        # a file's name need not be text; its bytes go into the table as they are
        with (folder / name).open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def choices() -> dict[str, list]:
    """The costs and networks that come with dlthink, to name those that fit when a pairing is refused."""

    def shipped(group: str) -> list[tuple[str, DictConfig]]:
        return [(name, OmegaConf.load(file)) for name, file in options(group, conf_folder()).items()]

    return {"losses": shipped("loss"), "models": shipped("model")}
