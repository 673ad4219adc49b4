"""Job: one run, as the command line or the launcher of a sweep starts it: begun, gone on with, or left as it is."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dlthink.config import stem  # noqa: F401  folders of runs are called so, in whatever process
from dlthink.config.override import as_typed
from dlthink.config.paths import choices_by_group, page
from dlthink.config.user_files import own_modules, register
from dlthink.errors import EXPECTED, STOP, BadInput, answer, exit_code, in_a_line, in_shell, out_of_memory, plain
from dlthink.files.lock import hold
from dlthink.progress_bar import duration
from dlthink.runs.summary import explained
from dlthink.runs.sweep import Sweep, keep
from dlthink.runs.worker import at_work, take_turn
from dlthink.user_errors import own_code

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from dlthink.training.checkpoint import Checkpoint
    from dlthink.training.interrupt import Interrupted

NEXT = """\
next: every cost that fits, dlthink train -m loss=all seed=0,1,2 with the same data; your own, dlthink new loss NAME
use it: dlthink predict run=latest input=FILE output=predicted.csv; of photos and galleries dlthink predict --help
pictures: figures/ in its folder, or tensorboard --logdir {logdir}; what the numbers mean: {page}"""


@dataclass
class Trained:
    """A run that has come to its end: its numbers by split, what picks the best of it, what it is compared by, and what
    numbers are."""

    results: dict[str, dict[str, float]]
    best: str
    scores: dict[str, str]
    glossary: dict[str, str]

    @property
    def figure(self) -> float:
        """On validation, of what picks the best."""
        return self.results["val"][self.best]

    def tell(self, folder: Path) -> None:
        """The table of its test; a sweep has its own, of all runs."""
        print(plain(explained("test", self.results["test"], self.scores, self.glossary)))
        logdir = "outputs" if folder.is_relative_to(Path("outputs").absolute()) else in_shell(short(folder))
        print(plain(NEXT.format(logdir=logdir, page=page("scenarios.md"))))
        print(plain(f"run: {short(folder)}"), flush=True)


class Changed(BadInput):
    """A sweep cannot go on as it began, none of its runs."""


def job(config: DictConfig) -> float | None:
    """What Hydra calls for each run: the figure on validation that picks the best.

    A run that is refused says so, returns None and lets the sweep go on.
    """
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    hydra = HydraConfig.get()
    typed = OmegaConf.to_container(hydra.overrides.task)  # with what is still to be filled in, ${...}, as it is typed
    register(typed)  # a launcher may have put this run into a process of its own
    folder = Path(hydra.runtime.output_dir)
    try:
        these = Sweep.current()
    except BadInput as error:
        sys.exit(answer(error))

    if these.elsewhere and these.stopped() is not None:
        _leave_no_trace(folder)
        return None
    if not these.beside:
        return _told(config, folder, these, typed)
    with at_work(these):
        try:
            if not these.over():
                return _told(config, folder, these, typed)
            _leave_no_trace(folder)
        except KeyboardInterrupt as stop:  # outside of training, so there is nothing to be saved
            these.stop(exit_code(stop))
        except SystemExit as stop:  # all others save what they have before the command ends
            these.stop(stop.code)
    return None


def _told(config: DictConfig, folder: Path, these: Sweep, typed: list[str]) -> float | None:
    """The figure of a run, whose end is told; None where it failed. Raises SystemExit where the sweep shall end."""
    from dlthink.config.refusals import REFUSED, in_one_line
    from dlthink.training.interrupt import Interrupted

    def tell(code: int, figure: str | None = None, why: str = "") -> None:
        if line := these.ended(code, folder.name, figure, why):
            print(plain(line), flush=True)

    try:
        figure, how = _ended(config, folder, these, typed)
        tell(0, how)
        return figure
    except (*EXPECTED, *REFUSED) as error:
        why, code = in_a_line(in_one_line(error) if isinstance(error, REFUSED) else error)
        print(why, file=sys.stderr)
        tell(code, why=why)
        _leave_no_trace(folder)
        if these.fail_fast or isinstance(error, Changed):
            if not these.elsewhere:
                sys.exit(code)
            these.stop(code)  # a cluster would take an exit for a job that is lost
    except Interrupted as stop:
        if stop.requeue is not None:
            said = f"dlthink: {stop}; saved, and put into the queue again: {folder.name}"
            print(plain(said), file=sys.stderr, flush=True)
            stop.requeue(stop.number, None)
        if these.beside:
            print(plain(f"dlthink: {stop}; saved: {folder.name}"), file=sys.stderr, flush=True)
            sys.exit(STOP + stop.number)
        whole = these.runs > 1
        place = in_shell(short(these.file.parent if whole else folder))
        sys.exit(_say_how_to_resume(f"-m resume={place}" if whole else f"resume={place}", stop))
    except Exception:  # a mistake of ours in one run is no reason to leave out all others
        if these.runs == 1:
            raise
        traceback.print_exc()
        tell(1, why=traceback.format_exc(limit=-1))
    return None


def _leave_no_trace(folder: Path) -> None:
    """Hydra makes a folder for each run; of one that has not begun nothing stays."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _ended(config: DictConfig, folder: Path, these: Sweep, typed: list[str]) -> tuple[float, str | None]:
    """The figure of a run that is trained, gone on with or found finished; what to say of its training in a sweep."""
    from hydra.core.hydra_config import HydraConfig

    from dlthink.config import typed_experiment
    from dlthink.runs.provenance import provenance

    began, hydra = time.monotonic(), HydraConfig.get()
    chosen = choices_by_group(hydra.runtime.choices)
    classes = typed_experiment.check(config, chosen)
    if these.beside:
        take_turn(these.turn(), config.trainer.get("device"))
    with hold(folder):
        go_on = these.go_on or these.begun(folder, typed)
        if go_on and (folder / "config.yaml").is_file():
            _check_same(folder, config)
        if go_on and (found := _finished(folder)) is not None:
            return found, None
        resumed = go_on and (folder / "checkpoints" / "last.pt").exists()
        if not resumed:
            _check_free(folder)
        if these.runs > 1:
            keep(Path(hydra.sweep.dir), these.words)
            print(plain(f"{folder.name}:"), flush=True)
        if resumed:
            trained = _go_on(folder, allow=",".join(own_modules(classes)))  # which this command names, too
        else:
            story = provenance([as_typed(word) for word in typed], chosen)
            trained = _train(config, folder, story)
    if these.runs == 1:
        trained.tell(folder)
    return trained.figure, f" val {trained.best} {trained.figure:.5g} in {duration(time.monotonic() - began)}"


def resume(folder: str, settings: Sequence[str], allow: str | None) -> int:
    """Go on in a run's folder, with its configuration and, where given, changed settings (`trainer.epochs=100`)."""
    from dlthink.runs.folder import open_run
    from dlthink.training.interrupt import Interrupted

    run = open_run(folder, settings, allow, training=True)
    try:
        with hold(run.folder):
            trained = _go_on(run.folder, settings, allow)
    except Interrupted as stop:
        return _say_how_to_resume(f"resume={in_shell(short(run.folder))}", stop)
    trained.tell(run.folder)
    return 0


def short(folder: Path) -> Path:
    """As seen from the working folder, where that is shorter to type."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _check_free(folder: Path) -> None:
    """Nothing that lies in the folder of a new run is written over. Raises BadInput."""
    if (folder / "checkpoints").exists():
        raise BadInput(
            f"{folder}: holds a run already; go on with it, dlthink train resume={in_shell(folder)}, or choose another "
            f"folder"
        )
    if (folder / "config.yaml").exists() and not (folder / "provenance.json").exists():
        raise BadInput(f"{folder / 'config.yaml'}: is of no run and would be overwritten; choose another folder")


def _check_same(folder: Path, config: DictConfig) -> None:
    """Raises Changed where a run was begun with other settings than its words mean today: another version of a file."""
    from omegaconf import OmegaConf

    from dlthink.runs.compare.comparison import flat, settings

    before, now = settings(folder / "config.yaml"), flat(OmegaConf.to_container(config, resolve=True))
    other = [f"{key} was {before[key]}, is {now[key]}" for key in before.keys() & now.keys() if before[key] != now[key]]
    if other:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise Changed(
            f"{folder}: began with another configuration than its words stand for now ({min(other)}{more}): go on with "
            f"that one, or begin another sweep"
        )


def _finished(folder: Path) -> float | None:
    """The figure on validation that picked the best, of a run that came to its end; None of any other."""
    from dlthink.runs.compare.comparison import read

    if not (folder / "metrics.json").is_file():
        return None
    run = read(folder, "val")
    return run.numbers[run.best[0]] if run.best and run.best[0] in run.numbers else None


def _go_on(folder: Path, settings: Sequence[str] = (), allow: str | None = None) -> Trained:
    """A run whose folder is held, from its last checkpoint to its end."""
    from dlthink.runs.folder import open_run
    from dlthink.training import checkpoint

    run = open_run(str(folder), settings, allow, training=True)  # it may have been somebody else's until now
    saved, remark = checkpoint.load_last(folder / "checkpoints")
    saved.require("data", "facts")
    if remark:
        print(plain(f"dlthink: {remark}"), file=sys.stderr)
    return _train(run.config, folder, run.provenance(), saved, run.before)


@out_of_memory()
@own_code()
def _train(
    config: DictConfig, folder: Path, story: dict, saved: Checkpoint | None = None, before: DictConfig | None = None
) -> Trained:
    """The run itself. story: its provenance. saved: the checkpoint to go on from, made by the configuration
    `before`.
    """
    from dlthink.config import build
    from dlthink.protocols import Metrics
    from dlthink.runs.launch import launch

    with saved.fitting() if saved else nullcontext():
        parts = build.assemble(config, saved)
    results = launch(parts, config, folder, story, saved, before)
    metrics = parts.metrics
    return Trained(results, metrics.best[0], Metrics.scores.of(metrics), Metrics.glossary.of(metrics))


def _say_how_to_resume(words: str, stop: Interrupted) -> int:
    print(plain(f"dlthink: {stop}; saved. Go on with: dlthink train {words}"), file=sys.stderr)
    return STOP + stop.number
