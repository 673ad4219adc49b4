"""Every cost of one's own in the documents is trained, evaluated and used for predictions, as printed."""

import ast
import csv
import json
import re

import numpy as np
import pytest

from tests.conftest import REPOSITORY

WRONG = ("AsPrinted", "NoLink", "NoJudge")  # slips that the course shows; none of them is worth training
PAGES = [REPOSITORY / "docs" / name for name in ("losses.md", "python.md")]
PAGES += sorted((REPOSITORY / "docs" / "course").glob("*.md"))


def costs(page):
    """{name: a file of its own} of each cost of one's own on a page, with what the page imports."""
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.S | re.M)
    said = [node for block in blocks for node in ast.parse(block).body]
    imports = "\n".join(ast.unparse(node) for node in said if isinstance(node, ast.Import | ast.ImportFrom))
    classes = [node for node in said if isinstance(node, ast.ClassDef) and node.name not in WRONG]
    return {node.name: f"{imports}\n\n\n{ast.unparse(node)}\n" for node in classes}


COSTS = {f"{page.stem}-{name}": text for page in PAGES for name, text in costs(page).items()}
TINY = ["model.width=8", "trainer=smoke", "trainer.device=cpu"]
FACES = ["data=faces", "data.identities=40", "data.photos_each=4", "data.size=24", "data.people=6", "data.photos=2"]
WORDS = {
    "counts": ["data=recording", "data.path=mine.npz", *TINY],
    "reals": ["data=molecules", "data.molecules=150", "model.depth=2", *TINY],
    "domains": [
        *("data=seasons", "data.scenes=8", "data.val_scenes=8", "data.test_scenes=8", "data.size=32"),
        *("model.width=4", "model.blocks=1", "trainer=smoke", "trainer.device=cpu", "trainer.batch=1"),
    ],
    "identities": [*FACES, "model.width=4", "trainer=smoke", "trainer.device=cpu", "trainer.batch=12"],
}
ASKED = {"counts": ["input=mine.npz"], "reals": ["input=mine.smi"], "identities": ["input=asked", "gallery=people"]}
ASKED["domains"] = ["input=asked", "direction=to_winter"]


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
    return re.search(r"targets = \{'(\w+)'\}", COSTS[name])[1]


SPREADS = [name for name, text in COSTS.items() if "'std': std" in text or "'distribution'" in text]
FIRST = {kind_of(name): name for name in reversed(COSTS)}  # of each kind
QUICK = [name for kind, name in FIRST.items() if kind != "domains"]  # photos take seconds


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in COSTS]
)
def test_a_cost_of_a_page_from_training_to_predictions(cli, files, tmp_path, name):
    kind = kind_of(name)
    if kind == "reals":
        pytest.importorskip("rdkit")
    if kind in ("identities", "domains"):
        files()
    file = re.sub(r"(?<!^)(?=[A-Z])", "_", name.partition("-")[2]).lower()
    (tmp_path / f"{file}.py").write_text(COSTS[name])
    code, _, err = cli("train", f"loss={file}", *WORDS[kind], "hydra.run.dir=run")
    assert code == 0, err
    trained = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    code, _, err = cli("evaluate", "run=run", f"allow={file}", "output=again.json")
    assert code == 0, err
    assert json.loads((tmp_path / "again.json").read_text()) == trained
    output = "made" if kind == "domains" else "out.csv"
    code, _, err = cli("predict", "run=run", f"allow={file}", *ASKED[kind], f"output={output}")
    assert code == 0, err
    if kind == "domains":
        assert (tmp_path / "made" / "a.png").is_file()
        return
    with open("out.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    if kind == "counts":
        assert len(rows) > 1000 and float(rows[0]["rate[0]"]) > 0
    if kind == "reals":
        assert {row["molecule"] for row in rows} == {"ethanol", "benzene"} and float(rows[0]["mean"]) > 0
        assert (float(rows[0]["std"] or "nan") > 0) == (name in SPREADS)
    if kind == "identities":
        assert [row["nearest"] for row in rows] == ["Ann"] and trained["far_at_threshold"] is not None


def test_there_is_one_for_every_kind_and_one_with_a_spread():
    assert set(FIRST) == set(WORDS) and SPREADS
    for name in re.findall(r"class (\w+)\(nn.Module\)", (REPOSITORY / "README.md").read_text(encoding="utf-8")):
        assert f"losses-{name}" in COSTS
