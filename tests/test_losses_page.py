"""Every cost of one's own on docs/losses.md is trained, evaluated and used for predictions, as printed."""

import csv
import json
import re

import numpy as np
import pytest

from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "losses.md").read_text()
COSTS = {
    re.search(r"^class (\w+)", text, re.M)[1]: text for text in re.findall(r"^```python\n(.*?)^```$", PAGE, re.S | re.M)
}
TINY = ["model.width=8", "trainer=smoke", "trainer.device=cpu"]
FACES = ["data=faces", "data.identities=40", "data.photos_each=4", "data.size=24", "data.people=6", "data.photos=2"]
WORDS = {
    "counts": ["data=recording", "data.path=mine.npz", *TINY],
    "reals": ["data=molecules", "data.molecules=150", "model.depth=2", *TINY],
    "identities": [*FACES, "model.width=4", "trainer=smoke", "trainer.device=cpu", "trainer.batch=12"],
}
ASKED = {"counts": ["input=mine.npz"], "reals": ["input=mine.smi"], "identities": ["input=asked", "gallery=people"]}


@pytest.fixture
def files(cli, tmp_path, tmp_path_factory, monkeypatch):
    """What is predicted from: a recording, SMILES, photos of two people; in the working folder."""
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))
    chance = np.random.default_rng(0)
    t = np.arange(0, 60, 0.01)
    x = np.stack([np.sin(t), np.cos(t)], 1)
    spikes = [np.sort(chance.uniform(0, 60, 400)) for _ in "ab"]
    units = np.repeat([0, 1], 400)
    np.savez("mine.npz", spike_times=np.concatenate(spikes), spike_units=units, covariates=x, covariate_times=t)
    (tmp_path / "mine.smi").write_text("CCO ethanol\nc1ccccc1 benzene\n")

    def photos():
        image = pytest.importorskip("PIL.Image", reason="photos need pillow")
        for place in ("people/Ann/a.png", "people/Bob/b.png", "asked/a.png"):
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            tone = 40 if place.endswith("a.png") else 200
            image.new("RGB", (30, 30), (tone, 255 - tone, 120)).save(tmp_path / place)

    return photos


def kind_of(name):
    return re.search(r'targets = \{"(\w+)"\}', COSTS[name])[1]


FIRST = {kind_of(name): name for name in reversed(COSTS)}  # of each kind


@pytest.mark.parametrize(
    "name", [name if name in FIRST.values() else pytest.param(name, marks=pytest.mark.slow) for name in COSTS]
)
def test_a_cost_of_the_page_from_training_to_predictions(cli, files, tmp_path, name):
    kind = kind_of(name)
    if kind == "reals":
        pytest.importorskip("rdkit")
    if kind == "identities":
        files()
    file = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    (tmp_path / f"{file}.py").write_text(COSTS[name])
    code, _, err = cli("train", f"loss={file}", *WORDS[kind], "hydra.run.dir=run")
    assert code == 0, err
    trained = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    code, _, err = cli("evaluate", "run=run", f"allow={file}", "output=again.json")
    assert code == 0, err
    assert json.loads((tmp_path / "again.json").read_text()) == trained
    code, _, err = cli("predict", "run=run", f"allow={file}", *ASKED[kind], "output=out.csv")
    assert code == 0, err
    with open("out.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    if kind == "counts":
        assert len(rows) > 1000 and float(rows[0]["rate[0]"]) > 0
    if kind == "reals":
        assert {row["molecule"] for row in rows} == {"ethanol", "benzene"} and float(rows[0]["mean"]) > 0
        assert (float(rows[0]["std"] or "nan") > 0) == (name == "Logistic")
    if kind == "identities":
        assert [row["nearest"] for row in rows] == ["Ann"] and trained["far_at_threshold"] is not None


def test_there_is_one_for_every_kind_and_one_with_a_spread():
    assert set(FIRST) == {"counts", "reals", "identities"} and '"std": std' in "".join(COSTS.values())
    for name in re.findall(r"class (\w+)\(nn.Module\)", (REPOSITORY / "README.md").read_text()):
        assert name in COSTS
