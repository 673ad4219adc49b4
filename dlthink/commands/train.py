"""Compose data, network and cost; train; examine. The one entrypoint of every scenario."""

import json
import os
import shlex
import sys
import tempfile
import time
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext
from pathlib import Path

from dlthink.config.overview import overview
from dlthink.config.own import reach, register
from dlthink.config.paths import as_typed, conf_folder
from dlthink.errors import EXPECTED, BadInput, answer, out_of_memory, plain
from dlthink.files.lock import hold
from dlthink.own_code import own_code

REFUSALS = "DLTHINK_REFUSALS"  # names the file in which a run that ends badly says so, in whatever process it is


def main(words: list[str]) -> int:
    """`dlthink train [overrides]`, or `dlthink train resume=FOLDER [overrides]`."""
    if "--help" in words or "-h" in words:
        print(overview(_config_dir(words)))
        return 0
    if any(word.startswith("resume=") for word in words):
        return _resume(words)
    if {"-sc", "--shell-completion"} & set(words):
        return _composed(words)
    from dlthink.config import command_line

    flags, overrides = command_line.read(words)
    register(overrides)
    began = time.time()
    with tempfile.TemporaryDirectory() as place:
        refusals = Path(place) / "refusals"
        handed_on = [f"+hydra.job.env_set.{REFUSALS}='{refusals}'"] if "--cfg" not in flags else []
        given = [f"{name}={value}" if value else name for name, value in flags.items()]
        _composed([*given, *overrides, *handed_on])
        told = [json.loads(line) for line in refusals.read_text().splitlines()] if refusals.exists() else []
    worst = max((code for code, _ in told), default=0)
    if "--multirun" in flags:
        _clear_away({Path(sweep) for _, sweep in told})
        _say_how_to_compare(overrides, began)
    return worst


def _composed(words: list[str]) -> int:
    """Hand the words to Hydra, which composes each run and calls `_one`. Raises BadInput for what it refuses."""
    import hydra

    from dlthink.config.refusals import REFUSED, in_one_line

    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra raise, whatever was set: we say it in one line
    sys.argv = [sys.argv[0], *words]
    try:
        hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="train")(_one)()
    except REFUSED as error:
        raise in_one_line(error) from error
    except BrokenExecutor as error:
        raise BadInput(
            f"a run of the sweep was killed ({str(error).splitlines()[0]}); with fewer of them side by side, "
            f"hydra.launcher.n_jobs=2, each has more memory"
        ) from error
    return 0


def _one(config) -> float | None:
    """One run, alone or in a sweep. A run that is refused says so and lets the sweep go on."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from dlthink.config import build
    from dlthink.config.refusals import REFUSED, in_one_line
    from dlthink.config.trust import nodes
    from dlthink.runs.folder import choices
    from dlthink.runs.provenance import provenance
    from dlthink.training.interrupt import Interrupted

    hydra = HydraConfig.get()
    typed = OmegaConf.to_container(hydra.overrides.task)  # with what is still to be filled in, ${...}, as it is typed
    register(typed)  # a launcher may have put this run into a process of its own
    folder = Path(hydra.runtime.output_dir)
    chosen = {name: choice for name, choice in hydra.runtime.choices.items() if "/" not in name and choice}
    try:
        OmegaConf.resolve(config)
        reach(name for _, node in nodes(config, "") if isinstance(name := node["_target_"], str))
        build.check(config, **choices())
        with hold(folder):
            if (folder / "checkpoints").exists():
                raise BadInput(
                    f"{folder}: holds a run already; "
                    f"go on with `dlthink train resume={folder}` or choose another folder"
                )
            if (folder / "config.yaml").exists() and not (folder / "provenance.json").exists():
                raise BadInput(
                    f"{folder / 'config.yaml'}: is of no run and would be overwritten; choose another folder"
                )
            return _train(config, folder, provenance([as_typed(word) for word in typed], chosen))
    except (*EXPECTED, *REFUSED) as error:
        _remember(answer(in_one_line(error) if isinstance(error, REFUSED) else error), Path(hydra.sweep.dir))
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()  # nothing began
    except Interrupted as stop:
        sys.exit(_say_how_to_resume(folder, stop))
    return None


def _remember(code: int, sweep: Path) -> None:
    with open(os.environ[REFUSALS], "a") as file:
        file.write(json.dumps([code, str(sweep.absolute())]) + "\n")


def _clear_away(sweeps: set[Path]) -> None:
    """A sweep of which no run began leaves no folder, which would be taken for the newest one."""
    for sweep in sweeps:
        left = sorted(sweep.rglob("*"), reverse=True)
        if {path for path in left if not path.is_dir()} == {sweep / "multirun.yaml"}:
            (sweep / "multirun.yaml").unlink()
            for folder in (*(path for path in left if path.is_dir()), sweep):
                folder.rmdir()


def _resume(words: list[str]) -> int:
    """Go on in a run's folder, with its configuration and, where given, changed settings (`trainer.epochs=100`)."""
    from dlthink.config.words import parse
    from dlthink.runs.folder import open_run
    from dlthink.training import checkpoint
    from dlthink.training.interrupt import Interrupted

    given, settings = parse(words, {"resume": None, "allow": None})
    run = open_run(given["resume"], settings, given["allow"])
    try:
        with hold(run.folder):
            run = open_run(str(run.folder), settings, given["allow"])  # it may have been somebody else's until now
            saved, remark = checkpoint.load_last(run.folder / "checkpoints")
            checkpoint.require(saved, ("data", "facts"), run.folder / "checkpoints" / "last.pt")
            if remark:
                print(plain(f"dlthink: {remark}"), file=sys.stderr)
            _train(run.config, run.folder, run.provenance(), saved, run.before)
    except Interrupted as stop:
        return _say_how_to_resume(run.folder, stop)
    return 0


@out_of_memory()
@own_code()
def _train(config, folder: Path, story: dict, saved: dict | None = None, before=None) -> float:
    """The run itself. Returns the figure that picks the best, for sweepers.

    story: its provenance. saved: the checkpoint to go on from. before: its configuration until now.
    """
    from dlthink.config import build
    from dlthink.runs.folder import fitting
    from dlthink.runs.launch import launch
    from dlthink.runs.summary import table

    with fitting(saved, folder / "checkpoints") if saved else nullcontext():
        parts = build.assemble(config, state=saved and saved["data"])
    results = launch(parts, config, folder, story, saved, before)
    print(plain(table("test", results["test"])))
    print(f"run: {_short(folder)}", flush=True)
    return results["val"][parts.metrics.best[0]]


def _say_how_to_resume(folder: Path, stop) -> int:
    print(f"dlthink: {stop}; saved. Go on with: dlthink train resume={_short(folder)}", file=sys.stderr)
    return 128 + stop.number


def _say_how_to_compare(words: list[str], began: float) -> None:
    """Of a sweep with several finished runs. They may have had processes of their own: its folder is looked up."""
    from dlthink.runs.comparison import SWEEPS, sweeps

    places = [word.partition("=")[2].strip("'\"") for word in words if word.startswith("hydra.sweep.dir=")]
    swept = [folder for start, folder in sweeps(Path(places[-1]) if places else SWEEPS) if start >= began]
    if swept and len(list(swept[0].rglob("metrics.json"))) > 1:  # the first: another may have begun since
        print(f"compare them: dlthink compare {shlex.quote(str(_short(swept[0])))}", flush=True)


def _short(folder: Path) -> Path:
    """As seen from the working folder, where that is shorter to type."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _config_dir(words: list[str]) -> Path | None:
    for i, word in enumerate(words):
        if word in ("--config-dir", "-cd") and i + 1 < len(words):
            return Path(words[i + 1])
        if word.startswith("--config-dir="):
            return Path(word.partition("=")[2])
    return None
