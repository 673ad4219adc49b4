"""Search for good settings: trials asked of Optuna, each trained by `dlthink train`, once or as a sweep over seeds."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from dlthink.errors import BadInput, plain
from dlthink.files.atomic import write_json
from dlthink.files.lock import NAME, hold
from dlthink.progress_bar import duration
from dlthink.runs import comparison, stored_files
from dlthink.runs.comparison import Estimate, Finished

REPEATED = ("seed", "data.fold")  # as for `compare`: what only repeats a run
KEPT, LOG = "search.json", "log.txt"  # in the folder of a search
REFUSED = 2  # the exit code of bad input, which another trial would not mend
BY_LOGARITHM = 10  # an interval whose end is so many times its beginning


def searched(overrides: list[str]) -> tuple[dict[str, Any], list[str]]:
    """({key: what is searched over, as Hydra reads it}, the other words). Raises BadInput."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob

    space, rest = {}, []
    for word in overrides:
        override = OverridesParser.create().parse_override(word)
        key = word.partition("=")[0]
        if not override.is_sweep_override() or key in REPEATED:
            rest.append(word)
        elif key.startswith("hydra") or isinstance(override.value(), Glob):
            raise BadInput(f"{word}: cannot be searched over; give an interval or the values themselves")
        else:
            space[key] = override
        if key == "resume":
            raise BadInput(f"{word}: a search goes on with its own command and into=FOLDER")
        if key in ("hydra.run.dir", "hydra.sweep.dir"):
            raise BadInput(f"{word}: is the folder of a run; a search has into=FOLDER")
    if not space:
        raise BadInput("nothing to search over: give a setting several values, optim.lr='interval(1e-4,1e-2)'")
    return space, rest


class _Both:
    """What is written goes to the log and to the terminal."""

    def __init__(self, *places: TextIO) -> None:
        self.places = places

    def write(self, text: str) -> int:
        return max(place.write(text) for place in self.places)

    def flush(self) -> None:
        for place in self.places:
            place.flush()

    def isatty(self) -> bool:
        return False  # a bar that moves is of no use in a log


class Search:
    """A search in its folder, `into`: what was tried so far, and the next trials."""

    def __init__(self, space: dict[str, Any], words: list[str], into: str) -> None:
        self.space = {key: _distribution(key, override) for key, override in space.items()}
        self.words = words
        self.repeats = any(_several(word) for word in words)  # is a trial several runs?
        self.folder = Path(into or time.strftime("outputs/search/%Y-%m-%d/%H-%M-%S"))
        self.tried: list[dict] = []  # {"words": [...], "figure": mean or None}, in order
        self.best: tuple[str, str] | None = None  # the figure of each trial, "max" or "min"

    def run(self, trials: int) -> int:
        """Try until there are so many; say which was best. Returns the exit code."""
        if self.folder.exists() and not self.folder.is_dir():
            raise BadInput(f"into={self.folder}: is a file; name a folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with hold(self.folder):
                self._go_on()
                self._keep()  # before the first trial: its folder belongs to this search, wherever it stops
                code = self._try(trials)
        finally:
            self._clear_away()
        return code or self._conclude()

    def _try(self, trials: int) -> int:
        """Train what is left of so many trials. Returns the exit code of the first one that is refused, or 0."""
        before, began = len(self.tried), time.monotonic()
        with (self.folder / LOG).open("a") as log:
            for number in range(before, trials):
                words = self._ask(number)
                found, code = self._train(number, words, log)
                if code == REFUSED:
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
            values = dict(word.split("=", 1) for word in one["words"])
            known = {key: _value(space, values.get(key, "")) for key, space in self.space.items()}
            if None in known.values() or values.keys() != known.keys():
                raise BadInput(f"{self.folder / KEPT}: trial {place} is not of this search: choose another into=")
            told = _told(one["figure"], self.best)
            study.add_trial(optuna.trial.create_trial(params=known, distributions=self.space, **told))
        drawn = study.ask(self.space).params
        return [f"{key}={_text(self.space[key], value)}" for key, value in drawn.items()]

    def _train(self, number: int, words: list[str], log) -> tuple[list[Finished], int]:
        """The finished runs of a trial, and the exit code; what they print goes to the log."""
        from dlthink.commands import train

        place = self.folder / f"trial-{number}"
        line = [*self.words, *words]
        if self.repeats:
            line = ["-m", *line, f"hydra.sweep.dir={place}"]
        elif (place / "checkpoints" / "last.pt").exists():
            line = [f"resume={place}"]
        else:
            line = [*line, f"hydra.run.dir={place}"]
        with redirect_stdout(log), redirect_stderr(_Both(log, sys.stderr)):
            code = train.main(line)
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
        if kept.get("asked") != self._asked():
            raise BadInput(f"{file}: another search lies here; go on with its own words, or choose another into=")
        if not (isinstance(tried, list) and all(map(_sound, tried)) and _sound_best(kept.get("best"))):
            raise BadInput(f"{file}: damaged: choose another into=")
        self.tried, self.best = tried, tuple(kept["best"]) if kept["best"] else None

    def _keep(self) -> None:
        write_json(self.folder / KEPT, {"asked": self._asked(), "best": self.best, "tried": self.tried})

    def _clear_away(self) -> None:
        """A search of which no trial began leaves no folder, so that its words can be mended."""
        if not self.tried and {path.name for path in self.folder.iterdir()} <= {KEPT, LOG}:
            shutil.rmtree(self.folder)

    def _asked(self) -> list[str]:
        return [*self.words, *(f"{key}: {space}" for key, space in self.space.items())]

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
        direction, flag = "more" if better == "max" else "less", "-m " * self.repeats
        one = self.tried[best]
        lines = (
            "",
            f"best of {len(self.tried)} trials by val {name} ({direction} is better): trial {best}, "
            f"{one['figure']:.6g}; chosen as the best, that flatters; its test {name}: {test}",
            f"train with it: dlthink train {flag}{shlex.join([*self.words, *one['words']])}",
        )
        print(plain("\n".join(lines)))
        return 0


def _distribution(key: str, override: Any):
    """What Optuna draws from. Raises BadInput."""
    try:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    except ImportError as error:
        raise BadInput('dlthink search needs optuna: pip install "dlthink[search]"') from error
    if not override.is_interval_sweep():
        return CategoricalDistribution([*map(str, override.sweep_string_iterator())])
    low, high = override.value().start, override.value().end
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise BadInput(f"{key}=interval({low},{high}): its end must lie above its beginning")
    log = "log" in override.value().tags or (low > 0 and high >= BY_LOGARITHM * low)
    if log and low <= 0:
        raise BadInput(f"{key}=tag(log,interval({low},{high})): a logarithm needs a beginning above 0")
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(float(low), float(high), log=log)


def _text(space: Any, value: Any) -> str:
    """A value as it is typed: as many digits as tell a thousandth of the space, four or more; never outside of it."""
    if not isinstance(value, float):
        return str(value)
    digits = 4 + int(math.log10(max(abs(space.low), abs(space.high)) / (space.high - space.low)))
    text = f"{value:.{max(digits, 4)}g}"
    return text if space.low <= float(text) <= space.high else repr(value)


def _value(space: Any, text: str) -> Any:
    """The value that a stored word stands for, if it lies in the space; None otherwise."""
    from optuna.distributions import CategoricalDistribution

    if isinstance(space, CategoricalDistribution):
        return text if text in space.choices else None
    try:
        value = type(space.low)(text)
    except ValueError:
        return None
    return value if space.low <= value <= space.high else None


def _told(figure: float | None, best: tuple[str, str] | None) -> dict:
    """A trial's end in Optuna's words; it always descends."""
    from optuna.trial import TrialState

    if figure is None or not math.isfinite(figure):
        return {"state": TrialState.FAIL}
    return {"value": -figure if best and best[1] == "max" else figure, "state": TrialState.COMPLETE}


def _several(word: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_override(word).is_sweep_override()


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
