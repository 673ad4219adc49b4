"""`dlthink new`: what it writes passes check, is trained, examined and predicted with; nothing is overwritten."""

import json
import shlex

import pytest

from tests.conftest import refused

TINY = ["trainer=smoke", "trainer.device=cpu"]
SMALL = {  # data -> the words that make it small
    "spikes": ["data.minutes=2", "data.neurons=3"],
    "table": ["data.rows=400", "data.baselines=[constant]"],
    "molecules": ["data.molecules=150"],
    "faces": ["data.identities=30", "data.photos_each=4", "data.size=24", "data.people=6", "data.photos=2"],
    "seasons": ["data.scenes=6", "data.val_scenes=3", "data.test_scenes=3", "data.size=32"],
}
NETWORK = {
    "spikes": ["model.width=8"],
    "table": ["model.width=8"],
    "molecules": ["model.depth=1", "model.width=8"],
    "faces": ["model.width=4", "trainer.batch=12"],
    "seasons": ["model.width=4", "model.blocks=1"],
}


def slow(data):
    """Of networks whose every step takes its time."""
    return pytest.param(data, marks=pytest.mark.slow)


@pytest.fixture(autouse=True)
def quick(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))


def needs(data):
    if data == "molecules":
        pytest.importorskip("rdkit")
    if data == "table":
        pytest.importorskip("pandas")


@pytest.mark.parametrize("data", ["spikes", *map(slow, ["molecules", "faces", "seasons"])])
def test_a_cost_from_nothing_to_a_finished_run(cli, tmp_path, data):
    needs(data)
    code, out, err = cli("new", "loss", "my_first", f"data={data}")
    assert code == 0 and out.count("\n") == 1, err
    checked, trained = (shlex.split(part)[1:] for part in out.partition("Next: ")[2].split(", then "))
    assert "class MyFirst(nn.Module)" in (tmp_path / "my_first.py").read_text()
    code, out, err = cli(*checked)
    assert code == 0 and not err, out
    code, _, err = cli(*trained, *SMALL[data], *NETWORK[data], *TINY, "hydra.run.dir=run")
    assert code == 0, err
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]


@pytest.mark.parametrize("data", ["spikes", *map(slow, ["table", "molecules", "faces", "seasons"])])
def test_a_network_for_what_the_data_give_to_see(cli, tmp_path, data):
    needs(data)
    code, out, err = cli("new", "model", "my_net", f"data={data}")
    assert code == 0, err
    loss = ["loss=cycle"] if data == "seasons" else []
    words = shlex.split(out.partition("Next: ")[2])[1:]
    words += [*loss, *SMALL[data], *TINY, "model.width=8", "hydra.run.dir=run"]
    code, _, err = cli(*words, *(["trainer.batch=12"] if data == "faces" else []))
    assert code == 0, err
    assert "width: 8" in (tmp_path / "run" / "config.yaml").read_text()


@pytest.mark.parametrize(
    "data, kind",
    [("spikes", "counts"), pytest.param("molecules", "reals", marks=pytest.mark.slow), ("faces", "identities")],
)
def test_a_data_set_is_trained_on_evaluated_and_predicted_from(cli, tmp_path, data, kind):
    code, out, err = cli("new", "data", "my_set", f"data={data}")
    assert code == 0 and f'return "{kind}"' in (tmp_path / "my_set.py").read_text(), err
    words = shlex.split(out.partition("Next: ")[2])[1:]
    code, out, err = cli(*words, "data.rows=300", "model.width=8", *TINY, "hydra.run.dir=run")
    assert code == 0 and "note: drawn: 300 rows" in out, err
    trained = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    refused(cli(*words, "data.fraction=0.5"), "data.fraction", "no such setting")  # all of it, and nothing is said
    refused(cli("evaluate", "run=run"), "allow=my_set")
    code, _, err = cli("evaluate", "run=run", "allow=my_set", "output=again.json")
    assert code == 0 and json.loads((tmp_path / "again.json").read_text()) == trained, err
    (tmp_path / "asked.csv").write_text("0.1,0.2,0.3\n1,-1,0\n")
    code, _, err = cli("predict", "run=run", "allow=my_set", "input=asked.csv", "output=said.csv")
    assert code == 0 and len((tmp_path / "said.csv").read_text().splitlines()) == 2, err


def test_nobody_of_a_new_data_set_is_on_two_sides():
    from dlthink.templates.data.identities import MyData

    data = MyData(rows=400)
    people = [set(split.targets().tolist()) for split in (data.train, data.val, data.test)]
    assert [len(some) for some in people] == [24, 8, 8] and len(set.union(*people)) == 40
    assert set(MyData(rows=400, state=data.state).test.targets().tolist()) == people[2]


def test_nothing_is_overwritten(cli, tmp_path):
    (tmp_path / "mine.py").write_text("precious")
    for group in ("loss", "model", "data"):
        refused(cli("new", group, "mine"), "mine.py", "there already")
    assert (tmp_path / "mine.py").read_text() == "precious"


@pytest.mark.parametrize(
    "words, said",
    [
        (["los", "mine"], "did you mean loss"),
        (["loss"], "give it one name"),
        (["loss", "a", "b"], "give it one name"),
        (["loss", "poisson"], "another name"),
        (["loss", "json"], "another module"),
        (["loss", "my-cost"], "call the file my_cost.py"),
        (["loss", "My_Cost.py"], "call the file my_cost.py"),
        (["loss", "na\u00efve"], "no name that Python can import here; call the file na_ve.py"),
        (["loss", "class"], "call the file my_class.py"),
        (["loss", "mine", "data=spiks"], "did you mean"),
        (["loss", "mine", "seed=1"], "there is no such word"),
        (["data", "mine", "data=seasons"], "no data to begin from for domains"),
    ],
)
def test_refusals(cli, tmp_path, words, said):
    refused(cli("new", *words), said)
    assert not list(tmp_path.glob("*.py"))


def test_data_of_ones_own_that_do_not_say_their_kind(cli, tmp_path):
    assert cli("new", "data", "my_set")[0] == 0
    text = (tmp_path / "my_set.py").read_text()
    (tmp_path / "my_set.py").write_text(text.replace('return "counts"', "return cls.kind"))
    refused(cli("train", "data=my_set"), "my_set.py", "must end in a word alone")
    (tmp_path / "my_set.py").write_text(text.replace('return "counts"', 'return "colours"'))
    refused(cli("train", "data=my_set"), "colours", "counts, identities, reals")
    refused(cli("train", "data=my_sett"), "did you mean data=my_set")
