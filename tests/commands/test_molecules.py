"""Molecules, as typed: train, evaluate, predict; every cost of real numbers; files that cannot be used."""

import csv
import gzip
import json
import shutil
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

pytest.importorskip("rdkit", reason="molecules need rdkit")

from dlthink.config.build import find
from dlthink.config.paths import conf_folder, options
from dlthink.data.molecules.simulated import Molecules
from dlthink.metrics.reals.shifts import Shifts
from tests.conftest import REPOSITORY, refused
from tests.data.molecules.made_molecules import ETHANOL, record, save

TINY = ["model.width=8", "model.depth=2", "trainer=smoke", "trainer.device=cpu"]
EMBEDDED = ["data=molecules", "data.molecules=150", *TINY]
FIXTURE = REPOSITORY.parent / "shared" / "data" / "molecules" / "native_fixture" / "nmrshiftdb2_native_300.sdf.gz"
NAMES = {"mae", "median_ae", "rmse", "nll", "crps", "miscalibration_area", "ence", "sharpness", "spearman", "aurc"}
NAMES |= {f"coverage_{percent}" for percent in (50, 80, 90, 95)} | {
    f"mae_top_{percent}" for percent in (10, 50, 80, 90)
}
COSTS = sorted(
    name
    for name, file in options("loss", conf_folder()).items()
    if "reals" in find(OmegaConf.load(file), "loss").targets
)


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))


@pytest.fixture
def no_pictures(monkeypatch):
    """Figures take most of a short run's time, and have tests of their own."""
    monkeypatch.setattr(Shifts, "figures", lambda *_: {})


def rows_of(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def metrics(run):
    return json.loads((Path(run) / "metrics.json").read_text())


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """The folder in which the tests of this file keep a run that two of them work on."""
    return tmp_path_factory.mktemp("molecules")


@pytest.fixture
def simulated(cli, tmp_path, once):
    """A run on simulated shifts, trained once: what the command line said."""
    if not (once / "run").exists():
        said = cli("train", *EMBEDDED, "hydra.run.dir=run")
        shutil.copytree("run", once / "run")
        (once / "said.json").write_text(json.dumps(said))
    else:
        shutil.copytree(once / "run", "run")
    return json.loads((once / "said.json").read_text())


def test_train_evaluate_predict(cli, tmp_path, simulated):
    code, out, err = simulated
    assert code == 0 and err == "" and out.splitlines()[-1] == "run: run"
    assert "SIMULATED" in out
    found = metrics("run")
    for split in ("val", "test"):
        assert NAMES | {f"{name}_lookup" for name in NAMES} <= set(found[split])
        assert not [name for name in found[split] if name.endswith(("_on_carbon", "_on_hetero"))]

    for split in ("test", "val"):
        assert cli("evaluate", "run=run", f"split={split}", "output=again.json")[0] == 0
        assert json.loads(Path("again.json").read_text()) == found[split]

    save(tmp_path / "x.smi", "CCO ethanol\nC( broken\nC methane\nCBr bromine\n[Na+].CC(=O)[O-] salt\nCC(=O)C acetone\n")
    code, out, err = cli("predict", "run=run", "input=x.smi", "output=y.csv", "figures=pics")
    assert code == 0 and err == "" and "3 pictures: pics" in out
    rows = rows_of("y.csv")
    expected = ["ethanol", "ethanol", "broken", "methane", "bromine", "salt", *["acetone"] * 3]
    assert [row["molecule"] for row in rows] == expected
    assert [bool(row["problem"]) for row in rows] == [False, False, True, False, True, True, *[False] * 3]
    for row in rows:
        if not row["problem"]:
            mean, std, low, high = (float(row[name]) for name in ("mean", "std", "low_90", "high_90"))
            assert low < mean < high and std > 0 and row["element"] == "C"
    assert sorted(file.name for file in Path("pics").iterdir()) == ["1_C2H6O.png", "3_CH4.png", "6_C3H6O.png"]


def test_predictions_are_those_of_the_examination(cli, tmp_path, simulated):
    """The test molecules as a user's file: the mean absolute error of the table is that of metrics.json."""
    test = Molecules(150).test
    save(tmp_path / "x.smi", "\n".join(test.smiles) + "\n")
    code, out, _ = cli("predict", "run=run", "input=x.smi", "output=y.csv")
    assert code == 0 and out.startswith(f"{len(test.y)} atoms of {len(test)} molecules") and out.endswith(": y.csv\n")
    rows = rows_of("y.csv")
    error = torch.tensor([float(row["mean"]) for row in rows]) - test.y[:, 0]
    assert float(error.abs().mean()) == pytest.approx(metrics("run")["test"]["mae"], rel=1e-5)
    within = [
        float(row["low_90"]) <= y <= float(row["high_90"]) for row, y in zip(rows, test.y[:, 0].tolist(), strict=True)
    ]
    assert sum(within) / len(within) == pytest.approx(metrics("run")["test"]["coverage_90"], abs=1.5 / len(within))


@pytest.mark.slow  # test_properties tries them all on the same network
@pytest.mark.parametrize("loss", COSTS)
def test_every_cost_of_real_numbers(cli, no_pictures, loss):
    code, _, err = cli("train", *EMBEDDED, f"loss={loss}", "hydra.run.dir=run")
    assert code == 0, err
    assert set(metrics("run")["test"]) >= NAMES
    assert all(abs(value) < 1e6 for value in metrics("run")["test"].values() if value is not None)
    assert torch.load(Path("run", "checkpoints", "last.pt"), weights_only=True)["step"] == 6


def test_there_are_as_many_costs_as_the_course_has():
    assert {"mse", "mae", "huber", "gaussian_nll", "beta_nll", "faithful", "natural_gaussian"} <= set(COSTS)
    assert {"laplace_nll", "student_t", "crps", "quantile"} <= set(COSTS) and "poisson" not in COSTS


@pytest.mark.slow
def test_a_raw_spread_fails_visibly(cli, no_pictures):
    code, out, err = cli("train", *EMBEDDED, "loss=gaussian_nll", "loss.spread=raw", "hydra.run.dir=run")
    assert code == 1
    assert err.count("\n") == 1 and "Traceback" not in err + out
    assert "softplus" in err and "negative" in err and "nll" in err


def test_a_cost_of_counts_is_refused(cli):
    refused(cli("train", *EMBEDDED, "loss=poisson"), "loss=poisson is for counts", "reals", "laplace_nll", "mse")


def test_a_network_over_windows_is_refused(cli):
    refused(cli("train", "data=molecules", "model=mlp"), "model=mlp needs ", "mpnn")


# ------------------------------------------------------------------------------------------------------ one's own file


def made(count=60, hydrogens=False):
    """JSON lines of chains with an end; shifts as a smooth function of the place."""
    ends = ["", "O", "N", "F", "Cl", "C(=O)O", "OC", "C#N", "c1ccccc1"]
    for number in range(count):
        length = 1 + number // len(ends)
        shifts = {str(i): [15 + 3.0 * i + number % len(ends)] for i in range(length)}
        yield json.dumps(
            {"id": f"m{number}", "smiles": "C" * length + ends[number % len(ends)], "c13": shifts}
            | ({"h1": {key: [0.9 + 0.1 * float(key), 1.4] for key in shifts}} if hydrogens else {})
        )


@pytest.fixture
def own(tmp_path):
    return save(tmp_path / "own.jsonl", "\n".join(made(hydrogens=True)) + "\n")


@pytest.mark.parametrize("nucleus", ["13C", pytest.param("1H", marks=pytest.mark.slow)])
def test_a_file_of_ones_own(cli, no_pictures, own, nucleus, tmp_path):
    words = ["data=nmrshiftdb2", f"data.path={own}", f"data.nucleus={nucleus}", *TINY]
    code, out, err = cli("train", *words, "hydra.run.dir=run")
    assert code == 0 and err == "" and "nmrshiftdb2 Database License" in out
    found = metrics("run")["test"]
    assert NAMES | {f"{name}_lookup" for name in NAMES} <= set(found)
    assert ("mae_on_carbon" in found) == (nucleus == "1H")
    # again, from the cache: the same
    assert cli("train", *words, "hydra.run.dir=again")[0] == 0
    assert metrics("again") == metrics("run")
    assert len(list((tmp_path / "kept" / "cache" / "molecules").iterdir())) == 1
    refused(cli("evaluate", "run=run", "data.split=random"), "data.split=random", "train anew")
    save(tmp_path / "x.sdf", record(ETHANOL, {}))
    assert cli("predict", "run=run", "input=x.sdf", "output=y.csv")[0] == 0
    atoms = [(row["atom"], row["element"]) for row in rows_of("y.csv")]
    assert sorted(atoms) == [("0", "O")] * (nucleus == "1H") + [("2", "C"), ("4", "C")]


@pytest.mark.skipif(not FIXTURE.exists(), reason=f"the records chosen to break parsers are not at {FIXTURE}")
def test_native_records(cli, no_pictures):
    code, out, err = cli("train", "data=nmrshiftdb2", f"data.path={FIXTURE}", *TINY, "hydra.run.dir=run")
    assert code == 0 and err == ""
    assert "50 of 299 records left out" in out
    assert set(metrics("run")["test"]) >= NAMES


def test_without_a_file_it_says_what_to_type(cli, tmp_path):
    refused(cli("train", "data=nmrshiftdb2", *TINY), str(tmp_path), "dlthink fetch nmrshiftdb2", "data.path=")


LINES = "\n".join(made()).encode()
BAD = {
    "missing": (None, "there is no such file"),
    "empty": (b"", "empty"),
    "cut short": (gzip.compress(LINES)[:-20], "the .gz is cut short"),
    "damaged": (gzip.compress(LINES)[:10] + b"\xff" * 99, "the .gz is damaged"),
    "neither": (b"smiles,shift\nC,1\n", "neither an SD file nor JSON lines"),
    "no records": (b'{"id": 1, "smiles": "C(", "c13": {"0": [1]}}\n', "none of its 1 records"),
    "one molecule": (b'{"id": 1, "smiles": "C", "c13": {"0": [1]}}\n', "no molecule of 1 is left"),
}


@pytest.mark.slow  # read by tests/data/molecules/readers, too
@pytest.mark.parametrize("content, says", BAD.values(), ids=BAD)
def test_a_path_that_cannot_be_used(cli, tmp_path, content, says):
    path = tmp_path / "bad file.jsonl.gz"
    if content is not None:
        path.write_bytes(content)
    refused(cli("train", "data=nmrshiftdb2", f"data.path={path}", *TINY), f"data.path={path}: ", says)
    assert not (tmp_path / "outputs").exists() or not list(tmp_path.glob("outputs/*/*"))


@pytest.mark.parametrize(
    "words, says",
    [
        (["data.molecules=0"], "data.molecules=0"),
        (["data.validation=1.5"], "data.validation=1.5"),
        (["data.split=half"], "data.split=half"),
        (["data.molecules=1"], "no molecule of 1 is left"),
    ],
)
def test_a_setting_that_cannot_be(cli, words, says):
    refused(cli("train", "data=molecules", *TINY, *words), says)


@pytest.mark.slow
def test_an_input_that_cannot_be_used(cli, no_pictures, tmp_path):
    assert cli("train", *EMBEDDED, "hydra.run.dir=run")[0] == 0
    save(tmp_path / "x.smi", "C\n")
    save(tmp_path / "water.smi", "O\n")
    refused(cli("predict", "run=run", "input=none.smi", "output=y.csv"), "input=none.smi", "no such file")
    refused(cli("predict", "run=run", "input=water.smi", "output=y.csv"), "input=water.smi", "no carbon in it")
    refused(cli("predict", "run=run", "input=run", "output=y.csv"), "input=run", "which format")
    refused(cli("predict", "run=run", "input=x.smi", "output=x.smi/y.csv"), "output=x.smi/y.csv", "another place")
    refused(cli("predict", "run=run", "input=x.smi", "output=run"), "output=run", "folder")
    assert not (tmp_path / "y.csv").exists()


@pytest.mark.slow
def test_what_stumbled_a_chemist(cli, no_pictures, tmp_path):
    assert cli("train", *EMBEDDED, "model=ensemble")[0] == 2  # model.width is no setting of an ensemble
    words = [word for word in EMBEDDED if not word.startswith("model.")]
    code, out, err = cli("train", *words, "model=ensemble", "model.members=2", "model.of.width=8", "hydra.run.dir=run")
    assert code == 0, err
    assert "any recalibration rest on that" in out  # validation is tiny
    assert {"mae_truth", "crps_truth", "mae_lookup"} <= set(metrics("run")["test"])
    assert metrics("run")["test"]["miscalibration_area_truth"] < 0.05  # who knows the truth is calibrated

    Path("in.smi").write_text("CO light\n[2H]C([2H])([2H])O heavy\n" + "C" * 130 + " long\n[NoSmiles bad\n")
    refused(cli("predict", "run=run", "input=in.smi", "output=."), "output=.", "folder")
    refused(cli("predict", "run=run", "input=in.smi", "output=y.csv", "figures=in.smi"), "figures=in.smi", "folder")
    code, out, err = cli("predict", "run=run", "input=in.smi", "output=y.csv", "figures=pictures")
    assert code == 0 and "SIMULATED" in out
    rows = {row["molecule"]: row for row in rows_of("y.csv")}
    assert float(rows["light"]["mean"]) == pytest.approx(float(rows["heavy"]["mean"]), abs=1e-4)
    parts = float(rows["light"]["aleatoric"]) ** 2 + float(rows["light"]["epistemic"]) ** 2
    assert parts == pytest.approx(float(rows["light"]["std"]) ** 2, rel=1e-3)
    assert sorted(file.name for file in Path("pictures").iterdir()) == ["1_CH4O.png", "2_CH4O.png"]

    refused(cli("train", "data=nmrshiftdb2", "data.path=x", "data.elements=[C,Zz]"), "Zz", "no element")
    Path("my_bad.py").write_text(
        "from torch import nn\n\n\nclass MyBad(nn.Module):\n    targets, outputs_per_target = {'reals'}, 1\n\n"
        "    def forward(self, out, y):\n        return {'e': (out - y).square().mean()}\n\n"
        "    def predict(self, out):\n        return {'mu': out}\n"
    )
    refused(cli("train", *EMBEDDED, "loss=my_bad"), "MyBad.predict(out)", "mean", "mu")
