"""Compose data, network and cost; train; examine. The one entrypoint of every scenario."""

import os
import sys
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext
from pathlib import Path

from dlthink.config.help_choices import overview
from dlthink.config.paths import conf_folder
from dlthink.config.user_files import register
from dlthink.errors import BadInput, in_shell, plain
from dlthink.runs.job import job, resume, short
from dlthink.runs.sweep import IN_TURN

FEW = 5  # runs that a line names


def main(words: list[str]) -> int:
    """`dlthink train [overrides]`, `dlthink train resume=FOLDER [overrides]`, `dlthink train -m resume=SWEEP`."""
    if "--help" in words or "-h" in words:
        from dlthink.config.help_width import fitted

        print(fitted(_help([word for word in words if word not in ("--help", "-h")])))
        return 0
    several = bool({"-m", "--multirun"} & set(words))
    resumed = any(word.startswith("resume=") for word in words)
    if resumed and not several:
        from dlthink.config.arguments import parse

        own, settings = parse(words, {"resume": None, "allow": None})
        return resume(own["resume"], settings, own["allow"])
    if {"-sc", "--shell-completion"} & set(words):
        return _composed(words)
    from dlthink.config import command_line
    from dlthink.runs.sweep import fails_fast, words_to_go_on

    flags, overrides = command_line.read(["-m", *words_to_go_on(words)] if resumed else words)
    fail_fast, overrides = fails_fast(overrides, several)
    register(overrides)
    given = [f"{name}={value}" if value else name for name, value in flags.items()]
    if "--cfg" in flags:
        return _composed([*given, *overrides])
    return _sweep(given, overrides, resumed, fail_fast) if several else _one(given, overrides)


def _one(flags: list[str], words: list[str]) -> int:
    """A single run. Returns its exit code."""
    from dlthink.runs.sweep import Sweep, scratch

    with scratch() as file:
        this = Sweep(file, words, 1)
        _composed([*flags, *words, this.begin()])
        return max(this.codes(), default=0)


def _sweep(flags: list[str], words: list[str], resumed: bool, fail_fast: bool) -> int:
    """A run for each combination of values, side by side where a launcher does so. Returns the worst exit code."""
    from dlthink.config.sweep import every_cost, name_of_each, runs
    from dlthink.runs import sweep
    from dlthink.runs.worker import fork_once

    launcher = _last(words, "hydra/launcher") or IN_TURN
    words = every_cost(words, tell=lambda said: print(plain(f"note: {said}"), flush=True))
    number, folder = runs(words), sweep.place(words)
    go_on = resumed or sweep.began(folder, words)
    line = [*flags, *sweep.into(folder, words)]
    if not any(word.startswith("hydra.sweep.subdir=") for word in words):
        line.append(f"hydra.sweep.subdir='{name_of_each(words)}'")
    with sweep.alone(folder, launcher) as file:
        there = len(list(folder.glob("*/metrics.json"))) if go_on else 0
        these = sweep.Sweep(file, words, number, go_on, fail_fast, launcher, there)
        line.append(these.begin())
        if number > 1:
            print(plain(_how_many(number, there)), flush=True)
        try:
            if these.beside:
                fork_once(_last(words, "hydra.launcher.n_jobs"))
            with these.heard() if these.beside else these.followed() if these.elsewhere else nullcontext():
                _composed(line, launcher)
        except SystemExit as stop:  # a signal, or the first failure where that ends the sweep
            if stop.code not in these.codes():
                raise
        except KeyboardInterrupt as stop:
            if not (folder / sweep.WORDS).is_file():
                raise
            raise type(stop)(f"stopped; {_how_to_go_on(folder)}") from stop
        codes, failed = these.codes(), these.failed()
    if not codes:
        raise BadInput(f"hydra/launcher={launcher}: has started none of the {number} runs; look at its settings")
    if folder.is_dir():
        _say_how_to_compare(folder)
    if failed:
        named = ", ".join(failed[:FEW]) + (f" and {len(failed) - FEW} more" if len(failed) > FEW else "")
        rest = f"; {_how_to_go_on(folder)}" if fail_fast and (folder / sweep.WORDS).is_file() else ""
        print(plain(f"dlthink: {len(failed)} of {number} runs failed: {named}{rest}"), file=sys.stderr)
    return max(codes)


def _last(words: list[str], key: str) -> str | None:
    """What the last of the words that give `key` a value says."""
    return next((word.partition("=")[2] for word in reversed(words) if word.startswith(f"{key}=")), None)


def _how_many(runs: int, there: int) -> str:
    """What is said of a sweep as it begins, of which some runs may be there."""
    if not there:
        return f"{runs} runs: how long all take is said when one has been trained"
    left = runs - there
    how_long = f"; how long the other {left} take is said when one of them has been trained" if left > 1 else ""
    return f"{runs} runs, {there} of them finished{how_long}"


def _how_to_go_on(folder: Path) -> str:
    return f"go on with: dlthink train -m resume={in_shell(short(folder))}"


def _help(words: list[str]) -> str:
    """Every choice with a line each; of what the words choose, its settings."""
    words = [word for word in words if not word.startswith(("resume=", "allow=", "fail_fast="))]  # of a run as it is
    if not any("=" in word and not word.startswith("-") for word in words):
        return overview(_config_dir(words))
    from dlthink.config import command_line
    from dlthink.config.help_settings import explained

    overrides = command_line.read(words)[1]
    register(overrides)
    return explained(overrides) or overview(_config_dir(words))


def _composed(words: list[str], launcher: str = IN_TURN) -> int:
    """Hand the words to Hydra, which composes each run and calls `job`. Raises BadInput for what it refuses, or a
    launcher: what goes wrong in a run of a sweep never comes back from there."""
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
    except BadInput:
        raise
    except Exception as error:
        if launcher == IN_TURN:
            raise
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"hydra/launcher={launcher}: {why}") from error
    return 0


def _say_how_to_compare(sweep: Path) -> None:
    """The table of a sweep with several finished runs, and how to see it again."""
    from dlthink.commands import compare

    if (finished := len(list(sweep.glob("*/metrics.json")))) > 1:
        folder = str(short(sweep))
        print(plain(f"\ncomparing {finished} runs:"), flush=True)
        try:
            compare.main([folder])
        except BadInput as error:  # runs of several problems have been trained all the same
            print(plain(f"note: {error}"))
        print(plain(f"compare them: dlthink compare {in_shell(folder)}"), flush=True)


def _config_dir(words: list[str]) -> Path | None:
    for i, word in enumerate(words):
        if word in ("--config-dir", "-cd") and i + 1 < len(words):
            return Path(words[i + 1])
        if word.startswith("--config-dir="):
            return Path(word.partition("=")[2])
    return None
