"""Seasons from the command line: trained, examined, resumed, and photos made into winter."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from dlthink.data.seasons.two_folders import TwoFolders
from dlthink.data.seasons.unpaired import SEASONS
from dlthink.metrics.features import Features
from dlthink.metrics.kid import kids
from tests.conftest import SMALL, needs_lite1, refused
from tests.data.photos.made_photos import decode, laid, packed, picture
from tests.data.seasons.made_seasons import photos

Image = pytest.importorskip("PIL.Image", reason="photos need pillow")
pytestmark = needs_lite1

FEW = ["data=seasons", "data.scenes=4", "data.val_scenes=3", "data.test_scenes=3", "data.size=32"]
FEW += ["model.width=4", "model.blocks=1", "trainer=smoke", "trainer.batch=2", "trainer.device=cpu"]
FEW += ["metrics.features=embedded"]
NAMES = {
    f"{name}_{to}{baseline}"
    for name in ("psnr", "ssim", "kid_embedded", "edge_ssim", "probe_share_embedded")
    for to in ("to_winter", "to_summer")
    for baseline in ("", "_untouched", "_color_transfer")
} | {f"{name}_{to}" for name in ("cycle_l1", "identity_l1") for to in ("to_winter", "to_summer")}


@pytest.fixture(autouse=True)
def data_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))


def test_from_training_to_photos(cli, tmp_path):
    code, out, err = cli("train", *FEW, "loss.judge_width=4", "loss.pool=3", "hydra.run.dir=run")
    assert code == 0, err
    assert set(json.loads(Path("run/metrics.json").read_text())["test"]) >= NAMES
    code, out, err = cli("evaluate", "run=run", "split=val")
    assert code == 0, err
    assert "psnr_to_winter" in out
    code, out, err = cli("train", "resume=run", "trainer.steps=8")
    assert code == 0, err

    laid(tmp_path / "my photos", {"a b.png": packed(picture(1, (51, 38))), "é/c.jpg": packed(picture(2), "JPEG")})
    laid(tmp_path / "my photos", {"broken.jpg": b"<html>"})
    words = ["predict", "run=run", "input=my photos"]
    code, out, err = cli(*words, "output=made", "direction=to_winter")
    assert code == 0, err
    assert out.splitlines() == [
        "left out: broken.jpg: no picture that pillow can read",
        "2 photos made into winter; 1 left out; before and after in contact_sheet.jpg: made",
    ]
    with Image.open("made/a b.png") as made:
        assert made.size == (51, 38)
    assert sorted(file.name for file in Path("made").rglob("*.*")) == ["a b.png", "c.jpg", "contact_sheet.jpg"]
    first = Path("made/a b.png").read_bytes()
    assert cli(*words, "output=made", "direction=to_summer", "long=20")[0] == 0, "again, into the same folder"
    assert Path("made/a b.png").read_bytes() != first

    refused(cli(*words, "output=other"), "direction=", "to_winter or to_summer")
    refused(cli(*words, "output=other", "direction=to_sumer"), "to_winter or to_summer")
    refused(cli(*words, "output=other", "direktion=to_summer"), "did you mean direction?")
    refused(cli(*words, "output=run/config.yaml", "direction=to_summer"), "is a file")
    for output in ("my photos", "my photos/made", ".", f"{tmp_path}/made/../my photos"):
        refused(cli(*words, f"output={output}", "direction=to_summer"), "choose another folder")
    refused(cli(*words, "output=other", "direction=to_summer", "figures=x"), "no pictures of predictions")
    assert not Path("other").exists()


def test_without_judges(cli, monkeypatch):
    monkeypatch.setattr("dlthink.metrics.translations.Translations.figures", lambda *_: {})
    code, _, err = cli("train", *FEW, "loss=cycle", "hydra.run.dir=run")
    assert code == 0, err


def test_tests_of_all_folds_are_examined_together(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("dlthink.metrics.translations.Translations.figures", lambda *_: {})
    for season in ("summer", "winter"):
        laid(tmp_path / season, photos(20, season))
    mine = ["data=two_folders", "data.summer=summer", "data.winter=winter", "loss=cycle", "model.skip=false", *FEW[4:]]
    code, _, err = cli("train", "-m", *mine, "data.fold=0,1,2,3,4", "hydra.sweep.dir=sweep")
    assert code == 0, err
    code, out, err = cli("evaluate", "run=sweep", "output=all.json")
    assert code == 0, err
    assert out.startswith("test of data.fold=0,1,2,3,4 ")
    pooled = json.loads(Path("all.json").read_text())
    every = {season: np.stack([decode(c, 32, False) for c in photos(20, season).values()]) for season in SEASONS}
    looks = {season: Features("embedded")(torch.from_numpy(pixels)) for season, pixels in every.items()}
    tests = [TwoFolders("summer", "winter", size=32, fold=k).test.count for k in range(5)]
    alone = [json.loads(Path(f"sweep/{k}/metrics.json").read_text())["test"] for k in range(5)]
    for target, source in (("winter", "summer"), ("summer", "winter")):
        untouched = kids(looks[source], looks[target], 0)[0]
        assert pooled[f"kid_embedded_to_{target}_untouched"] == pytest.approx(untouched, rel=1e-6), "each photo once"
        name = f"cycle_l1_to_{target}"
        mean = sum(n[source] * test[name] for n, test in zip(tests, alone, strict=True)) / 20
        assert pooled[name] == pytest.approx(mean, rel=1e-5) and len({test[name] for test in alone}) == 5

    refused(cli("evaluate", "run=sweep", "split=val"), "split=val", "only the tests")
    refused(cli("evaluate", "run=sweep", "audit=true"), "audit=true", "only the tests")
    refused(cli("evaluate", "run=sweep", "data.fold=1"), "data.fold=1", "train anew")
    Path("summer").rename("moved")
    code, _, err = cli("evaluate", "run=sweep", "data.summer=moved", "output=again.json")
    assert code == 0 and json.loads(Path("again.json").read_text()) == pooled, err
    file = Path("sweep/4/config.yaml")
    kept = file.read_text()
    for changed, says in (("fold: 0", "data.fold=0"), ("fold: null", "data.fold=null"), ("flip: 0.1", "data.flip")):
        file.write_text(re.sub(f"{changed.split(':')[0]}: .*", changed, kept, count=1))
        refused(cli("evaluate", "run=sweep"), f"sweep{os.sep}4", says)
    file.write_text(kept)
    Path("sweep/2/metrics.json").unlink()
    code, out, err = cli("evaluate", "run=sweep", "data.summer=moved")
    assert code == 0 and "1 not finished" in err and out.startswith("test of data.fold=0,1,3,4 ")
    for run in Path("sweep").glob("?/metrics.json"):
        run.unlink()
    refused(cli("evaluate", "run=sweep"), "sweep: no finished run", "5 not finished")


def test_networks_whose_answers_cannot_be_pooled(cli):
    code, _, err = cli("train", "-m", "data=spikes", "data.fold=0,1", "hydra.sweep.dir=sweep", *SMALL)
    assert code == 0, err
    refused(cli("evaluate", "run=sweep"), "run=sweep", "dlthink compare sweep")
