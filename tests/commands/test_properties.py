"""Properties of molecules, as typed: train, evaluate, predict; every cost of real numbers; what cannot be used."""

import csv
import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

pytest.importorskip("rdkit", reason="molecules need rdkit")

from dlthink.config.build import find
from dlthink.config.paths import conf_folder, options
from dlthink.metrics.reals.properties import Properties
from tests.conftest import refused
from tests.data.molecules.made_molecules import ETHANOL, record, save
from tests.data.molecules.made_properties import table

COSTS = sorted(
    name
    for name, file in options("loss", conf_folder()).items()
    if "reals" in find(OmegaConf.load(file), "loss").targets
)
DIFFERENT = {"gaussian_nll", "mse", "quantile", "student_t"}  # a spread, none, a table of quantiles, a learned shape
TINY = ["model.width=8", "model.depth=2", "trainer=smoke", "trainer.device=cpu"]
QUICK = ["data.baselines=[constant]", *TINY]


@pytest.fixture(autouse=True)
def data_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))


@pytest.fixture
def path(tmp_path):
    return save(tmp_path / "a.csv", table())


def rows_of(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def metrics(run):
    return json.loads((Path(run) / "metrics.json").read_text())


def test_train_evaluate_predict(cli, path, tmp_path):
    pytest.importorskip("sklearn")
    words = ["data=molecule_table", f"data.path={path}", "data.target=atoms", "data.split=side", *TINY]
    code, out, err = cli("train", *words, "hydra.run.dir=run")
    assert code == 0 and err == "" and out.splitlines()[-1] == "run: run"
    found = metrics("run")
    for split in ("val", "test"):
        assert {"rmse", "nll", "crps", "r2", "rmse_constant", "rmse_lookup", "nll_boosting"} <= set(found[split])
    assert abs(found["test"]["r2_constant"]) < 0.2 < found["test"]["r2_lookup"]
    for split in ("test", "val"):
        assert cli("evaluate", "run=run", f"split={split}", "output=again.json")[0] == 0
        assert json.loads(Path("again.json").read_text()) == found[split]

    save(tmp_path / "x.csv", "id;Smiles\nethanol;CCO\nbroken;C(\ncation;CC[N+](C)(C)C\nwater;O\n")
    code, out, err = cli("predict", "run=run", "input=x.csv", "output=y.csv", "figures=pics")
    assert code == 0 and err == "" and "3 pictures: pics" in out and "1 hold atoms unlike any in training" in out
    rows = rows_of("y.csv")
    assert [row["molecule"] for row in rows] == ["ethanol", "broken", "cation", "water"]
    assert [bool(row["problem"]) for row in rows] == [False, True, True, False]
    for row in rows[::2]:
        assert float(row["low_90"]) < float(row["mean"]) < float(row["high_90"]) and float(row["std"]) > 0
    assert sorted(file.name for file in Path("pics").iterdir()) == ["1_C2H6O.png", "3_C5H14N+.png", "4_H2O.png"]


@pytest.mark.parametrize("loss", [c if c in DIFFERENT else pytest.param(c, marks=pytest.mark.slow) for c in COSTS])
def test_every_cost_on_two_targets_with_gaps(cli, monkeypatch, tmp_path, loss):
    monkeypatch.setattr(Properties, "figures", lambda *_: {})
    above_0 = table(others=lambda row: row["others"] and f"{row['others']}.5")  # some costs take no other targets
    path = save(tmp_path / "a.csv", above_0)
    words = ["data=molecule_table", f"data.path={path}", "data.target=[atoms,others]", *QUICK]
    code, _, err = cli("train", *words, f"loss={loss}", "hydra.run.dir=run")
    assert code == 0, err
    found = metrics("run")["test"]
    assert {"crps_standardized", "rmse_atoms", "rmse_others", "crps_atoms_constant"} <= set(found)
    assert all(abs(value) < 1e6 for value in found.values() if value is not None)


@pytest.mark.slow
def test_an_ensemble_with_descriptors_pooled_by_a_sum(cli, monkeypatch, path, tmp_path):
    monkeypatch.setattr(Properties, "figures", lambda *_: {})
    words = ["data=molecule_table", f"data.path={path}", "data.target=atoms", "data.descriptors=true"]
    network = ["model=ensemble", "model.members=2", "model.of.width=8", "model.of.pool=sum", "model.share=trunk"]
    code, _, err = cli("train", *words, *network, *QUICK[:1], *TINY[2:], "hydra.run.dir=run")
    assert code == 0, err
    assert {"aleatoric", "epistemic"} <= set(metrics("run")["test"])
    save(tmp_path / "x.sdf", record(ETHANOL, {}))
    code, _, err = cli("predict", "run=run", "input=x.sdf", "output=y.csv")
    assert code == 0, err
    (row,) = rows_of("y.csv")
    parts = float(row["aleatoric"]) ** 2 + float(row["epistemic"]) ** 2
    assert parts == pytest.approx(float(row["std"]) ** 2, rel=1e-3)


def test_an_sd_file_whose_field_is_missing_in_half_of_the_records(cli, monkeypatch, tmp_path):
    monkeypatch.setattr(Properties, "figures", lambda *_: {})
    from rdkit import Chem

    text = "".join(
        record(Chem.MolToMolBlock(Chem.MolFromSmiles("C" * (2 + n))), {"logS": str(-n)} if n % 2 else {"MW": "1"})
        for n in range(100)
    )
    save(tmp_path / "a.sdf", text)
    words = ["data=molecule_table", "data.path=a.sdf", "data.target=LOGS", *QUICK]
    code, out, err = cli("train", *words, "hydra.run.dir=run")
    assert code == 0 and err == "" and "50 of 100 records left out: 50 no value of LOGS (first: #1)" in out
    assert metrics("run")["test"].keys() >= {"rmse", "rmse_constant"}


BAD = {
    "a typo": (["data.target=atom"], ["data.target=atom", "a.csv has no such column", "did you mean atoms?"]),
    "the structures": (["data.target=smiles"], ["data.target=smiles: is the column of the structures"]),
    "words": (["data.target=name"], ["none of its", "no number can be read: 'm0'"]),
    "none": ([], ["data.target: say which column", "there is atoms, batch, name, others, side"]),
    "several without brackets": (["data.target=atoms,others"], ["several values", "data.target=[atoms,others]"]),
    "a split that is none": (["data.target=atoms", "data.split=batch"], ["data.split=batch", "train, val or test"]),
    "no such split": (["data.target=atoms", "data.split=half"], ["data.split=half", "no such column"]),
    "structures that are none": (["data.target=atoms", "data.smiles=name"], ["none of its", "unreadable SMILES"]),
    "no scaffold": (["data.target=atoms", "data.fold=9"], ["data.fold=9"]),
}


AS_TYPED = ["a typo", "several without brackets", "structures that are none"]  # most are tests/data/molecules', too


@pytest.mark.parametrize(
    "words, says",
    [pytest.param(*BAD[key], id=key, marks=[pytest.mark.slow] * (key not in AS_TYPED)) for key in BAD],
)
def test_what_cannot_be_used_is_one_line(cli, path, tmp_path, words, says):
    refused(cli("train", "data=molecule_table", f"data.path={path}", *words, *QUICK), *says)
    assert not (tmp_path / "outputs").exists() or not list(tmp_path.glob("outputs/*/*"))


def test_without_a_file_it_says_what_to_type(cli):
    refused(cli("train", "data=molecule_table", *TINY), "data.path", "data.target=COLUMN")


def test_a_cost_of_counts_and_a_network_over_windows_are_refused(cli, path):
    words = ["data=molecule_table", f"data.path={path}", "data.target=atoms", *TINY]
    refused(cli("train", *words, "loss=poisson"), "loss=poisson is for counts", "reals")
    refused(cli("train", *words[:3], "model=glm"), "model=glm needs ", "mpnn")
