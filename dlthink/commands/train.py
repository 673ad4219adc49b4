"""Compose data, network and cost; train; examine. The one entrypoint of every scenario."""

import os
import shlex
import sys
import tempfile
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext
from pathlib import Path

from dlthink.config.overview import overview
from dlthink.config.paths import conf_folder
from dlthink.config.user_files import register
from dlthink.errors import BadInput, plain
from dlthink.runs.job import job, resume, short


def main(words: list[str]) -> int:
    """`dlthink train [overrides]`, `dlthink train resume=FOLDER [overrides]`, `dlthink train -m resume=SWEEP`."""
    if "--help" in words or "-h" in words:
        print(_help([word for word in words if word not in ("--help", "-h")]))
        return 0
    several = bool({"-m", "--multirun"} & set(words))
    resumed = any(word.startswith("resume=") for word in words)
    if resumed and not several:
        from dlthink.config.arguments import parse

        given, settings = parse(words, {"resume": None, "allow": None})
        return resume(given["resume"], settings, given["allow"])
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
    with tempfile.TemporaryDirectory(prefix=".sweep-", dir=Path.cwd() if elsewhere else None) as scratch:
        these = sweep.Sweep(Path(scratch) / "ended", overrides, 1, resumed, fail_fast)
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
        if not sweep.clear_away(folder):
            _say_how_to_compare(folder)
    return max(codes, default=0)


def _help(words: list[str]) -> str:
    """Every choice with a line each; of what the words choose, its settings."""
    words = [word for word in words if not word.startswith(("resume=", "allow=", "fail_fast="))]  # of a run as it is
    if not any("=" in word and not word.startswith("-") for word in words):
        return overview(_config_dir(words))
    from dlthink.config import command_line
    from dlthink.config.explained import explained

    overrides = command_line.read(words)[1]
    register(overrides)
    return explained(overrides) or overview(_config_dir(words))


def _composed(words: list[str]) -> int:
    """Hand the words to Hydra, which composes each run and calls `job`. Raises BadInput for what it refuses."""
    import hydra

    from dlthink.config.refusals import REFUSED, in_one_line

    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra raise, whatever was set: we say it in one line
    sys.argv = [sys.argv[0], *words]
    try:
        hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="train")(job)()
    except REFUSED as error:
        raise in_one_line(error) from error
    except BrokenExecutor as error:
        raise BadInput(
            f"a run of the sweep was killed ({str(error).splitlines()[0]}); with fewer of them side by side, "
            f"hydra.launcher.n_jobs=2, each has more memory"
        ) from error
    return 0


def _say_how_to_compare(sweep: Path) -> None:
    """The table of a sweep with several finished runs, and how to see it again."""
    from dlthink.commands import compare

    if len(list(sweep.glob("*/metrics.json"))) > 1:
        folder = str(short(sweep))
        print()
        try:
            compare.main([folder])
        except BadInput as error:  # runs of several problems have been trained all the same
            print(plain(f"note: {error}"))
        print(f"compare them: dlthink compare {shlex.quote(folder)}", flush=True)


def _config_dir(words: list[str]) -> Path | None:
    for i, word in enumerate(words):
        if word in ("--config-dir", "-cd") and i + 1 < len(words):
            return Path(words[i + 1])
        if word.startswith("--config-dir="):
            return Path(word.partition("=")[2])
    return None
