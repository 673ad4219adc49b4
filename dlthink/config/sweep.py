"""The words of a sweep: `loss=all`, how many runs they make, and what each is called."""

import math
import re
import shlex
from fnmatch import fnmatch

from omegaconf import OmegaConf

from dlthink.config.compose import composed
from dlthink.config.override import first, parsed, values
from dlthink.config.paths import GROUPS, conf_folder, options
from dlthink.config.stem import STEM, stem
from dlthink.errors import BadInput

PATTERN = re.compile(r"loss=(all|glob\((.+)\))")
NAME = re.compile(r"[\w.+-]{1,40}", re.ASCII)  # a value that can be part of a folder's name everywhere
LONG = 120  # letters of a run's name


def every_cost(overrides: list[str]) -> list[str]:
    """`loss=all`, `loss=glob(gauss*)` as the list of the costs that fit data and network of the other words.

    Of words with several values the first one says what fits. Raises BadInput where no cost does.
    """
    asked = [match for word in overrides if (match := PATTERN.fullmatch(word))]
    if not asked:
        return overrides
    pattern = "*" if asked[-1][1] == "all" else asked[-1][2].strip("'\"")
    found = _fitting([name for name in options("loss", conf_folder()) if fnmatch(name, pattern)], overrides)
    if not found:
        raise BadInput(f"{asked[-1][0]}: no cost fits these data and this network; dlthink train --help lists all")
    return [f"loss={','.join(found)}" if PATTERN.fullmatch(word) else word for word in overrides]


def _fitting(names: list[str], overrides: list[str]) -> list[str]:
    """Those of the costs that the experiment of the other words can be trained with."""
    from dlthink.config import build  # here, since torch takes its time to load

    others = [first(word) for word in overrides if not word.startswith(("loss=", "loss.", "hydra"))]
    config, _, _ = composed(others, {})
    known, found = options("loss", conf_folder()), []
    for name in names:
        cost = OmegaConf.load(known[name])
        if "defaults" in cost:  # it builds upon another one
            cost = composed([*others, f"loss={name}"], {})[0].loss
        config.loss = cost
        try:
            build.check(config)
        except BadInput:
            continue
        found.append(name)
    return found


def runs(overrides: list[str]) -> int:
    """How many runs these words make. Raises BadInput where they make none."""
    if interval := next((word for word in overrides if parsed(word).is_interval_sweep()), None):
        search = f"dlthink search {shlex.quote(interval)}"
        raise BadInput(f"{interval}: an interval is for {search}; to train with each of some values, give these")
    several = {word: each for word in overrides if (each := values(word)) is not None}
    if empty := next((word for word, each in several.items() if not each), None):
        raise BadInput(f"{empty}: is no value at all, so there is nothing to train")
    return math.prod(map(len, several.values()))


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
