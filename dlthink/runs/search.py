"""Search for good settings: trials asked of Optuna, each trained by `dlthink train`, once or as a sweep over seeds."""

from __future__ import annotations

import io
import math
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO

from dlthink.errors import BadInput, in_shell, plain
from dlthink.files.atomic import write_json
from dlthink.files.lock import NAME, hold
from dlthink.progress_bar import duration
from dlthink.runs import stored_files
from dlthink.runs.compare import comparison
from dlthink.runs.compare.comparison import Estimate, Finished
from dlthink.runs.search_space import Space

KEPT, LOG = "search.json", "log.txt"  # in the folder of a search
REFUSED = 2  # the exit code of bad input, which another trial would not mend
STOPPED = 128  # and more: that of a signal


class Search:
    """A search over `space` in its `folder`: what was tried so far, and the next trials.

    train: `dlthink train`, which takes words and returns an exit code.
    """

    def __init__(self, space: Space, folder: Path, train: Callable[[list[str]], int]) -> None:
        self.space, self.folder, self._train = space, folder, train
        self.tried: list[dict] = []  # {"words": [...], "figure": mean or None}, in order
        self.best: tuple[str, str] | None = None  # the figure of each trial, "max" or "min"

    def run(self, trials: int) -> int:
        """Try until there are so many; say which was best. Returns the exit code."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with hold(self.folder):
                self._go_on()
                self._keep()  # before the first trial: its folder belongs to this search, wherever it stops
                code = self._try(trials)
        except KeyboardInterrupt as stop:
            raise type(stop)(self._how_to_go_on()) from stop
        except SystemExit:  # a trial has heard a signal, and saved
            self._say_how_to_go_on()
            raise
        finally:
            self._clear_away()
        if code > STOPPED:
            self._say_how_to_go_on()
        return code or self._conclude()

    def _how_to_go_on(self) -> str:
        return f"the search was stopped; go on with it by the same words and into={in_shell(self.folder)}"

    def _say_how_to_go_on(self) -> None:
        print(plain(f"dlthink: {self._how_to_go_on()}"), file=sys.stderr)

    def _try(self, trials: int) -> int:
        """Train what is left of so many trials. Returns the exit code of one that is refused or stopped, or 0."""
        before, began = len(self.tried), time.monotonic()
        with (self.folder / LOG).open("a") as log:
            for number in range(before, trials):
                words = self._ask(number)
                found, code = self._trained(number, words, log)
                if code == REFUSED or code > STOPPED:
                    return code
                figure = None if code else Estimate.of(run.numbers[run.best[0]] for run in found)
                known = figure is not None and math.isfinite(figure.mean)
                self.tried.append({"words": words, "figure": figure.mean if known else None})
                self._keep()
                passed = (time.monotonic() - began) / (number + 1 - before)
                self._tell(number, trials, words, figure, passed * (trials - number - 1))
        return 0

    def _ask(self, number: int) -> list[str]:
        """The words of the next trial: they depend on its number and on what was tried, so that a stop changes none."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=number))
        for place, one in enumerate(self.tried):
            known = self.space.as_values(one["words"])
            if known is None:
                raise BadInput(f"{self.folder / KEPT}: trial {place} is not of this search: choose another into=")
            told = _told(one["figure"], self.best)
            study.add_trial(optuna.trial.create_trial(params=known, distributions=self.space.distributions, **told))
        return self.space.as_words(study.ask(self.space.distributions).params)

    def _trained(self, number: int, words: list[str], log: TextIO) -> tuple[list[Finished], int]:
        """The finished runs of a trial, and the exit code; what they print goes to the log."""
        place = self.folder / f"trial-{number}"
        line = [*self.space.words, *words]
        if self.space.repeats:
            line = ["-m", *line, f"into={place}"]
        elif (place / "checkpoints" / "last.pt").exists():
            line = [f"resume={place}"]
        else:
            line = [*line, f"into={place}"]
        with redirect_stdout(log), redirect_stderr(_Both(log, sys.stderr)):
            code = self._train(line)
        found = [] if code else comparison.find([place], "val")[0]
        if any(run.best is None for run in found) or not (found or code):
            raise BadInput(f"{place}: its runs do not say which figure picks the best: choose another into=")
        if found:
            self.best = found[0].best
        return found, code

    def _go_on(self) -> None:
        """What was tried here before. Raises BadInput where that was another search."""
        file = self.folder / KEPT
        if not file.is_file():
            if any(path.name != NAME for path in self.folder.iterdir()):
                raise BadInput(f"into={self.folder}: holds other things than a search: choose another folder")
            return
        kept = stored_files.from_json(file)
        tried = kept.get("tried")
        if kept.get("asked") != self.space.described():
            raise BadInput(f"{file}: another search lies here; go on with its own words, or choose another into=")
        if not (isinstance(tried, list) and all(map(_sound, tried)) and _sound_best(kept.get("best"))):
            raise BadInput(f"{file}: damaged: choose another into=")
        self.tried, self.best = tried, tuple(kept["best"]) if kept["best"] else None

    def _keep(self) -> None:
        write_json(
            self.folder / KEPT, {"asked": self.space.described(), "best": self.best, "tried": self.tried}, alone=True
        )

    def _clear_away(self) -> None:
        """A search of which no trial began leaves no folder, so that its words can be mended."""
        if not self.tried and {path.name for path in self.folder.iterdir()} <= {KEPT, LOG}:
            shutil.rmtree(self.folder)

    def _winner(self) -> int | None:
        """The number of the best trial; None where none ended well."""
        known = [number for number, one in enumerate(self.tried) if one["figure"] is not None]
        sign = -1 if self.best and self.best[1] == "max" else 1
        return min(known, key=lambda number: sign * self.tried[number]["figure"], default=None)

    def _tell(self, number: int, trials: int, words: list[str], figure: Estimate | None, left: float) -> None:
        said = "failed, see its log" if figure is None else f"val {self.best[0]} {_number(figure)}"
        more = f"; about {duration(left)} left" if number + 1 < trials else ""
        best = self._winner()
        ahead = f"; best: trial {best}" if best is not None else ""
        print(plain(f"trial {number} of {trials}: {' '.join(words)}: {said}{ahead}{more}"), flush=True)

    def _conclude(self) -> int:
        best = self._winner()
        if best is None:
            print(plain(f"no trial came to its end with a finite figure; {self.folder / LOG} says why"))
            return 1
        name, better = self.best
        runs, _ = comparison.find([self.folder / f"trial-{best}"], "test")
        test = _number(Estimate.of(run.numbers.get(name, math.nan) for run in runs))
        direction, flag = "more" if better == "max" else "less", "-m " * self.space.repeats
        one = self.tried[best]
        lines = (
            "",
            f"best of {len(self.tried)} trials by val {name} ({direction} is better): trial {best}, "
            f"{one['figure']:.6g}; chosen as the best, that flatters; its test {name}: {test}",
            f"train with it: dlthink train {flag}{shlex.join([*self.space.words, *one['words']])}",
        )
        print(plain("\n".join(lines)))
        return 0


class _Both(io.TextIOBase):
    """What is written goes to the log and to the terminal."""

    def __init__(self, *places: TextIO) -> None:
        self.places = places

    def write(self, text: str) -> int:
        return max(place.write(text) for place in self.places)

    def flush(self) -> None:
        for place in self.places:
            place.flush()


def _told(figure: float | None, best: tuple[str, str] | None) -> dict:
    """A trial's end in Optuna's words; it always descends."""
    from optuna.trial import TrialState

    if figure is None or not math.isfinite(figure):
        return {"state": TrialState.FAIL}
    return {"value": -figure if best and best[1] == "max" else figure, "state": TrialState.COMPLETE}


def _sound(one: object) -> bool:
    """Is it a trial as `Search.run` writes them?"""
    if not isinstance(one, dict) or one.keys() != {"words", "figure"} or not isinstance(one["words"], list):
        return False
    figure = one["figure"]
    number = figure is None or (isinstance(figure, int | float) and not isinstance(figure, bool))
    return number and all(isinstance(word, str) and "=" in word for word in one["words"])


def _sound_best(best: object) -> bool:
    return best is None or (isinstance(best, list) and best[1:] in (["max"], ["min"]) and isinstance(best[0], str))


def _number(figure: Estimate) -> str:
    error = f" +- {figure.error:.2g} ({figure.n} runs)" if figure.error is not None else ""
    return f"{figure.mean:.6g}{error}"
