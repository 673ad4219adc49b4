"""`run=latest`."""

import os

import pytest

from dlthink.errors import BadInput
from dlthink.runs.latest import run_folder


def made(folder, when, *files):
    folder.mkdir(parents=True)
    for name in files or ("config.yaml", "provenance.json"):
        (folder / name).touch()
        os.utime(folder / name, (when, when))


def test_the_run_that_was_begun_or_resumed_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="no run in outputs"):
        run_folder("latest")
    made(tmp_path / "outputs/2026-01-01/10-00-00", 100)
    made(tmp_path / "outputs/multirun/2026-01-01/11-00-00/1", 300)
    made(tmp_path / "outputs/2026-01-02/10-00-00", 200)
    made(tmp_path / "outputs/2026-01-03/10-00-00", 400, "config.yaml")  # no run
    assert str(run_folder("latest")) == "outputs/multirun/2026-01-01/11-00-00/1"
    os.utime(tmp_path / "outputs/2026-01-01/10-00-00/config.yaml", (500, 500))
    assert str(run_folder("latest")) == "outputs/2026-01-01/10-00-00"
    assert str(run_folder("outputs/x")) == "outputs/x"
    (tmp_path / "latest").mkdir()
    assert str(run_folder("latest")) == "latest"  # a folder of that name


def test_which_run_is_meant_is_said_and_which_others_are_in_its_sweep(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sweep = "outputs/multirun/2026-01-01/11-00-00"
    for when, name in enumerate(("0-loss=mse", "1-loss=huber", "2-loss=crps", "9-seed=1", "10-seed=2")):
        made(tmp_path / sweep / name, 300 + when)
    (tmp_path / sweep / "multirun.yaml").touch()
    run_folder("latest")
    assert capsys.readouterr().out == (
        f"latest: {sweep}/10-seed=2; of the same sweep: 0-loss=mse, 1-loss=huber, 2-loss=crps and 1 more; which is "
        f"best, and how to predict with it: dlthink compare {sweep}\n"
    )
    made(tmp_path / "outputs/2026-01-01/10-00-00", 500)
    run_folder("latest")
    assert capsys.readouterr().out == "latest: outputs/2026-01-01/10-00-00\n"


def test_the_number_of_a_run_in_a_sweep_is_enough(tmp_path):
    for name in ("1-loss=mse", "10-loss=mse", "2-a", "2-b"):
        (tmp_path / name).mkdir()
    assert run_folder(str(tmp_path / "1")) == tmp_path / "1-loss=mse"
    assert run_folder(str(tmp_path / "2")) == tmp_path / "2"  # which one?
    assert run_folder(str(tmp_path / "none" / "1")) == tmp_path / "none" / "1"
