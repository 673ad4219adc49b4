"""Every shipped data set, split, cost, network and examination has the hooks of its protocol; docs say the same."""

import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dlthink.config import build
from dlthink.config.paths import conf_folder, options
from dlthink.protocols import Data, Inputs, Loss, Metrics, Model, Split, lacks, methods, optional
from scripts import protocol_table
from scripts.protocol_table import PROTOCOLS, hooks
from tests.problems import composed, problems

OF = {"data": Data, "loss": Loss, "model": Model}
SHIPPED = [(g, n, OmegaConf.load(f)) for g in OF if g != "data" for n, f in options(g, conf_folder()).items()]
SET_IN_INIT = {
    "facts",
    "train",
    "val",
    "test",
    "state",
    "notes",
    "outputs_per_target",
}  # by some, so not there on their class


@pytest.mark.parametrize("group, name, node", SHIPPED, ids=[f"{g}={n}" for g, n, _ in SHIPPED])
def test_every_shipped_class_has_what_it_must_have(group, name, node):
    assert lacks(build.find(node, group), OF[group]) <= SET_IN_INIT


@pytest.mark.parametrize("words", [words for words, _ in problems().values()], ids=problems())
def test_every_shipped_problem_has_what_it_must_have(words):
    node = composed(*words)
    assert lacks(build.find(node.data, "data"), Data) <= SET_IN_INIT
    assert not lacks(build.find(node.metrics, "metrics"), Metrics)


@pytest.mark.parametrize(
    "problem",
    [
        *("spikes-encode", "spikes-decode", "molecules", "faces", "seasons"),
        *("table-reals", "table-counts", "table-identities"),
    ],
)
def test_data_their_splits_and_inputs_have_it_as_objects(problem, tmp_path, monkeypatch):
    small = {
        "spikes-encode": {"minutes": 2, "neurons": 3},
        "spikes-decode": {"minutes": 2, "neurons": 3},
        "molecules": {"molecules": 150},
        "faces": {"identities": 30, "photos_each": 4, "size": 24},
        "seasons": {"scenes": 8, "val_scenes": 4, "test_scenes": 4, "size": 32},
        "table-reals": {"rows": 200},
        "table-counts": {"rows": 200},
        "table-identities": {"rows": 400},
    }[problem]
    if problem == "molecules":
        pytest.importorskip("rdkit")
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path))
    node = composed(*problems()[problem][0]).data
    known = build.parameters(build.find(node, "data"))
    data = build.build(OmegaConf.merge(node, {k: v for k, v in small.items() if k in known}))
    assert not lacks(data, Data)
    assert set(data.facts) == set(data.fact_names(OmegaConf.to_container(node)))
    for split in (data.train, data.val, data.test):
        assert not lacks(split, Split)


def test_what_is_left_out_is_stood_in_for_and_what_is_there_is_taken():
    class Bare:
        def take(self, index):
            return index, index

    class Own(Bare):
        advice = "mine"

        def draw(self, index):
            return "drawn"

        def prepare(self, y):
            return y

    assert Split.draw.of(Bare())(3) == (3, 3) and Split.draw.of(Own())(3) == "drawn"
    assert Loss.prepare.of(Bare())(7) is None and Loss.prepare.of(Own())(7) == 7
    assert Loss.advice.of(Own()) == "mine" and "optim.lr" in Loss.advice.of(Bare())
    assert Loss.adversary.of(Bare()) is None and not Loss.adversary.given(Bare())
    alone = Bare()
    assert list(Inputs.parts.of(alone)("out")) == [alone]
    with pytest.raises(NotImplementedError, match="Bare"):
        Loss.adversary_loss.of(Bare())(0, 0)


def test_what_must_be_there_is_missed_and_what_may_be_left_out_is_not():
    must = {protocol: {name for name, (_, free) in hooks(protocol).items() if not free} for protocol in PROTOCOLS}
    for protocol in PROTOCOLS:
        assert lacks(object(), protocol) == {name for name in must[protocol] if not name.startswith("_")}
    assert lacks(type("Own", (), {"best": ("a", "max"), "numbers": 1}), Metrics) == {"figures"}


def test_methods_and_what_each_is_given():
    class Own:
        targets = {"reals"}
        advice = "no method"

        def forward(self, out, y): ...

        @staticmethod
        def prepare(y): ...

        @classmethod
        def watch(cls, out, y): ...

        def more(self): ...

    found = {method.__name__: given for method, given in methods(Own, Loss)}
    assert found == {"forward": ["self", "out", "y"], "prepare": ["y"], "watch": ["out", "y"]}


PROBES = re.compile(r"\b(?:hasattr|getattr)\(\s*[^,]+,\s*[\"'](\w+)[\"']")


def test_nobody_asks_for_a_hook_but_the_protocols():
    """By name, that is: hasattr(loss, "prepare") stands nowhere else."""
    known = {name for protocol in PROTOCOLS for name in hooks(protocol)} - {"__len__", "to", "train", "val", "test"}
    for file in sorted(Path(build.__file__).parents[1].rglob("*.py")):
        asked = known & set(PROBES.findall(file.read_text()))
        assert not asked, f"{file}: {asked}: say Loss.prepare.given(loss), Loss.prepare.of(loss) or lacks(loss, Loss)"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_hook_says_what_it_is_and_what_happens_without_it(protocol):
    for name, (text, free) in hooks(protocol).items():
        if name in ("train", "val", "test"):
            continue
        assert text.endswith((".", "?")), name
        if free and name != "adversary_loss":
            assert "Left out:" in text, name
        assert free == isinstance(getattr(protocol, name, None), optional), name


def test_the_architecture_page_shows_one_row_a_hook():
    assert protocol_table.table() in protocol_table.PAGE.read_text(), "run python scripts/protocol_table.py"
