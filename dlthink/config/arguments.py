"""The line after `dlthink evaluate`, `predict`, ... : `name=value`, plus settings of the run like `data.path=FILE`."""

import os
import re
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dlthink.config.paths import GROUPS
from dlthink.config.types import typed
from dlthink.did_you_mean import hint
from dlthink.errors import BadInput, in_shell
from dlthink.files.written_files import is_ours

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # what an editor makes of a hyphen
ENTRY = re.compile(r"[\w*]+:[^\\{}]*")  # of a value in braces


def checked(word: str, example: str) -> str:
    """The word, if it is a `name=value` (such as `example`) or leaves something out. Raises BadInput."""
    if not word.strip():
        raise BadInput("an empty word ('') stands on the line: leave it out, or give it a name, name=value")
    if word[0] in DASHES:
        raise BadInput(f"{word}: begins with a dash from a text editor; type it as -")
    if "=" not in word and word[0] != "~":
        raise BadInput(f"{word}: write name=value without spaces, e.g. {example}; see --help")
    if word[0] == "=":
        raise BadInput(f"{word}: there is no name before the equals sign; write name=value without spaces")
    return word


def check_torn(words: list[str]) -> None:
    """Raises BadInput where a shell has cut one value into several words: at its blanks, data.bumps={x: 16}, or at the
    commas between braces, data.keys={a:b,c:d}, of which it makes data.keys=a:b data.keys=c:d."""
    for place, word in enumerate(words):
        ends = range(place + 1, len(words) + 1 if "=" in word and _open(word) else 0)
        joined = (" ".join(words[place:end]) for end in ends)
        if meant := next((one for one in joined if not _open(one)), None):
            raise BadInput(f"{meant}: the shell cuts it at its blanks: put it in quotes, {in_shell(meant)}")
    for before, word in pairwise(words):
        (key, _, first), (other, _, second) = before.partition("="), word.partition("=")
        if key == other and ENTRY.fullmatch(first) and ENTRY.fullmatch(second):
            meant = in_shell(f"{key}={{{first},{second}}}")
            raise BadInput(
                f"{before} {word}: the shell makes two words of two entries in braces: put it in quotes, {meant}"
            )


def _open(text: str) -> bool:
    """Does it begin more lists or braces than it ends?"""
    return sum(map(text.count, "[{")) > sum(map(text.count, "]}"))


def parse(
    words: list[str], names: dict[str, str | None], others: dict[str, str] | None = None
) -> tuple[dict[str, str | None], list[str]]:
    """The named words (`names`: their defaults) and the rest, which are settings of a run (`group.key=value`).

    Words of another name are put into `others`, to be judged once the run is known. Raises BadInput for a word without
    `=`, for one that is given twice, and without `others` for a name that is neither.
    """
    first = next(iter(names))
    check_torn(words)
    for word in words:
        example = word if os.path.isfile(os.path.join(word, "config.yaml")) else "outputs/DATE/TIME"
        checked(word, f"{first}={example}")
    given, rest = own_words(words, names)
    _check_once(rest)
    settings = []
    for word in rest:
        key, _, value = word.partition("=")
        if key in GROUPS or key == "seed":
            raise BadInput(f"{word}: a run goes on with the {key} it began with; for another, train anew")
        elif "." in key:
            settings.append(word)
        elif others is not None:
            others[key] = value
        else:
            raise BadInput(f"{key}: there is no such word here{hint(key, names)}")
    return given, settings


def own_words(words: list[str], names: dict[str, str | None]) -> tuple[dict[str, str | None], list[str]]:
    """A command's own words, `name=value` (`names`: their defaults), and all others, as they come.

    Raises BadInput for a name that is there twice.
    """
    own = [word for word in words if "=" in word and word.partition("=")[0] in names]
    _check_once(own)
    given = names | {name: value for name, _, value in (word.partition("=") for word in own)}
    return given, [word for word in words if word not in own]


def twice(words: Iterable[str]) -> tuple[str, str] | None:
    """The first two words that give one name a value each, `lr=1` and `+lr=2`; None where there are none."""
    seen: dict[str, str] = {}
    for word in words:
        key = word.lstrip("+").partition("=")[0]
        if key in seen:
            return seen[key], word
        seen[key] = word
    return None


def _check_once(words: list[str]) -> None:
    if pair := twice(words):
        before, word = pair
        raise BadInput(f"{word}: {word.partition('=')[0]}= is there already, {before}; one is enough")


def one_of(name: str, value: str, *known: str) -> str:
    """The value of `name=value`, if it is one of the known words. Raises BadInput."""
    if value not in known:
        raise BadInput(f"{name}={value}: must be {', '.join(known[:-1])} or {known[-1]}")
    return value


def whole_number(name: str, value: str, most: int) -> int:
    """The number from 1 to `most` that `name=value` says. Raises BadInput."""
    if not (value.isdecimal() and value.isascii()) or not 1 <= int(value) <= most:
        raise BadInput(f"{name}={value}: must be a whole number of at least 1, at most {most:,}")
    return int(value)


def file_to_write(name: str, value: str, *endings: str) -> Path:
    """The file that `name=value` asks to be written, if it can be: one that is there was written here, and not changed
    since. `endings`: of what can be written, as `.csv`."""
    path = _writable(name, value)
    if path.suffix.lower() not in ("", *endings):
        kinds = " or ".join(ending[1:].upper() for ending in endings)
        raise BadInput(f"{name}={value}: {kinds} is written; call it {path.with_suffix(endings[0])}")
    if path.is_dir() or value.endswith("/"):
        raise BadInput(f"{name}={value}: is a folder; must be a file in one")
    if path.exists() and not path.is_file():
        raise BadInput(f"{name}={value}: is no file that can be replaced; give another name")
    if not path.parent.is_dir():
        raise BadInput(f"{name}={value}: must be a file in a folder; {path.parent} is none: choose another place")
    if path.exists() and path.stat().st_size and not is_ours(path):
        raise BadInput(
            f"{name}={value}: is there already, and was not written here or was changed since: choose another name, or "
            f"remove it first"
        )
    return path


def folder_to_write(name: str, value: str) -> Path:
    """The folder that `name=value` asks to be filled, if it can be."""
    path = _writable(name, value)
    if there := next((place for place in (path, *path.parents) if place.exists() and not place.is_dir()), None):
        what = "is a file" if there == path else f"{there} is a file"
        raise BadInput(f"{name}={value}: {what}; give the name of a folder")
    return path


def _writable(name: str, value: str) -> Path:
    """The path, if something can be made there, or where its folders are to be."""
    if not value.strip():
        raise BadInput(f"{name}=: nothing stands behind the equals sign; give a name, or leave the word out")
    try:
        path = Path(value).expanduser()
        there = next(place for place in (path, *path.absolute().parents) if place.is_dir())
        with tempfile.TemporaryFile(dir=there):
            pass
    except (OSError, RuntimeError) as error:  # RuntimeError: whose home?
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"{name}={value}: cannot be written ({reason}): choose another place") from error
    return path


def change(config: DictConfig, settings: list[str]) -> None:
    """Put `group.key=value` settings into a run's configuration; only keys that are there."""
    for setting in settings:
        key, _, value = setting.partition("=")
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(config, parent)
        if not isinstance(node, DictConfig) or name not in node:
            known = list(node) if isinstance(node, DictConfig) else list(config)
            where = f"{parent}." if isinstance(node, DictConfig) else ""
            raise BadInput(f"{key}: there is no such key{hint(name, known, where)}")
        try:
            node[name] = OmegaConf.from_dotlist([f"x={value}"])["x"]
        except OmegaConfBaseException as error:
            raise BadInput(f"{key}={value}: {str(error).splitlines()[0]}") from error


def described(config: DictConfig, choices: dict[str, str], words: list[str]) -> dict[str, str | int | float | bool]:
    """A run in a few words, for TensorBoard's HPARAMS tab: its choices, its seed, and every setting typed for it.

    A list and null, which the tab does not know, stand there as they are typed.
    """
    few: dict = choices | {"seed": config.seed}
    for word in words:
        key, equals, _ = word.lstrip("+").partition("=")
        if equals and key not in few:
            value = OmegaConf.select(config, key, default="")
            value = word.partition("=")[2] if isinstance(value, DictConfig) and "_target_" in value else value
            few[key] = value if isinstance(value, str | int | float | bool) else typed(value)
    return few
