"""A setting is stated once: in its YAML, the front door; where a signature says something else, the YAML says why."""

import re

import pytest
from omegaconf import OmegaConf

from dlthink.config.build import find
from dlthink.config.paths import conf_folder, options
from dlthink.config.types import parameters

NODES = {"data": ("data", "metrics"), "loss": (None,), "model": (None,), "trainer": (None,)}


def stated(group, file):
    """(class, its node) of everything that a choice sets; not of one that is another with other values."""
    loaded = OmegaConf.load(file)
    for part in NODES[group]:
        node = loaded[part] if part else loaded
        others = [word for word in loaded.get("defaults", ()) if isinstance(word, str) and word != "_self_"]
        if "_target_" in node and not others:
            yield find(node, group), node


CHOICES = [(group, name, file) for group in NODES for name, file in options(group, conf_folder()).items()]


def apart(group, file):
    """(key, value, default) of each setting whose signature has another default."""
    for owner, node in stated(group, file):
        known = parameters(owner)
        for key, value in OmegaConf.to_container(node).items():
            default = known[key].default if key in known else None
            if key in known and default is not known[key].empty:
                default = list(default) if isinstance(default, tuple) else default
                if (value, type(value)) != (default, type(default)):
                    yield key, value, default


@pytest.mark.parametrize("group, name, file", CHOICES, ids=[f"{g}={n}" for g, n, _ in CHOICES])
def test_yaml_and_signature_say_the_same_or_the_yaml_says_why(group, name, file):
    for key, value, default in apart(group, file):
        line = re.search(rf"^\s*{key}: .*$", file.read_text(), re.MULTILINE)[0]
        assert re.search(r"#.*\bthe class\b", line), f"{file.name}: {key}: {value}, but {default} in the signature"


def test_a_difference_is_seen(tmp_path):
    file = tmp_path / "huber.yaml"
    said = "_target_: dlthink.losses.reals.huber.Huber\ndelta: 2.0\ncalibrate: none\n"
    file.write_text(said)
    assert list(apart("loss", file)) == [("delta", 2.0, 1.0)]
    file.write_text(said.replace("2.0", "1"))  # 1 and 1.0 are stated apart, too
    assert [key for key, *_ in apart("loss", file)] == ["delta"]
