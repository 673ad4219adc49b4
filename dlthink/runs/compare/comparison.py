"""Finished runs side by side: what tells them apart, and every figure over their repetitions. Loads no torch."""

import json
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml

from dlthink.errors import BadInput
from dlthink.runs import stored_files
from dlthink.runs.summary import repeated, stem

SWEEPS = Path("outputs/multirun")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # by libyaml, where that is there
FIGURES, LONG = 10_000, 200  # of a run, and letters in the name of one
ROUNDING = 1e-14  # of a mean: what sums of equal numbers differ by
CHOSEN_BY = {"metrics": "data"}  # whose choice brings a part that is no group of its own


@dataclass
class Finished:
    """A run that came to its end.

    settings     choices by group and values by dotted key, as text; `typed`, those that stood on its command line
    best         the figure that picked the checkpoint, "max" or "min"; runs of old do not say
    targets      who was predicted, where that may differ between runs
    scores       what costs are compared by, {name: "max" or "min"}, proper ones first
    directions   which way other numbers are better
    trained_for  scores that its cost descends itself
    baselines    what was predicted without a cost: its numbers end in _NAME
    glossary     what numbers are, in a few words
    predict      what `dlthink predict` writes, "file" or "folder", and the words that it needs
    training     "steps", that of the "best" validation, and what the last quarter of them gained, "late_gain"; runs of
                 old do not say
    """

    folder: Path
    settings: dict[str, str]
    typed: set[str]
    numbers: dict[str, float]
    best: tuple[str, str] | None
    written: float
    targets: list[str] = field(default_factory=list)
    scores: dict[str, str] = field(default_factory=dict)
    directions: dict[str, str] = field(default_factory=dict)
    trained_for: list[str] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    glossary: dict[str, str] = field(default_factory=dict)
    predict: tuple[str, list[str]] = ("file", [])
    training: dict[str, float] = field(default_factory=dict)


@dataclass
class Estimate:
    """A mean over n repetitions and its standard error, sd / sqrt(n) with n - 1 in the sd; nan where any value is."""

    mean: float
    error: float | None  # None: of one value nothing is known
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Estimate":
        values = list(values)
        n = len(values)
        mean = math.fsum(value / n for value in values)
        error = math.dist(values, [mean] * n) / math.sqrt(n * (n - 1)) if n > 1 else None
        rounding = error is not None and error < ROUNDING * abs(mean)
        return cls(mean, 0.0 if rounding else error, n)


@dataclass
class Comparison:
    """Runs by what tells them apart. `groups`: {values of `keys`: {repetition: run}}, both in the order of the runs."""

    keys: list[str]
    groups: dict[tuple, dict[tuple, Finished]]
    repeats: int  # runs left out since a newer one has the same settings and is the same repetition

    def __init__(self, runs: list[Finished], over: Iterable[str]):
        self.keys = _apart(runs, tuple(over))
        repetitions = [key for key in every_setting(runs) if below(key, over)]
        self.groups, self.repeats = {}, 0
        for run in runs:
            group = self.groups.setdefault(_values(run, self.keys), {})
            before = group.get(repetition := _values(run, repetitions))
            self.repeats += before is not None
            if before is None or run.written >= before.written:
                group[repetition] = run

    @property
    def runs(self) -> list[Finished]:
        """All of them, group by group."""
        return [run for group in self.groups.values() for run in group.values()]

    def baselines(self) -> list[str]:
        """What was predicted without a cost, in all runs."""
        first, *others = (run.baselines for run in self.runs)
        return [name for name in first if all(name in other for other in others)]

    def labels(self) -> list[str]:
        """Each group by what tells it from the others: `loss=poisson`."""
        pairs = [zip(self.keys, values, strict=True) for values in self.groups]
        bare = f"without {', '.join(self.keys)}" if self.keys else "all runs"
        return [" ".join(f"{k}={v}" for k, v in pair if v is not None) or bare for pair in pairs]

    def estimates(self, name: str) -> list[Estimate]:
        """A figure of each group; a run that lacks it counts as nan."""
        groups = self.groups.values()
        return [Estimate.of(run.numbers.get(name, math.nan) for run in group.values()) for group in groups]


def uneven(runs: Iterable[Finished], most: int = 4) -> str | None:
    """Which targets some runs lack that others have: their figures are of different things. None if all are alike."""
    runs = [run for run in runs if run.targets]
    every = dict.fromkeys(name for run in runs for name in run.targets)
    lacking = {name: [run for run in runs if name not in run.targets] for name in every}
    told = [f"{name} in {len(some)} of {len(runs)} (first {some[0].folder})" for name, some in lacking.items() if some]
    more = f" and {len(told) - most} more" if len(told) > most else ""
    return f"these runs have not all the same targets; left out: {', '.join(told[:most])}{more}" if told else None


# ------------------------------------------------------------------------------------------------- what is on the disk


def sweeps(root: Path) -> list[tuple[float, Path]]:
    """When each sweep below a folder began, and its folder; the newest last."""
    return sorted((file.stat().st_mtime, file.parent) for file in root.rglob("multirun.yaml"))


def find(folders: Iterable[Path], split: str) -> tuple[list[Finished], int]:
    """The finished runs in and below the folders, in the order of their names, and how many have not finished."""
    places: dict[Path, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise BadInput(f"{folder}: there is no such folder")
        for place, inside, files in os.walk(folder, onerror=_stop):
            inside[:] = [name for name in inside if not name.startswith(".") and name not in ("checkpoints", "figures")]
            if "config.yaml" in files and {"metrics.json", "provenance.json"} & set(files):
                places.setdefault(Path(place).resolve(), Path(place))
    found = sorted(places.values(), key=_in_order)
    finished = [place for place in found if (place / "metrics.json").is_file()]
    return [read(place, split) for place in finished], len(found) - len(finished)


def figures(folder: Path, split: str) -> dict[str, float]:
    """The figures of a finished run by name; null is nan. Raises BadInput for a file that is damaged."""
    file = folder / "metrics.json"
    return _figures(file, stored_files.from_json(file), split)


def _figures(file: Path, content: dict, split: str) -> dict[str, float]:
    """Those of one part of what lies in the file."""
    numbers = content.get(split)
    if not isinstance(numbers, dict) or not all(value is None or _number(value) for value in numbers.values()):
        raise BadInput(f"{file}: damaged ({split} should be there, and be numbers by name)")
    if len(numbers) > FIGURES or any(len(name) > LONG for name in numbers):
        raise BadInput(f"{file}: damaged (more than {FIGURES:,} figures, or a name of more than {LONG} letters)")
    return {name: math.nan if value is None else float(value) for name, value in numbers.items()}


def read(folder: Path, split: str) -> Finished:
    """A finished run from its folder. Raises BadInput for a file that is damaged."""
    file, story = folder / "metrics.json", folder / "provenance.json"
    content = stored_files.from_json(file)
    training = _figures(file, content, "training") if "training" in content else {}
    made = stored_files.provenance(story) if story.is_file() else dict(stored_files.NOTHING)
    best = made.get("best")
    return Finished(
        folder,
        made["choices"] | settings(folder / "config.yaml"),
        {word.lstrip("+~").partition("=")[0] for word in made["command"]},
        _figures(file, content, split),
        (str(best[0]), best[1]) if isinstance(best, list) and best[1:] in (["max"], ["min"]) else None,
        file.stat().st_mtime,
        made["targets"],
        made["scores"],
        made["directions"],
        made["trained_for"],
        made["baselines"],
        made["glossary"],
        (made["predicts"], made["asks"]),
        training,
    )


def settings(file: Path) -> dict[str, str]:
    """The settings of a run, part by part: most of a sweep's parts are the same in all of its runs, and read once."""
    found: dict[str, str] = {}
    roots: set[str] = set()
    for part in re.split(r"^(?=[a-z_]+:)", stored_files.text(file), flags=re.MULTILINE):
        known = _part(re.sub(r"\n#[^\n]*\n?\Z", "\n", part)) if part else {}
        if known is None or roots & (own := {key.partition(".")[0] for key in known}):
            return _whole(file)
        roots |= own
        found |= known
    return found


@lru_cache(maxsize=1024)
def _part(text: str) -> dict[str, str] | None:
    """The settings of one part of a configuration; None where it is not plainly one."""
    try:
        loaded = None if stored_files.wrong(text) else yaml.load(text, LOADER)
    except (yaml.YAMLError, ValueError):
        return None
    return flat(loaded) if isinstance(loaded, dict) and len(loaded) == 1 else None


def _whole(file: Path) -> dict[str, str]:
    text = stored_files.configuration(file)
    try:
        return flat(yaml.load(text, LOADER))
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{file}: not readable as YAML ({str(error).splitlines()[0]})") from error
    except AttributeError as error:
        raise BadInput(f"{file}: not the configuration of a run") from error


def flat(config: dict) -> dict[str, str]:
    """Every setting of a configuration by its dotted key, as text."""
    return dict(_flat("", config))


def _flat(before: str, node: dict) -> Iterator[tuple[str, str]]:
    """(dotted key, value as text) of every leaf."""
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from _flat(f"{before}{key}.", value)
        else:
            yield f"{before}{key}", _text(value)


def _text(value) -> str:
    """As one types it: true, null, [1,2]."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def _number(value) -> bool:
    finite = isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return finite and not isinstance(value, bool)


def _in_order(path: Path) -> list:
    """Runs 2 and 10 in that order."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", str(path))]


def _stop(error: OSError) -> None:
    raise error


# ---------------------------------------------------------------------------------------------- what tells them apart


def _apart(runs: list[Finished], over: tuple[str, ...]) -> list[str]:
    """The settings that tell groups apart: those typed, and of the others what these do not explain.

    `loss=mse` brings all of `loss.*` with it. A setting nobody typed is left out only where its group, or a whole
    recipe, was chosen differently, too, and where it splits no group further.
    """
    every = every_setting(runs)
    differ = [key for key in every if len({run.settings.get(key) for run in runs}) > 1 and not below(key, over)]
    typed = {key for run in runs for key in run.typed}
    shown = [key for key in differ if key in typed]
    for key in differ:
        root = key.partition(".")[0]
        brought = {CHOSEN_BY.get(root, root), "experiment"} & set(differ)
        if key not in typed and (not brought or _count(runs, [*shown, key]) > _count(runs, shown)):
            shown.append(key)
    return [key for key in every if key in shown]


def every_setting(runs: list[Finished]) -> list[str]:
    """Choices first, then group by group. Where a run does not know its choices, those of the others say nothing."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    known = all("data" in run.settings for run in runs)
    groups = list(dict.fromkeys(key.partition(".")[0] for key in keys))
    ordered = sorted(keys, key=lambda key: ("." in key, groups.index(key.partition(".")[0])))
    return [key for key in ordered if known or "." in key or key == "seed"]


def below(key: str, names: Iterable[str]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)


def _values(run: Finished, keys: list[str]) -> tuple:
    return tuple(run.settings.get(key) for key in keys)


def _count(runs: list[Finished], keys: list[str]) -> int:
    return len({_values(run, keys) for run in runs})


# --------------------------------------------------------------------------------------------------------- its figures


def shared(runs: list[Finished]) -> list[str]:
    """The figures that all runs have: first those by which costs are compared, then the others as they come.

    Without what repeats another figure: for a baseline, for some of the rows, as the end of an interval.
    """
    common = [name for name in runs[0].numbers if all(name in run.numbers for run in runs)]
    _, again = repeated(common)
    known = set(common)
    for name in common:
        if {f"{name}_low", f"{name}_high"} <= known:
            again |= {f"{name}_low", f"{name}_high"}
    first = [name for name in scores(runs) if name in known]
    return [*first, *(name for name in common if name not in {*first, *again})]


def scores(runs: list[Finished]) -> dict[str, str]:
    """What all runs are compared by, {name: "max" or "min"}, proper scores first; of runs of old, what picked the best
    checkpoint."""
    said = [run.scores or (dict([run.best]) if run.best else {}) for run in runs]
    return {name: better for name, better in said[0].items() if all(other.get(name) == better for other in said)}


def directions(runs: list[Finished]) -> dict[str, str]:
    """Which way every number is better of which all runs say the same: the scores, and others."""
    said = [run.directions for run in runs]
    return {name: way for name, way in said[0].items() if all(one.get(name) == way for one in said)} | scores(runs)


def direction(name: str, scores: dict[str, str]) -> str | None:
    """Whether more of it is better, "max", or less, "min"; None of what nobody says.

    `mae_velocity` and `mae_lookup` are `mae`, of one target and of a baseline.
    """
    known = stem(name, scores)
    return scores[known] if known else None


def glossary(runs: list[Finished]) -> dict[str, str]:
    """What numbers are, as the runs say."""
    return {name: words for run in runs for name, words in run.glossary.items()}
