"""A setting is stated once: in its YAML, the front door; where a signature says something else, the YAML says why."""

import re
from functools import partial

import pytest
from omegaconf import OmegaConf

from dlthink.config.build import find
from dlthink.config.paths import conf_folder, options
from dlthink.config.types import parameters
from tests.problems import composed, problems

GROUPS = ("loss", "model", "trainer")


def stated(file):
    """The node of a choice; none of one that is another with other values."""
    loaded = OmegaConf.load(file)
    others = [word for word in loaded.get("defaults", ()) if isinstance(word, str) and word != "_self_"]
    return [loaded] if "_target_" in loaded and not others else []


def of_problem(*words):
    """The nodes of a problem: its samples, and their examination."""
    return [composed(*words).data, composed(*words).metrics]


CHOICES = {f"{g}={n}": (partial(stated, f), [f]) for g in GROUPS for n, f in options(g, conf_folder()).items()}
CHOICES |= {name: (partial(of_problem, *words), files) for name, (words, files) in problems().items()}


def apart(nodes):
    """(key, value, default) of each setting whose signature has another default."""
    for node in nodes:
        known = parameters(find(node, ""))
        for key, value in OmegaConf.to_container(node).items():
            default = known[key].default if key in known else None
            if key in known and default is not known[key].empty:
                default = list(default) if isinstance(default, tuple) else default
                if (value, type(value)) != (default, type(default)):
                    yield key, value, default


@pytest.mark.parametrize("name", CHOICES)
def test_yaml_and_signature_say_the_same_or_the_yaml_says_why(name):
    nodes, files = CHOICES[name]
    text = "\n".join(file.read_text() for file in files)
    for key, value, default in apart(nodes()):
        line = re.search(rf"^\s*{key}: .*$", text, re.MULTILINE)[0]
        assert re.search(r"#.*\bthe class\b", line), f"{name}: {key}: {value}, but {default} in the signature"


def test_what_results_call_lfw_in_one_command_is_the_default_of_its_data():
    assert composed("data=lfw", "data.path=F", "data.fold=10") == composed("experiment=lfw", "data.path=F")


def test_a_difference_is_seen(tmp_path):
    file = tmp_path / "huber.yaml"
    said = "_target_: dlthink.losses.reals.huber.Huber\ndelta: 2.0\ncalibrate: none\n"
    file.write_text(said)
    assert list(apart(stated(file))) == [("delta", 2.0, 1.0)]
    file.write_text(said.replace("2.0", "1"))  # 1 and 1.0 are stated apart, too
    assert [key for key, *_ in apart(stated(file))] == ["delta"]
