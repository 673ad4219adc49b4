"""Every shipped data set, split, cost, network and examination has the hooks of its protocol; docs say the same."""

import pytest
from omegaconf import OmegaConf

from dlthink.config import build
from dlthink.config.paths import conf_folder, options
from dlthink.protocols import Data, Inputs, Loss, Metrics, Model, Split, optional
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


def missing(owner, protocol):
    """The hooks that an object, or a class, lacks although they must be there."""
    return {name for name, (_, free) in hooks(protocol).items() if not free and not hasattr(owner, name)}


@pytest.mark.parametrize("group, name, node", SHIPPED, ids=[f"{g}={n}" for g, n, _ in SHIPPED])
def test_every_shipped_class_has_what_it_must_have(group, name, node):
    assert missing(build.find(node, group), OF[group]) <= SET_IN_INIT


@pytest.mark.parametrize("words", [words for words, _ in problems().values()], ids=problems())
def test_every_shipped_problem_has_what_it_must_have(words):
    node = composed(*words)
    assert missing(build.find(node.data, "data"), Data) <= SET_IN_INIT
    assert not missing(build.find(node.metrics, "metrics"), Metrics)


@pytest.mark.parametrize(
    "problem", ["spikes", "molecules", "faces", "seasons", "table-reals", "table-counts", "table-identities"]
)
def test_data_their_splits_and_inputs_have_it_as_objects(problem, tmp_path, monkeypatch):
    small = {
        "spikes": {"minutes": 2, "neurons": 3},
        "molecules": {"molecules": 300},
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
    assert not missing(data, Data)
    assert set(data.facts) == set(data.fact_names({}))
    for split in (data.train, data.val, data.test):
        assert not missing(split, Split)


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
