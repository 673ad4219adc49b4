"""Where the configuration lies: inside an installed package, beside it in a checkout."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GROUPS = {
    "data": "the problem: its samples, and the metrics that examine any cost",
    "loss": "the cost: what you want",
    "model": "the network: how it is reached",
    "optim": "the optimizer",
    "trainer": "the loop: how long, how precise, how often",
    "experiment": "a whole recipe in one word",
}


def conf_folder() -> Path:
    """The folder of train.yaml. A wheel ships it as dlthink/conf; a checkout keeps it at the top, in plain sight."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def options(group: str, *folders: Path) -> dict[str, Path]:
    """The choices of a group by name, from the given conf folders."""
    files = [file for folder in folders for file in sorted((folder / group).glob("*.yaml"))]
    return {file.stem: file for file in files}


def choices_by_group(made: Mapping[str, Any]) -> dict[str, str]:
    """Of all that Hydra has chosen, what a run is told by: groups, and places within one (model@model.of)."""
    return {name: choice for name, choice in made.items() if name.partition("@")[0] in GROUPS and choice}


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


def first_comment(file: Path) -> str:
    """The line that a choice says of itself: its first comment that is not a directive."""
    for line in file.read_text().splitlines():
        if line.startswith("#") and not line.startswith("# @"):
            return line.lstrip("# ")
    return ""


def quoted(word: str) -> str:
    """`data.path=my file.npz` as Hydra's grammar wants it: quoted, where a path holds more than the usual letters.

    Other values are quoted only where the grammar has no place for them, as for `ü` in data.a=für/Jörg.
    """
    key, _, value = word.partition("=")
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
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(word)
    except HydraException:
        return False
    return True
