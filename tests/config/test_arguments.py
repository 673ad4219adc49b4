"""The words of the other verbs, what may be written, and how a run is described."""

import re

import pytest
from omegaconf import OmegaConf

from dlthink.config.arguments import check_torn, described, file_to_write, folder_to_write, parse
from dlthink.errors import BadInput, in_shell

NAMES = {"run": None, "split": "test"}


@pytest.mark.parametrize(
    "words, says",
    [
        (["run=a", "run=b"], "run=b: run= is there already, run=a"),
        (["data.bin=1", "data.bin=2"], "data.bin=2: data.bin= is there already"),
        (["loss=mse,poisson"], "the loss it began with"),
        (["seed=1"], "the seed it began with"),
        (["-m"], "-m: write name=value"),
        (["latest"], "e.g. run="),
        ([""], "an empty word"),
        (["—run=a"], "dash"),
        (["spilt=val"], "did you mean split"),
    ],
)
def test_words_that_are_refused(words, says):
    with pytest.raises(BadInput, match=says):
        parse(words, NAMES)


@pytest.mark.parametrize(
    "words, meant",
    [
        ("data.bumps={x: 16}", "data.bumps={x: 16}"),
        ("loss=mse data.target=[x, y] seed=1", "data.target=[x, y]"),
        (
            "data.keys={spike_times: units/spk, covariates: pos} seed=1",
            "data.keys={spike_times: units/spk, covariates: pos}",
        ),
        ("data.keys=spike_times:spk data.keys=covariates:pos", "data.keys={spike_times:spk,covariates:pos}"),
        ("seed=1 data.bumps=x:8 data.bumps=x*y:4", "data.bumps={x:8,x*y:4}"),
    ],
)
def test_what_a_shell_has_cut_is_shown_in_quotes(words, meant):
    with pytest.raises(BadInput, match=f"in quotes, {re.escape(in_shell(meant))}$"):
        check_torn(words.split(" "))


def test_what_no_shell_has_cut_passes():
    check_torn(["data.target=[x,y]", "data.where={ x", "seed=1", "a.b=C:\\x", "a.b=C:\\y", "--cfg", "job"])


def test_a_word_longer_than_a_file_s_name():
    assert parse([f"split={'x' * 5000}"], NAMES)[0]["split"] == "x" * 5000
    with pytest.raises(BadInput, match="name=value"):
        parse(["x" * 5000], NAMES)


def test_the_folder_of_a_run_without_its_name(tmp_path):
    (tmp_path / "config.yaml").touch()
    with pytest.raises(BadInput, match=f"e.g. run={tmp_path}"):
        parse([str(tmp_path)], NAMES)


@pytest.mark.parametrize(
    "value, says",
    [
        ("", "nothing stands behind"),
        ("table.png", "CSV is written; call it .*table.csv"),
        ("folder", "is a folder"),
        ("new/", "is a folder"),
        ("nowhere/table.csv", "is none: choose another place"),
        ("file/table.csv", "is none: choose another place"),
        ("/dev/null", "no file that can be replaced"),
        ("~nobody_here/table.csv", "cannot be written"),
        ("/proc/table.csv", "cannot be written"),
    ],
)
def test_a_file_that_cannot_be_written(tmp_path, monkeypatch, value, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=says):
        file_to_write("output", value, ".csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "folder"]


def test_what_can_be_written_is_not_written_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in ("table.csv", "TABLE.CSV", "table", f"{tmp_path}/table.csv"):
        assert not file_to_write("output", value, ".csv").exists()
    assert not folder_to_write("output", "a/b/c").parent.exists()
    with pytest.raises(BadInput, match="is a file"):
        (tmp_path / "file").touch()
        folder_to_write("output", "file")


def test_a_run_in_a_few_words():
    config = OmegaConf.create({"seed": 3, "optim": {"lr": 0.1, "betas": [0.8, 0.9]}, "trainer": {"minutes": None}})
    words = ["optim.betas=[0.8,0.9]", "+optim.lr=0.1", "trainer.minutes=null", "loss=mse", "seed=3", "optim"]
    assert described(config, {"loss": "mse"}, words) == {
        "loss": "mse",
        "seed": 3,
        "optim.betas": "[0.8,0.9]",
        "optim.lr": 0.1,
        "trainer.minutes": "null",
    }
