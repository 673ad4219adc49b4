"""The words after `dlthink train`, judged before Hydra reads them: what it says in its own words is said in ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlthink.config.arguments import check_torn, checked, twice
from dlthink.config.override import chosen, parsed, quoted
from dlthink.config.paths import GROUPS, conf_folder, options
from dlthink.config.types import typed
from dlthink.did_you_mean import hint
from dlthink.errors import BadInput, in_shell

# A flag -> as it is handed on, and the values that it takes (none, some, or any folder)
FLAGS = {
    "-m": ("--multirun", ()),
    "--multirun": ("--multirun", ()),
    "-c": ("--cfg", ("job", "hydra", "all")),
    "--cfg": ("--cfg", ("job", "hydra", "all")),
    "-cd": ("--config-dir", None),
    "--config-dir": ("--config-dir", None),
    "--resolve": ("--resolve", ()),
}
# Where runs go, in Hydra's words: is it a sweep's? For a user both are into=FOLDER
FOLDERS = {"hydra.run.dir": False, "hydra.sweep.dir": True, "hydra.sweep.subdir": True}
INTO = "into"


def read(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Flags with their values, and overrides as Hydra's grammar wants them, quoted. Raises BadInput."""
    flags: dict[str, str] = {}
    overrides, rest = [], iter(words)
    check_torn(words)
    for word in rest:
        if word.startswith("-"):
            name, value = _flag(word, rest)
            flags[name] = value
        else:
            overrides.append(checked(word, _example(word)))
    if "--cfg" in flags and "--multirun" in flags:
        raise BadInput("--cfg shows one experiment, -m is for several: leave one of them out")
    if "--resolve" in flags and "--cfg" not in flags:
        raise BadInput("--resolve goes with --cfg: --cfg job --resolve")
    several = "--multirun" in flags
    own = [Path(flags["--config-dir"])] if "--config-dir" in flags else []
    for word in overrides:
        _check(word, several, own)
    overrides = [_placed(word, several) for word in overrides]
    _check_once(overrides)
    return flags, [quoted(chosen(word, *own)) for word in overrides]


def _placed(word: str, several: bool) -> str:
    """`into=FOLDER` as Hydra says it, of a run or of a sweep; any other word as it is."""
    key, _, value = word.partition("=")
    return f"hydra.{'sweep' if several else 'run'}.dir={value}" if key == INTO else word


def _check_once(overrides: list[str]) -> None:
    """Is each key there once? Hydra would take the last and say nothing."""
    if pair := twice(overrides):
        before, word = pair
        key, _, value = word.lstrip("+").partition("=")
        each = f"-m {in_shell(f'{before},{value}')}"
        raise BadInput(f"{word}: {key}= is there already, {before}; to train with each: {each}")


def _flag(word: str, rest: Iterator[str]) -> tuple[str, str]:
    """The flag by its long name, and its value: behind an equals sign, or else the next of the words."""
    given, equals, value = word.partition("=")
    if given not in FLAGS:
        raise BadInput(f"{word}: there is no such flag{hint(given, [*FLAGS, '--help'])}")
    name, takes = FLAGS[given]
    if takes == ():
        if equals:
            raise BadInput(f"{word}: {given} takes no value")
        return name, ""
    value = value if equals else next(rest, "")
    if takes is None and not Path(value or "no folder").is_dir():
        raise BadInput(f"{given} {value}: there is no such folder; give one that holds choices, --config-dir DIR")
    if takes and value not in takes:
        raise BadInput(f"{given} {value}: say what to show, {given} {' or '.join(takes)}")
    return name, value


def _example(word: str) -> str:
    """How a word without an equals sign may have been meant: `data=spikes`."""
    return next((f"{group}={word}" for group in GROUPS if word in options(group, conf_folder())), "loss=poisson")


def _check(word: str, several: bool, own: list[Path]) -> None:
    """Is it an override that makes sense here? `several`: of a sweep; `own`: folders of the user's own choices."""
    key = word.partition("=")[0]
    bare = key.lstrip("+~").partition("@")[0]
    _check_key(word, bare, several)
    override = _override(word)
    if (override.is_sweep_override() or word == "loss=all") and not several:
        listed = in_shell(f"{key}=[{word.partition('=')[2]}]")
        together = f"; for one run with a list of them: {listed}" if "." in key else ""
        each = f"dlthink train -m {in_shell(word)}"
        raise BadInput(f"{word}: several values; to train with each of them, add -m: {each}{together}")
    values = [_text(value) for value in _values(override)]
    if again := next((value for value in values if values.count(value) > 1), None):
        raise BadInput(f"{word}: {again} is there twice; a run with the same words is the same run")
    if bare in GROUPS or chosen(word, *own) != word:
        for choice in _values(override):
            _check_choice(bare, choice, own)


def _check_key(word: str, bare: str, several: bool) -> None:
    """Is the part before the equals sign one that an experiment has? bare: without what Hydra may set around it."""
    key, _, value = word.partition("=")
    if key.startswith("~"):
        raise BadInput(f"{word}: nothing can be left out of an experiment; give it another value, {bare}=...")
    if bare in GROUPS and key != bare and "." not in key.partition("@")[2]:  # model@model.of=mlp: a place within
        raise BadInput(f"{word}: write {bare}={value or '...'}, which chooses another {bare}")
    if bare == "hydra.mode":
        raise BadInput(f"{word}: several runs are asked for by -m, one by leaving it out")
    if bare in (INTO, *FOLDERS) and value.strip("'\" ") in ("", "null"):
        raise BadInput(f"{word}: needs the name of a folder; leave the word out for the usual one")
    if FOLDERS.get(bare, several) != several:
        whose = "a single run" if several else "a sweep, which -m begins"
        raise BadInput(f"{word}: is the folder of {whose}; write into=FOLDER, which is right for both")


def _override(word: str) -> Any:
    """The word as Hydra reads it. Raises BadInput where it cannot."""
    from hydra.errors import HydraException

    key, _, value = word.partition("=")
    if value[:1] == "," or value[-1:] == ",":
        raise BadInput(f"{word}: a value is missing beside a comma")
    try:
        return parsed(quoted(word))
    except HydraException as error:
        quotes = f"""{key}="'...'\""""
        raise BadInput(f"{word}: cannot be read; a value with special letters stands in quotes, {quotes}") from error


def _values(override: Any) -> list:
    """The values of an override: one, or those of a list that is swept over; ranges and patterns give none."""
    from hydra.core.override_parser.types import ChoiceSweep

    if not override.is_sweep_override():
        return [override.value()]
    swept = override.value()
    return swept.list if isinstance(swept, ChoiceSweep) else []


def _text(value: Any) -> str:
    """A value as it is typed, without its quotes."""
    from hydra.core.override_parser.types import QuotedString

    return typed(value.text if isinstance(value, QuotedString) else value)


def _check_choice(group: str, choice: Any, own: list[Path]) -> None:
    """Can a file of the group be called so? Whether there is one, Hydra finds out."""
    if isinstance(choice, list):
        names = ",".join(map(str, choice)) or "..."
        several = in_shell(f"{group}={names}")
        raise BadInput(f"{group}=[{names}]: one choice a run; to try several: dlthink train -m {several}")
    if isinstance(choice, dict):
        raise BadInput(f"{group}={{...}}: choose by a name, {group}=NAME, and set values one by one, {group}.KEY=VALUE")
    name = _text(choice)
    if choice is None and group != "experiment":
        raise BadInput(f"{group}=null: every run needs one; leave the word out for the usual one")
    if choice is None:
        raise BadInput("experiment=null: leave the word out for none")
    file = Path(f"{name.removesuffix('.py')}.py")
    if "/" in name and group in ("loss", "model") and file.is_file():
        raise BadInput(
            f"{group}={name}: a file of your own lies in the folder that you work in: go to {file.parent.resolve()} "
            f"and write {group}={file.stem}"
            if file.parent.resolve() != Path.cwd()
            else f"{group}={name}: a file of your own is named without its folder, {group}={file.stem}"
        )
    if isinstance(choice, bool | int | float) or "/" in name or name in ("", ".", "~"):
        known = options(group.replace(".", "/"), conf_folder(), *own)
        raise BadInput(f"{group}={name}: there is no such {group}{hint(name, known, f'{group}=')}")
