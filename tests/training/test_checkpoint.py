"""Checkpoints are whole or not there; what is damaged is noticed; nothing in them is run."""

import errno
import os
import pickle
import zipfile

import pytest
import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.training import checkpoint


def state(step):
    return {"model": {"w": torch.full((1000,), float(step))}, "loss": {}, "step": step}


def test_three_files_the_new_the_one_before_the_best(tmp_path):
    checkpoint.save(tmp_path, state(1), best=True)
    checkpoint.save(tmp_path, state(2), best=True)
    checkpoint.save(tmp_path, state(3), best=False)
    steps = {name: checkpoint.load(tmp_path / f"{name}.pt")["step"] for name in ("last", "previous", "best")}
    assert steps == {"last": 3, "previous": 2, "best": 2}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["best.pt", "last.pt", "previous.pt"]


@pytest.mark.parametrize("moment", ["write", "fsync", "link", "replace"])
def test_a_crash_at_any_moment_leaves_whole_checkpoints(tmp_path, monkeypatch, moment):
    for step in (1, 2):
        checkpoint.save(tmp_path, state(step), best=True)

    class Crash(BaseException):
        pass

    def crash(*_):
        raise Crash

    monkeypatch.setattr(*((torch, "save") if moment == "write" else (os, moment)), crash)
    with pytest.raises(Crash):
        checkpoint.save(tmp_path, state(3), best=True)
    monkeypatch.undo()
    saved, remark = checkpoint.load_last(tmp_path)
    assert saved["step"] == 2 and remark is None
    assert checkpoint.load(tmp_path / "best.pt")["step"] == 2
    checkpoint.save(tmp_path, state(4), best=True)  # what the crash left behind is in nobody's way
    assert checkpoint.load_last(tmp_path)[0]["step"] == 4


def test_the_file_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("fsync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("replace"), replace(a, b)))
    checkpoint.save(tmp_path, state(1), best=False)
    assert calls == ["fsync", "replace", "fsync"]  # the file, its name, the folder


def test_a_full_disk_keeps_what_was_saved(tmp_path, monkeypatch):
    checkpoint.save(tmp_path, state(1), best=True)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        checkpoint.save(tmp_path, state(2), best=True)
    assert checkpoint.load_last(tmp_path)[0]["step"] == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["best.pt", "last.pt"], "nothing unfinished is left"


def test_no_hard_links_then_copies(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refused)
    for step in (1, 2):
        checkpoint.save(tmp_path, state(step), best=True)
    assert [checkpoint.load(tmp_path / f"{n}.pt")["step"] for n in ("last", "best", "previous")] == [2, 2, 1]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone", "text"])
def test_a_damaged_last_falls_back_to_the_one_before_and_says_so(tmp_path, damage):
    for step in (1, 2):
        checkpoint.save(tmp_path, state(step), best=False)
    last = tmp_path / "last.pt"
    content = bytearray(last.read_bytes())
    if damage == "cut":
        last.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        with zipfile.ZipFile(last) as archive:
            place = max(archive.infolist(), key=lambda i: i.file_size)
        content[place.header_offset + 200] ^= 1
        last.write_bytes(content)
    elif damage == "gone":
        last.unlink()
    else:
        last.write_text("" if damage == "empty" else "not a checkpoint")
    saved, remark = checkpoint.load_last(tmp_path)
    assert saved["step"] == 1
    assert "last.pt" in remark and "previous.pt" in remark and "\n" not in remark


def test_both_damaged_is_refused(tmp_path):
    for step in (1, 2):
        checkpoint.save(tmp_path, state(step), best=False)
    for name in ("last.pt", "previous.pt"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BadInput, match=r"previous\.pt"):
        checkpoint.load_last(tmp_path)


def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    torch.save({"model": {}, "loss": {}, "step": 0, "x": Evil()}, tmp_path / "last.pt")
    with pytest.raises(BadInput, match=r"last\.pt"):
        checkpoint.load(tmp_path / "last.pt")
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(BadInput, match=r"raw\.pt"):
        checkpoint.load(tmp_path / "raw.pt")
    assert not (tmp_path / "owned").exists()


def test_not_ours(tmp_path):
    torch.save({"weights": 1}, tmp_path / "last.pt")
    with pytest.raises(BadInput, match="not a checkpoint of dlthink"):
        checkpoint.load(tmp_path / "last.pt")


@pytest.mark.parametrize("name", checkpoint.NEEDED)
def test_of_another_version_that_lacks_what_all_need(tmp_path, name):
    whole = {"version": "0.0.7", "model": {}, "loss": {}, "step": 0}
    torch.save({key: value for key, value in whole.items() if key != name}, tmp_path / "last.pt")
    with pytest.raises(BadInput, match=rf"last\.pt: has no {name} \(dlthink 0\.0\.7 wrote it, this is"):
        checkpoint.load(tmp_path / "last.pt")


def test_weights_of_another_network_or_cost_are_named(tmp_path):
    state = {"model": nn.Linear(2, 3).state_dict(), "loss": {}, "step": 1}
    with pytest.raises(BadInput, match="another network") as error:
        checkpoint.Checkpoint(tmp_path / "best.pt", state).install(nn.Linear(2, 4), nn.Module())
    assert "best.pt" in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(BadInput, match="another cost"):
        other = checkpoint.Checkpoint(tmp_path / "best.pt", state | {"loss": {"r": torch.ones(1)}})
        other.install(nn.Linear(2, 3), nn.Module())
