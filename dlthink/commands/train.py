"""Compose data, network and cost; train; examine. The one entrypoint of every scenario."""

import os
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext
from pathlib import Path

from dlthink.config.overview import overview
from dlthink.config.paths import as_typed, choices_by_group, conf_folder
from dlthink.config.user_files import reach, register
from dlthink.errors import EXPECTED, BadInput, answer, out_of_memory, plain
from dlthink.files.lock import hold
from dlthink.progress_bar import duration
from dlthink.user_errors import own_code


def main(words: list[str]) -> int:
    """`dlthink train [overrides]`, `dlthink train resume=FOLDER [overrides]`, `dlthink train -m resume=SWEEP`."""
    if "--help" in words or "-h" in words:
        print(overview(_config_dir(words)))
        return 0
    several = bool({"-m", "--multirun"} & set(words))
    resumed = any(word.startswith("resume=") for word in words)
    if resumed and not several:
        return _resume(words)
    if {"-sc", "--shell-completion"} & set(words):
        return _composed(words)
    from dlthink.config import command_line
    from dlthink.config.sweep import every_cost, name_of_each, runs
    from dlthink.runs import sweep

    if resumed:
        words = ["-m", *sweep.words_to_go_on(words)]
    flags, overrides = command_line.read(words)
    fail_fast, overrides = sweep.fails_fast(overrides, several)
    register(overrides)
    given = [f"{name}={value}" if value else name for name, value in flags.items()]
    if "--cfg" in flags:
        return _composed([*given, *overrides])
    elsewhere = any(word.startswith("hydra/launcher=") for word in overrides)  # its machines share this folder
    with tempfile.TemporaryDirectory(prefix=".sweep-", dir=Path.cwd() if elsewhere else None) as place:
        these = sweep.Sweep(Path(place) / "ended", overrides, 1, resumed, fail_fast)
        if several:
            overrides = these.words = every_cost(overrides)
            place = sweep.named(overrides)
            these.runs, these.go_on = runs(overrides), resumed or sweep.began(place, overrides)
            if not any(word.startswith("hydra.sweep.subdir=") for word in overrides):
                given.append(f"hydra.sweep.subdir='{name_of_each(overrides)}'")
        try:
            with sweep.alone(place) if several else nullcontext():
                _composed([*given, *overrides, these.begin()])
        except SystemExit as stop:  # a signal, or the first failure where that ends the sweep
            if not (several and stop.code in these.codes()):
                raise
        codes, folders = these.codes(), these.folders()
    for folder in folders if several else ():
        if not _clear_away(folder):
            _say_how_to_compare(folder)
    return max(codes, default=0)


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
    from dlthink.runs.sweep import Sweep, keep
    from dlthink.training.interrupt import Interrupted

    hydra = HydraConfig.get()
    typed = OmegaConf.to_container(hydra.overrides.task)  # with what is still to be filled in, ${...}, as it is typed
    register(typed)  # a launcher may have put this run into a process of its own
    folder = Path(hydra.runtime.output_dir)
    chosen = choices_by_group(hydra.runtime.choices)
    these, began = Sweep.current(), time.monotonic()
    whole, called = Path(hydra.sweep.dir), folder.name
    try:
        OmegaConf.resolve(config)
        reach(name for _, node in nodes(config, "") if isinstance(name := node["_target_"], str))
        build.check(config, **choices())
        with hold(folder):
            go_on = these.go_on or these.begun(folder, typed)
            if go_on and (found := _finished(folder)) is not None:
                print(plain(these.ended(0, whole, called, " was there") or ""), flush=True)
                return found
            if go_on and (folder / "checkpoints" / "last.pt").exists():
                value, best = _go_on(folder)
            else:
                _check_free(folder)
                if these.runs > 1:
                    keep(whole, these.words)
                value, best = _train(config, folder, provenance([as_typed(word) for word in typed], chosen))
        told = these.ended(0, whole, called, f" val {best} {value:.5g} in {duration(time.monotonic() - began)}")
        if told:
            print(plain(told), flush=True)
        return value
    except (*EXPECTED, *REFUSED) as error:
        code = answer(in_one_line(error) if isinstance(error, REFUSED) else error)
        if told := these.ended(code, whole, called):
            print(plain(told), flush=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()  # nothing began
        if these.fail_fast:
            sys.exit(code)
    except Interrupted as stop:
        if stop.requeue is not None:
            print(plain(f"dlthink: {stop}; saved, and put into the queue again: {called}"), file=sys.stderr, flush=True)
            stop.requeue(stop.number, None)
        place = f"-m resume={shlex.quote(str(_short(whole)))}" if these.runs > 1 else f"resume={_short(folder)}"
        sys.exit(_say_how_to_resume(place, stop))
    return None


def _check_free(folder: Path) -> None:
    """Nothing that lies in the folder of a new run is written over. Raises BadInput."""
    if (folder / "checkpoints").exists():
        raise BadInput(
            f"{folder}: holds a run already; go on with `dlthink train resume={folder}` or choose another folder"
        )
    if (folder / "config.yaml").exists() and not (folder / "provenance.json").exists():
        raise BadInput(f"{folder / 'config.yaml'}: is of no run and would be overwritten; choose another folder")


def _finished(folder: Path) -> float | None:
    """The figure on validation that picked the best, of a run that came to its end; None of any other."""
    from dlthink.runs.comparison import read

    if not (folder / "metrics.json").is_file():
        return None
    run = read(folder, "val")
    return run.numbers[run.best[0]] if run.best and run.best[0] in run.numbers else None


def _clear_away(sweep: Path) -> bool:
    """A sweep of which no run began leaves no folder, which would be taken for the newest one. Was it so?"""
    from dlthink.runs.sweep import WORDS

    left = sorted(sweep.rglob("*"), reverse=True)
    if not {path for path in left if not path.is_dir()} <= {sweep / "multirun.yaml", sweep / WORDS}:
        return False
    for path in left:
        path.rmdir() if path.is_dir() else path.unlink()
    sweep.rmdir()
    return True


def _resume(words: list[str]) -> int:
    """Go on in a run's folder, with its configuration and, where given, changed settings (`trainer.epochs=100`)."""
    from dlthink.config.arguments import parse
    from dlthink.runs.folder import open_run
    from dlthink.training.interrupt import Interrupted

    given, settings = parse(words, {"resume": None, "allow": None})
    run = open_run(given["resume"], settings, given["allow"])
    try:
        with hold(run.folder):
            _go_on(run.folder, settings, given["allow"])
    except Interrupted as stop:
        return _say_how_to_resume(f"resume={_short(run.folder)}", stop)
    return 0


def _go_on(folder: Path, settings: Sequence[str] = (), allow: str | None = None) -> tuple[float, str]:
    """A run whose folder is held, from its last checkpoint; what `_train` returns."""
    from dlthink.runs.folder import open_run
    from dlthink.training import checkpoint

    run = open_run(str(folder), settings, allow)  # it may have been somebody else's until now
    saved, remark = checkpoint.load_last(folder / "checkpoints")
    checkpoint.require(saved, ("data", "facts"), folder / "checkpoints" / "last.pt")
    if remark:
        print(plain(f"dlthink: {remark}"), file=sys.stderr)
    return _train(run.config, folder, run.provenance(), saved, run.before)


@out_of_memory()
@own_code()
def _train(config, folder: Path, story: dict, saved: dict | None = None, before=None) -> tuple[float, str]:
    """The run itself. Returns the figure on validation that picks the best, and its name.

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
    best = parts.metrics.best[0]
    return results["val"][best], best


def _say_how_to_resume(words: str, stop) -> int:
    print(f"dlthink: {stop}; saved. Go on with: dlthink train {words}", file=sys.stderr)
    return 128 + stop.number


def _say_how_to_compare(sweep: Path) -> None:
    """The table of a sweep with several finished runs, and how to see it again."""
    from dlthink.commands import compare

    if len(list(sweep.glob("*/metrics.json"))) > 1:
        folder = str(_short(sweep))
        print()
        try:
            compare.main([folder])
        except BadInput as error:  # runs of several problems have been trained all the same
            print(plain(f"note: {error}"))
        print(f"compare them: dlthink compare {shlex.quote(folder)}", flush=True)


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
