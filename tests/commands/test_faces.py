"""Faces from the command line: every cost, the audit, and who is on a photo."""

import csv
import json
from pathlib import Path

import pytest

from dlthink.config.paths import conf_folder, options

FEW = ["data=faces", "data.identities=40", "data.photos_each=4", "data.size=24", "data.people=6", "data.photos=2"]
FEW += ["model.width=4", "trainer=smoke", "trainer.batch=12", "trainer.device=cpu", "loss.dim=16"]
DIFFERENT = ["oasis", "arcface"]  # similarities, prototypes; triplet is trained below
COSTS = [*DIFFERENT, "triplet", "positives_only", "no_margin", "two_negatives", "contrastive", "distance_weighted"]
NAMES = {
    "recall_at_1",
    "recall_at_5",
    "map_at_r",
    "auc",
    "eer",
    "val_at_far_1e-3",
    "val_at_far_1e-2",
    "one_shot_accuracy",
    "effective_rank",
    "recall_at_1_pixels",
    "one_shot_accuracy_pca",
    "recall_at_1_low",
    "recall_at_1_high",
}


@pytest.fixture(autouse=True)
def data_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))


@pytest.mark.parametrize("loss", [c if c in DIFFERENT else pytest.param(c, marks=pytest.mark.slow) for c in COSTS])
def test_every_cost_trains(cli, loss, monkeypatch):
    monkeypatch.setattr("dlthink.metrics.embeddings.metrics.Embeddings.figures", lambda *_: {})
    code, _, err = cli("train", *FEW, f"loss={loss}", "hydra.run.dir=run")
    assert code == 0, err
    assert set(json.loads(Path("run/metrics.json").read_text())["test"]) >= NAMES


def test_all_embedding_costs_are_tried():
    texts = {name: file.read_text() for name, file in options("loss", conf_folder()).items()}
    known = {"dim:"}
    assert {name for name, text in texts.items() if any(word in text for word in known)} == set(COSTS)


def test_from_training_to_who_is_it(cli, tmp_path):
    image = pytest.importorskip("PIL.Image", reason="photos need pillow")
    code, out, err = cli("train", *FEW, "hydra.run.dir=run")
    assert code == 0, err
    assert (tmp_path / "run" / "projector_config.pbtxt").is_file()
    code, out, err = cli("evaluate", "run=run", "audit=true")
    assert code == 0, err
    assert "dodging_8" in out and "val_masked" in out
    assert list((tmp_path / "run" / "audit").glob("*.png"))

    for i, tone in enumerate((40, 90, 200)):
        (tmp_path / "people" / f"person {i}").mkdir(parents=True)
        image.new("RGB", (30, 40), (tone, 255 - tone, 120)).save(tmp_path / "people" / f"person {i}" / "a.png")
    (tmp_path / "asked").mkdir()
    image.new("RGB", (30, 40), (40, 215, 120)).save(tmp_path / "asked" / "same as 0.png")
    (tmp_path / "asked" / "broken.jpg").write_text("<html>")
    code, out, err = cli("predict", "run=run", "gallery=people", "input=asked", "output=who.csv")
    assert code == 0, err
    rows = {row["photo"]: row for row in csv.DictReader(Path("who.csv").read_text().splitlines())}
    same = next(row for name, row in rows.items() if "same as 0" in name)
    assert same["who"] in ("person 0", "unknown") and float(same["distance"]) == pytest.approx(0, abs=1e-4)
    assert next(row for name, row in rows.items() if "broken" in name)["problem"]

    code, _, err = cli("predict", "run=run", "input=asked", "output=who.csv")
    assert code == 2 and "gallery=" in err and err.count("\n") == 1
    code, _, err = cli("predict", "run=run", "input=asked", "output=who.csv", "galery=people")
    assert code == 2 and "did you mean gallery?" in err


def test_an_audit_of_what_has_none(cli, finished):
    code, _, err = cli("evaluate", f"run={finished}", "audit=true")
    assert code == 2 and "no audit" in err
    assert cli("evaluate", f"run={finished}", "audit=yes")[0] == 2
