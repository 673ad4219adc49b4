"""The folder of a run: its configuration, its checkpoints, and how to open them again, whoever made it."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from dlthink.config import build, trust
from dlthink.config.arguments import change
from dlthink.config.typed_experiment import choices
from dlthink.config.user_files import reach
from dlthink.errors import BadInput, in_shell
from dlthink.files.atomic import write_json, write_text
from dlthink.runs import stored_files
from dlthink.runs.latest import run_folder
from dlthink.runs.signature import sign, signed
from dlthink.training.checkpoint import Checkpoint, load
from dlthink.training.precision import Precision


@dataclass
class Run:
    """A run on the disk, its configuration checked."""

    folder: Path
    config: DictConfig
    before: DictConfig | None = None  # as it is on the disk, without the settings of now

    def best(self) -> Checkpoint:
        """Its best checkpoint. Raises BadInput where there is none."""
        path = self.folder / "checkpoints" / "best.pt"
        if not path.exists() and path.with_name("last.pt").exists():
            raise BadInput(
                f"{path}: there is no best checkpoint; if the run stopped before anything was examined, "
                f"go on with dlthink train resume={in_shell(self.folder)}"
            )
        best = load(path)
        best.require("data", "facts")
        return best

    def provenance(self) -> dict:
        """Provenance of the run's first launch; without a story if the file is gone. Raises BadInput."""
        file = self.folder / "provenance.json"
        return stored_files.provenance(file) if file.is_file() else dict(stored_files.NOTHING)


EXAMINING = {"trainer.device", "trainer.precision", "trainer.examine_batch"}  # what else a trainer says is of training


def open_run(
    folder: str | None,
    settings: Sequence[str] = (),
    allow: str | None = None,
    parts: Sequence[str] = build.PARTS,
    training: bool = False,
) -> Run:
    """A run in `folder`, changed by `settings` (`data.path=FILE`, ...). Raises BadInput before anything is imported.

    allow: names of modules whose classes its configuration may use, and of files that it may read, with commas between.
    parts: what will be built; files that others name are not read anyway.
    training: will it go on training? If not, settings of that would do nothing, and are refused.
    """
    if not folder:
        raise BadInput("give the folder of a run, e.g. run=outputs/2026-01-31/10-20-30-123456 (or resume=...)")
    place = run_folder(folder)
    file = place / "config.yaml"
    if not file.is_file():
        if one := next((inside.parent for inside in sorted(place.glob("*/config.yaml"))), None):
            raise BadInput(
                f"{place}: holds several runs; name one of them, {in_shell(one)}; which is best: dlthink compare "
                f"{in_shell(place)}; to go on with a sweep: dlthink train -m resume={in_shell(place)}"
            )
        raise BadInput(f"{place}: not the folder of a run (there is no config.yaml in it)")
    stored_files.plain(place)
    text = stored_files.configuration(file)
    try:
        config = OmegaConf.create(text)
    except (OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{file}: not the configuration of a run ({str(error).splitlines()[0]})") from error
    if not isinstance(config, DictConfig) or not {*build.PARTS, "seed"} <= config.keys():
        raise BadInput(f"{file}: not the configuration of a run ({', '.join(build.PARTS)}, seed)")
    for part in build.PARTS:
        if not isinstance(config[part], DictConfig):
            raise BadInput(f"{file}: not the configuration of a run ({part} should hold settings)")
    before = config.copy()
    change(config, list(settings))
    if not training:
        _check_examining(settings)
    allowed = [word for word in (allow or "").split(",") if word]
    trust.check_classes(config, allowed)
    reach(word for word in allowed if word.isidentifier())
    build.check(config, **choices())
    if not signed(text):
        trust.check_files(config, parts, {word.partition("=")[0] for word in settings}, allowed)
    return Run(place, config, before)


def _check_examining(settings: Sequence[str]) -> None:
    names = [word.partition("=")[0] for word in settings]
    if idle := [name for name in names if name.startswith(("optim.", "trainer.")) and name not in EXAMINING]:
        raise BadInput(f"{idle[0]}: is a setting of training, and nothing is trained here; leave the word out")


def install(saved: Checkpoint, loss: nn.Module, model: nn.Module, precision: Precision) -> None:
    """A checkpoint's weights into cost and network, on the device and in the precision of its run."""
    precision = precision.of_run(saved.state)
    with saved.fitting():
        saved.install(model, loss)
    model.to(precision.device)
    loss.to(precision.device)
    precision.network(model)


def record(folder: Path, config: DictConfig, provenance: dict) -> None:
    """Write what the run is, before it starts, and sign it: what this user has written here may name his files."""
    folder.mkdir(parents=True, exist_ok=True)
    stored_files.plain(folder)
    # first what says whose the folder is: after a kill between the two, the same command begins here again
    write_json(folder / "provenance.json", provenance, alone=True)
    write_text(folder / "config.yaml", sign(OmegaConf.to_yaml(config, resolve=True)), alone=True)


def tabulate(folder: Path, tables: dict[str, list[list]]) -> None:
    """Write what the data say of themselves, {file name: rows, a header first}, as CSV into the run's folder."""
    for name, rows in tables.items():
        if not re.fullmatch(r"[\w-]+\.csv", name):
            raise ValueError(f"{name}: a table is called NAME.csv")
        # a file's name need not be text; its bytes go into the table as they are
        with (folder / name).open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
