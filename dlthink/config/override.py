"""Override: a word of the command line, `loss=mse`, as a user types it and as Hydra's grammar reads it.

Each is parsed once, which takes some milliseconds.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dlthink.config.paths import GROUPS, conf_folder, options

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

MOST = 10_000  # runs of a sweep: seed=range(0,1e9) is a slip, and would fill memory before it is told


@lru_cache(maxsize=4096)
def parsed(word: str) -> Override:
    """The override that a word is, not to be changed. Raises HydraException where it cannot be read."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_override(word)


def swept(word: str) -> bool:
    """Has the word several values, or an interval of them?"""
    return parsed(word).is_sweep_override()


def values(word: str) -> list[str] | None:
    """The values that a word is swept over, as text, at most one more than `MOST`; None of a word with one value, or an
    interval."""
    from hydra.core.override_parser.types import Glob

    override = parsed(word)
    if not override.is_discrete_sweep():
        return None
    pattern = override.value()
    if isinstance(pattern, Glob):
        return pattern.filter([*options(override.key_or_group, conf_folder())])
    return [*map(str, islice(override.sweep_string_iterator(), MOST + 1))]


def is_pattern(word: str) -> bool:
    """Is it a pattern of the names of choices, `loss=glob(gauss*)`?"""
    from hydra.core.override_parser.types import Glob

    return isinstance(parsed(word).value(), Glob)


def first(word: str) -> str:
    """The word with the first of its values; of an interval, where it begins."""
    several = [parsed(word).value().start] if parsed(word).is_interval_sweep() else values(word)
    return f"{word.partition('=')[0]}={several[0]}" if several else word


def chosen(word: str, *folders: Path) -> str:
    """`data.direction=decode` as Hydra wants it, where conf/data/direction holds choices: data/direction=decode."""
    key, equals, value = word.partition("=")
    group = key.replace(".", "/")
    nested = "." in key and any((folder / group).is_dir() for folder in (conf_folder(), *folders))
    return f"{group}{equals}{value}" if nested else word


def as_typed(word: str) -> str:
    """The way back: data.direction=decode."""
    key, equals, value = word.partition("=")
    nested = key.partition("/")[0] in GROUPS
    return f"{key.replace('/', '.')}{equals}{value}" if nested else word


def quoted(word: str) -> str:
    """`data.path=my file.npz` as Hydra's grammar wants it: quoted, where a path holds more than the usual letters.

    Other values are quoted only where the grammar has no place for them, as for `ü` in data.a=für/Jörg; in a list so
    is each item, [Preis (CHF),b].
    """
    key, _, value = word.partition("=")
    if value[:1] == "[" and value[-1:] == "]" and not {*value[1:-1]} & {*"[]{}'\""} and not _parses(word):
        items = [item.strip() for item in value[1:-1].split(",")]
        return f"{key}=[{','.join(item if _parses(f'{key}={item}') else repr(item) for item in items)}]"
    if re.fullmatch(r"[\w./,~+:%@$*-]*", value, re.ASCII) or value[:1] in "'\"[" or "${" in value:
        return word
    if not key.endswith((".path", ".dir")) and _parses(word):
        return word
    return f"{key}='{value}'" if "'" not in value else f'{key}="{value}"'


def literal(key: str, text: str) -> str:
    """The word that gives `key` this very text, whatever letters it holds: nothing in it is looked up."""
    text = re.sub(r"(\\*)(?='|$)", r"\1\1", text).replace("'", "\\'").replace("${", "\\${")
    return f"{key}='{text}'"


def _parses(word: str) -> bool:
    from hydra.errors import HydraException

    try:
        parsed(word)
    except HydraException:
        return False
    return True
