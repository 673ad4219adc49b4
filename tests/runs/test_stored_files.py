"""Files of a run's folder as a stranger may have left them: one line, at bounded size and time."""

import os

import pytest
import yaml

from dlthink.errors import BadInput
from dlthink.runs import stored_files
from tests.conftest import refused

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
YAMLS = {
    "aliases that nest": (LAUGHS, "line 1: an anchor"),
    "an anchor on a value": ("a: &x 1\n", "an anchor"),
    "an alias to nothing": ("a: *x\n", "an anchor or alias"),
    "merging": ("a: {<<: {b: 1}}\n", "a key that is no word"),
    "an object of Python's": ("a: !!python/object/apply:os.system ['touch owned']\n", "a tag"),
    "a path of OmegaConf's": ("a: !!python/object/apply:pathlib.Path ['/etc']\n", "a tag"),
    "bytes": ("a: !!binary aGVsbG8=\n", "a tag"),
    "a set": ("a: !!set {b, c}\n", "a tag"),
    "a tag of its own": ("a: !evil x\n", "a tag"),
    "a tag without a name": ("a: ! x\n", "a tag"),
    "a key twice": ("a: 1\nb: 2\na: 3\n", "line 3: a key twice"),
    "a key twice, deeper": ("a: [{b: 1, b: 2}]\n", "a key twice"),
    "a key that is a list": ("? [a]\n: 1\n", "a key that is no word"),
    "two documents": ("a: 1\n---\nb: 1\n", "a second document"),
    "an environment variable": ("a: ${oc.env:HOME}\n", "still to be looked up"),
    "one inside a word": ("a: 'x ${oc.env:HOME} y'\n", "still to be looked up"),
    "one in a list": ("a: [1, '${hydra:runtime.cwd}']\n", "still to be looked up"),
    "an escaped one": ("a: '\\${b}'\n", "still to be looked up"),
    "what is missing": ("a: ???\n", "still to be looked up"),
    "a long value": (f"a: {'x' * 5000}\n", "5,000 letters"),
    "a number in base 60": (f"a: 1{':59' * 2000}\n", "6,001 letters"),
    "many values": ("a: [" + "1, " * 6000 + "]\n", "5,000 values"),
    "many keys": ("".join(f"k{i}: 1\n" for i in range(3000)), "5,000 values"),
    "deep lists": ("a: " + "[" * 100 + "]" * 100, "nested more than 20 deep"),
    "very deep lists": ("a: " + "[" * 100_000 + "]" * 100_000, "config.yaml: not"),
    "deep mappings": ("{a: " * 10_000 + "1" + "}" * 10_000, "config.yaml: not"),
    "not closed": ("a: [1", "not readable as YAML"),
    "a control character": ("a: \x01", "not readable as YAML"),
    "a byte order mark within": ("a: 1\n\ufeff", "a byte order mark"),
    "too large": ("a: 1\n" * (1 << 18), "larger than 1 MB"),
}


@pytest.mark.parametrize("text, says", YAMLS.values(), ids=YAMLS)
def test_a_configuration_is_plain(tmp_path, text, says):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(BadInput) as refusal:
        stored_files.configuration(file)
    assert says in str(refusal.value) and str(file) in str(refusal.value) and len(str(refusal.value)) < 300


def test_what_a_run_writes_is_plain(finished):
    text = stored_files.configuration(finished / "config.yaml")
    assert yaml.safe_load(text)["data"]["neurons"] == 4
    assert stored_files.plain(finished) == finished


@pytest.mark.parametrize("verb", ["evaluate", "compare", "resume"])
def test_laughs_end_every_command(cli, finished, tmp_path, verb):
    import shutil

    run = shutil.copytree(finished, tmp_path / "run")
    with (run / "config.yaml").open("a") as file:
        file.write(LAUGHS)
    words = {"evaluate": ("evaluate", f"run={run}"), "compare": ("compare", run), "resume": ("train", f"resume={run}")}
    refused(cli(*words[verb]), "config.yaml", "an anchor")


JSONS = {
    "a list": ("[]", "brace"),
    "deep": ("[" * 200_000, "not readable as JSON"),
    "half": ('{"a": 1', "not readable as JSON"),
    "a number of 5,000 digits": ('{"a": ' + "1" * 5000 + "}", "not readable as JSON"),
    "not UTF-8": (b'{"a": "\xff"}', "UTF-8"),
    "too large": (b'{"a": "' + b"x" * (1 << 20) + b'"}', "larger"),
    "choices that are none": ('{"choices": ["a"]}', "choices should be words"),
    "choices of other things": ('{"choices": {"loss": {"a": 1}}}', "choices should be words"),
    "a command that is none": ('{"command": "train"}', "a list of words"),
    "a command of other things": ('{"command": [[1], 2]}', "a list of words"),
}


@pytest.mark.parametrize("content, says", JSONS.values(), ids=JSONS)
def test_a_provenance_is_plain(tmp_path, content, says):
    file = tmp_path / "provenance.json"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadInput, match=says):
        stored_files.provenance(file)


def test_a_file_of_a_terabyte_is_not_read(tmp_path):
    """Sparse: it takes no room, and reading it would take a terabyte of memory."""
    file = tmp_path / "metrics.json"
    with file.open("wb") as opened:
        try:
            opened.truncate(1 << 40)
        except OSError:
            pytest.skip("no sparse files here")
    with pytest.raises(BadInput, match="larger than 1 MB"):
        stored_files.text(file)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_plain_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    for name in ("pipe", "link", "", "none"):
        with pytest.raises(BadInput):
            stored_files.text(tmp_path / name)


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_files, "FILES", 3)
    for name in "abcd":
        (tmp_path / name).touch()
    with pytest.raises(BadInput, match="more than 3 files"):
        stored_files.plain(tmp_path)
