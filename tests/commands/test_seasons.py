"""Seasons from the command line: trained, examined, resumed, and photos made into winter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dlthink.commands import predict
from dlthink.errors import BadInput
from tests.conftest import needs_lite1, refused
from tests.data.photos.made_photos import laid, packed, picture
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


@pytest.mark.parametrize("loss", ["cyclegan", pytest.param("projected_gan", marks=pytest.mark.slow)])
def test_from_training_to_photos(cli, tmp_path, loss):
    words = [f"loss={loss}", "loss.discriminator.width=4", "loss.pool=3", "hydra.run.dir=run"]
    code, out, err = cli("train", *FEW, *words)
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


def test_training_photos_are_kept(tmp_path, monkeypatch):
    """Where a run's photos lie, in it or around it, nothing is written, be it by a link or another spelling."""
    monkeypatch.chdir(tmp_path)
    for season in ("summer", "winter"):
        (tmp_path / season).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "winter", target_is_directory=True)
    data = OmegaConf.create({"a": "summer", "b": "winter", "size": 32, "domains": None, "c": "gone"})
    for output in ("winter", "winter/made", "link", "./winter/../winter", str(tmp_path)):
        with pytest.raises(BadInput, match="choose another"):
            predict._keep_training_data(Path(output), data)
    predict._keep_training_data(Path("made"), data)


@pytest.mark.slow
def test_nothing_is_made_among_training_photos(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("dlthink.metrics.translations.metrics.Translations.figures", lambda *_: {})
    for season in ("summer", "winter"):
        laid(tmp_path / season, photos(5, season))
    words = ["data=two_folders", "data.a=summer", "data.b=winter", "data.load=32"]
    few = [word for word in FEW if "scenes" not in word and word != "data=seasons"]
    code, _, err = cli("train", *words, *few, "loss=cycle", "hydra.run.dir=run")
    assert code == 0, err
    laid(tmp_path / "asked", {"a.png": packed(picture(1))})
    (tmp_path / "link").symlink_to(tmp_path / "winter", target_is_directory=True)
    before = sorted(tmp_path.rglob("*"))
    for output in ("winter", "winter/made", "link", "./winter/../winter", tmp_path):
        refused(cli("predict", "run=run", "input=asked", f"output={output}", "direction=to_winter"), "choose another")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_two_folders_of_anything(cli, tmp_path, monkeypatch):
    """Metrics, and the words of predict, are called after what the folders are called."""
    monkeypatch.setattr("dlthink.metrics.translations.metrics.Translations.figures", lambda *_: {})
    laid(tmp_path / "horses", photos(5))
    laid(tmp_path / "all zebras", photos(5, "winter"))
    words = ["data=two_folders", "data.a=horses", "data.b=all zebras", "data.load=32"]
    few = [word for word in FEW if "scenes" not in word and word != "data=seasons"]
    code, out, err = cli("train", *words, *few, "loss=cycle", "hydra.run.dir=run")
    assert code == 0, err
    assert "photos (horses + all_zebras) for train / val / test" in out
    found = json.loads(Path("run/metrics.json").read_text())["test"]
    assert {"cycle_l1_to_horses", "edge_ssim_to_all_zebras", "kid_embedded_to_horses_untouched"} <= set(found)
    assert not [name for name in found if "winter" in name or "summer" in name]
    assert cli("evaluate", "run=run")[0] == 0
    laid(tmp_path / "asked", {"a.png": packed(picture(1))})
    asked = ["predict", "run=run", "input=asked", "output=made"]
    refused(cli(*asked, "direction=to_winter"), "to_all_zebras or to_horses")
    code, out, err = cli(*asked, "direction=to_horses")
    assert code == 0 and "1 photo made into horses" in out, err
    refused(cli("train", *words, *few, "loss=cycle", "data.domains=[horse,horse]"), "two different names")


PEAK = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "dlthink", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes on Linux")
def test_a_large_photo_takes_little_memory(cli, tmp_path):
    """1,792 x 1,536 pixels peaked at 1.9 GB."""
    whole = [word for word in FEW if not word.startswith("model")]
    code, _, err = cli("train", *whole, "loss=cycle", "trainer.steps=2", "hydra.run.dir=run")
    assert code == 0, err
    laid(tmp_path / "asked", {"a.jpg": packed(picture(1, (1792, 1536)), "JPEG")})
    words = ["predict", "run=run", "input=asked", "output=made", "direction=to_winter", "trainer.device=cpu"]
    done = subprocess.run([sys.executable, "-c", PEAK, *words], capture_output=True, check=True)
    assert int(done.stdout.split()[-1]) < 600_000


@pytest.mark.slow
def test_without_judges(cli, monkeypatch):
    monkeypatch.setattr("dlthink.metrics.translations.metrics.Translations.figures", lambda *_: {})
    code, _, err = cli("train", *FEW, "loss=cycle", "hydra.run.dir=run")
    assert code == 0, err
