"""The words of a sweep: `loss=all`, how many runs they make, and what each is called."""

import math
import re
import shlex
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from itertools import product

from omegaconf import OmegaConf

from dlthink.config.compose import composed
from dlthink.config.override import MOST, first, parsed, values
from dlthink.config.paths import GROUPS, conf_folder, options
from dlthink.config.stem import STEM, stem
from dlthink.errors import BadInput, plain
from dlthink.user_errors import own_code

PATTERN = re.compile(r"(?:^loss=|,)(all|glob\(([^)]+)\))(?=,|$)")
PART = re.compile(r"glob\([^)]*\)|[^,]+")  # of what stands between commas
NAME = re.compile(r"[\w.+-]{1,40}", re.ASCII)  # a value that can be part of a folder's name everywhere
LONG = 120  # letters of a run's name


def every_cost(overrides: list[str], tell: Callable[[str], None] | None = None) -> list[str]:
    """`loss=all`, `loss=glob(gauss*),my_cost` as the list of the costs that fit data and network of the other words,
    and of those that are named.

    Of other words with several values, each choice says what fits, and the first of all else. Raises BadInput where no
    cost does.
    tell: who hears which costs are left out for what the targets are, which are read for it; None: they are not read.
    """
    place = next((k for k, word in enumerate(overrides) if PATTERN.search(word)), None)
    if place is None:
        return overrides
    found: list[str] = []
    for part in PART.findall(overrides[place].removeprefix("loss=")):
        found += _all_of(f"loss={part}", overrides, tell) if PATTERN.fullmatch(f"loss={part}") else [part]
    return [*overrides[:place], f"loss={','.join(dict.fromkeys(found))}", *overrides[place + 1 :]]


def _all_of(word: str, overrides: list[str], tell: Callable[[str], None] | None) -> list[str]:
    """The costs that fit, of all or of those called so."""
    asked = PATTERN.fullmatch(word)
    pattern = "*" if asked[1] == "all" else asked[2].strip("'\"")
    found = _fitting([name for name in options("loss", conf_folder()) if fnmatch(name, pattern)], overrides)
    if tell is not None:
        refused = _refused(found, overrides)
        for why in dict.fromkeys(refused.values()):
            left_out = ", ".join(name for name, said in refused.items() if said == why)
            tell(f"{word} without {left_out}: {why.partition('; ')[0]}")
        found = [name for name in found if name not in refused]
    if not found:
        raise BadInput(f"{word}: no cost fits these data and this network; dlthink train --help lists all")
    return found


def _fitting(names: list[str], overrides: list[str]) -> list[str]:
    """Those of the costs that the experiment of the other words can be trained with, whatever these choose."""
    for _, words in _choices(_without_cost(overrides)):
        names = _fit(names, words)
    return names


def _fit(names: list[str], words: list[str]) -> list[str]:
    """Those of the costs that this one experiment can be trained with."""
    from dlthink.config import build  # here, since torch takes its time to load

    config, _, _ = composed(words, {})
    known, found = options("loss", conf_folder()), []
    for name in names:
        cost = OmegaConf.load(known[name])
        if "defaults" in cost:  # it builds upon another one
            cost = composed([*words, f"loss={name}"], {})[0].loss
        config.loss = cost
        try:
            build.check(config)
        except BadInput:
            continue
        found.append(name)
    return found


def _refused(names: list[str], overrides: list[str]) -> dict[str, str]:
    """What those of the costs that do not take the very targets say. Data are read where a cost asks about its targets,
    once each, with the first values of their settings."""
    from dlthink.config import build
    from dlthink.protocols import Loss

    known, refused = options("loss", conf_folder()), {}
    nodes = {name: node for name in names if "_target_" in (node := OmegaConf.load(known[name]))}
    asking = {name: node for name, node in nodes.items() if Loss.misfit.given(build.find(node, "loss"))}
    if not asking:
        return {}
    print(plain(f"reading the data first: {', '.join(asking)} ask which targets it has"), flush=True)
    every = [composed(words, {})[0].data for _, words in _choices(_without_cost(overrides))]
    for node in {str(node): node for node in every}.values():
        with own_code():
            data = build.build(node)
            said = {name: build.misfit(build.build(cost, **data.facts), data) for name, cost in asking.items()}
        refused |= {name: why for name, why in said.items() if why}
    return refused


def _without_cost(overrides: list[str]) -> list[str]:
    return [word for word in overrides if not word.startswith(("loss=", "loss."))]


def _choices(overrides: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Each combination of what several values choose, `loss=mse`, and all words with it: others with their first."""
    words = [word for word in overrides if not word.startswith("hydra")]
    several = [word for word in words if values(word) and (word.partition("=")[0] in GROUPS or "/" in word)]
    others = [first(word) for word in words if word not in several]
    for each in product(*([f"{word.partition('=')[0]}={value}" for value in values(word)] for word in several)):
        yield [*each], [*others, *each]


def check_choices(overrides: list[str]) -> None:
    """Can it be trained, whatever is chosen? Each combination of choices is asked, with the first of other values.

    Raises BadInput, which names it.
    """
    from dlthink.config import typed_experiment
    from dlthink.config.refusals import of_run

    for each, words in _choices(overrides):
        try:
            config, _, chosen = composed(words, {})
            typed_experiment.check(config, chosen)
        except BadInput as error:
            raise of_run(each, error) from error


def runs(overrides: list[str]) -> int:
    """How many runs these words make. Raises BadInput where they make none."""
    if interval := next((word for word in overrides if parsed(word).is_interval_sweep()), None):
        search = f"dlthink search {shlex.quote(interval)}"
        raise BadInput(f"{interval}: an interval is for {search}; to train with each of some values, give these")
    several = {word: each for word in overrides if (each := values(word)) is not None}
    if empty := next((word for word, each in several.items() if not each), None):
        raise BadInput(f"{empty}: is no value at all, so there is nothing to train")
    if (number := math.prod(map(len, several.values()))) > MOST:
        longest = max(several, key=lambda word: len(several[word]))
        raise BadInput(f"{longest}: makes more than {MOST:,} runs; give fewer values, or sweep over a part at a time")
    return number


def name_of_each(overrides: list[str]) -> str:
    """The name of a run's folder, for Hydra to fill in: its number, and what tells it apart (`3-loss=mse,seed=1`).

    Of a file its name stands for it. A value that is no plain word (a list) is left out, and so is all of what gets too
    long.
    """
    parts, letters = [], 0
    for word in overrides:
        key, each = word.partition("=")[0].lstrip("+"), values(word) or []
        place = f"${{hydra.runtime.choices.{key}}}" if key in GROUPS else f"${{{key.replace('/', '.')}}}"
        if any("/" in value for value in each):
            each, place = [stem(value) for value in each], f"${{{STEM}:{place}}}"
        if len(set(each)) > 1 and all(NAME.fullmatch(value) for value in each):
            letters += len(key) + 2 + max(map(len, each))
            parts.append(f"{key.replace('/', '.')}={place}")
    return f"${{hydra.job.num}}-{','.join(parts)}" if parts and letters <= LONG else "${hydra.job.num}"
