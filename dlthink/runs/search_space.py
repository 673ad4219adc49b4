"""Space of a search: which settings of `dlthink train` are searched over, and their values as words and as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlthink.config.override import is_pattern, parsed, swept, values
from dlthink.errors import BadInput

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from optuna.distributions import BaseDistribution

REPEATED = ("seed", "data.fold")  # as for `compare`: what only repeats a run
FOLDERS = ("hydra.run.dir", "hydra.sweep.dir")
BY_LOGARITHM = 10  # an interval whose end is so many times its beginning


@dataclass
class Space:
    """distributions: of each setting that is searched over, by key. words: all others, of every trial."""

    distributions: dict[str, BaseDistribution]
    words: list[str]

    @classmethod
    def of(cls, overrides: list[str]) -> Space:
        """The space that these overrides span, as Hydra reads them. Raises BadInput."""
        found, rest = {}, []
        for word in overrides:
            key = word.partition("=")[0]
            if key == "resume":
                raise BadInput(f"{word}: a search goes on with its own command and into=FOLDER")
            if key in FOLDERS:
                raise BadInput(f"{word}: is the folder of a run; a search has into=FOLDER")
            if not swept(word) or key in REPEATED:
                rest.append(word)
            elif key.startswith("hydra") or is_pattern(word):
                raise BadInput(f"{word}: cannot be searched over; give an interval or the values themselves")
            else:
                texts = values(word)
                if texts == []:
                    raise BadInput(f"{word}: is no value at all, so there is nothing to search over")
                found[key] = _interval(key, parsed(word)) if texts is None else _one_of(texts)
        if not found:
            raise BadInput("nothing to search over: give a setting several values, optim.lr='interval(1e-4,1e-2)'")
        return cls(found, rest)

    @property
    def repeats(self) -> bool:
        """Is a trial several runs, of several seeds?"""
        return any(swept(word) for word in self.words)

    def described(self) -> list[str]:
        """What tells one search from another."""
        return [*self.words, *(f"{key}: {one}" for key, one in self.distributions.items())]

    def as_words(self, values: dict[str, Any]) -> list[str]:
        """A place in the space, as it is typed."""
        return [f"{key}={_text(self.distributions[key], value)}" for key, value in values.items()]

    def as_values(self, words: list[str]) -> dict[str, Any] | None:
        """The place that stored words stand for; None where that is no place of this space."""
        said = dict(word.split("=", 1) for word in words)
        known = {key: _value(one, said.get(key, "")) for key, one in self.distributions.items()}
        return None if None in known.values() or said.keys() != known.keys() else known


def _interval(key: str, override: Override) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high = override.value().start, override.value().end
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise BadInput(f"{key}=interval({low},{high}): its end must lie above its beginning")
    log = "log" in override.value().tags or (low > 0 and high >= BY_LOGARITHM * low)
    if log and low <= 0:
        raise BadInput(f"{key}=tag(log,interval({low},{high})): a logarithm needs a beginning above 0")
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(float(low), float(high), log=log)


def _one_of(texts: list[str]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution

    return CategoricalDistribution(texts)


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
