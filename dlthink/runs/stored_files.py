"""What a run's folder holds, read as a stranger may have left it: plain files and plain values of bounded size."""

import json
import os
import stat
from pathlib import Path

import yaml

from dlthink.errors import BadInput

MOST = 1 << 20  # bytes of a JSON or YAML file; a run's own have some thousands
VALUES = 5_000  # keys and values of a configuration; a run's own has some hundreds
DEEP = 20
LONG = 4_096  # letters of a value
FILES = 100_000  # in a folder
# Of a run without provenance: its choices (words by name), the words of its command; who was predicted; what costs are
# compared by, which way other numbers are better, what of it the cost descends, what one could predict without a cost;
# what numbers are; what `dlthink predict` writes, and which words it needs
NOTHING: dict = {
    **{"choices": {}, "command": [], "targets": [], "scores": {}, "directions": {}, "trained_for": [], "baselines": []},
    **{"glossary": {}, "predicts": "file", "asks": []},
}


def plain(folder: Path) -> Path:
    """The folder itself. BadInput where anything below it is neither a file nor a folder: a link leads elsewhere."""
    count = 0
    for place, inside, files in os.walk(folder, onerror=_stop):
        for name in (*inside, *files):
            path, count = os.path.join(place, name), count + 1
            mode = os.lstat(path).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                kind = "a link" if stat.S_ISLNK(mode) else "no plain file"
                raise BadInput(f"{path}: is {kind}; the folder of a run holds files and folders only: remove it")
        if count > FILES:
            raise BadInput(f"{folder}: holds more than {FILES:,} files: not the folder of a run")
    return folder


def text(file: Path) -> str:
    """The content of a small file. BadInput if it is a link, no plain file, too large, or not UTF-8."""
    if file.is_symlink():
        raise BadInput(f"{file}: is a link; the folder of a run holds files and folders only: remove it")
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise BadInput(f"{file}: cannot be read ({error.strerror or error})") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadInput(f"{file}: is no plain file")
        content = b""
        while len(content) <= MOST and (more := os.read(handle, MOST + 1 - len(content))):
            content += more
    finally:
        os.close(handle)
    if len(content) > MOST:
        raise BadInput(f"{file}: is larger than {MOST >> 20} MB; a run writes some thousand bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: damaged, not readable as UTF-8 (byte {error.start})") from error


def from_json(file: Path) -> dict:
    """A JSON file that holds an object. Raises BadInput."""
    try:
        content = json.loads(text(file))
    except BadInput:
        raise
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: damaged, not readable as JSON ({error})") from error
    if not isinstance(content, dict):
        raise BadInput(f"{file}: damaged (it should begin with a brace)")
    return content


def provenance(file: Path) -> dict:
    """What made a run, as much of `NOTHING` as it says and whatever else. Raises BadInput."""
    content = NOTHING | from_json(file)  # runs of old say less
    for name in ("targets", "trained_for", "baselines", "asks"):
        if not _words(content[name]):
            raise BadInput(f"{file}: damaged ({name} should be a list of words)")
    if content["predicts"] not in ("file", "folder") or not all(map(str.isidentifier, content["asks"])):
        raise BadInput(f"{file}: damaged (predicts should be file or folder, asks should be names)")
    if not _words_by_name(content["glossary"]):
        raise BadInput(f"{file}: damaged (glossary should be words by name)")
    if not _words(content["command"]) or not _words_by_name(content["choices"]):
        raise BadInput(f"{file}: damaged (choices should be words by name, command a list of words)")
    for name in ("scores", "directions"):
        if not _words_by_name(content[name]) or not {*content[name].values()} <= {"max", "min"}:
            raise BadInput(f"{file}: damaged ({name} should be max or min by name)")
    return content


def _words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _words_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(word, str) for word in value.values())


def configuration(file: Path) -> str:
    """The text of a stored configuration, which is known to be plain YAML then. Raises BadInput.

    Keys and values, lists and nothing more: no anchors and aliases (of which few bytes make gigabytes), no tags, no
    merging, no key twice, nothing that refers to something outside (`${...}`) or is still missing.
    """
    content = text(file)
    if "\ufeff" in content[1:]:  # readers of YAML differ in what that is
        raise BadInput(f"{file}: not readable as YAML (a byte order mark within)")
    try:
        found = wrong(content)
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{file}: not readable as YAML ({str(error).splitlines()[0]})") from error
    if found:
        raise BadInput(f"{file}: not the configuration of a run ({found})")
    return content


def wrong(content: str) -> str | None:
    """What is in a YAML text that no run has written, told at the first of it."""
    open_: list[set[str] | None] = []  # of each mapping or list around: the keys so far
    waiting: list[bool] = []  # is a mapping's next scalar a key?
    documents = 0
    for count, event in enumerate(yaml.parse(content, getattr(yaml, "CLoader", yaml.Loader))):
        line = f"line {event.start_mark.line + 1}"
        if count > VALUES:
            return f"more than {VALUES:,} values"
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                return f"{line}: a second document"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return f"{line}: an anchor or alias, & or *"
        if getattr(event, "tag", None):
            return f"{line}: a tag, {event.tag}"
        if isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
            waiting.pop()
            continue
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            continue
        if open_ and open_[-1] is not None:
            if waiting[-1]:
                key = event.value if isinstance(event, yaml.ScalarEvent) else None
                if key is None or key == "<<" or key in open_[-1]:
                    return f"{line}: a key twice" if key in open_[-1] else f"{line}: a key that is no word"
                open_[-1].add(key)
            waiting[-1] = not waiting[-1]
        if isinstance(event, yaml.ScalarEvent):
            if len(event.value) > LONG:
                return f"{line}: a value of {len(event.value):,} letters"
            if "${" in event.value or event.value == "???":
                return f"{line}: a value that is still to be looked up, {event.value[:40]}"
        else:
            if len(open_) >= DEEP:
                return f"{line}: nested more than {DEEP} deep"
            mapping = isinstance(event, yaml.MappingStartEvent)
            open_.append(set() if mapping else None)
            waiting.append(mapping)
    return None


def _stop(error: OSError) -> None:
    raise error
