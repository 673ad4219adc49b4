"""Checkpoints that a stranger wrote: nothing is run, and nothing takes more memory than the file is large."""

import copy
import io
import os
import pickle
import zipfile
from functools import partial

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.training import checkpoint, rng
from dlthink.training.players import Player

SOUND = {"model": {"w": torch.arange(6.0)}, "loss": {}, "step": 3, "data": {}, "facts": {}}


def written(path, state):
    torch.save(state, path)
    return path


def entries(path):
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def test_a_sound_one(tmp_path):
    state = SOUND | {"ema": None, "data": {"names": ["a", ("b", 1.0)], "scale": torch.tensor(2.0)}}
    found = checkpoint.load(written(tmp_path / "x.pt", state))
    assert found["model"]["w"].equal(SOUND["model"]["w"]) and found["data"]["names"] == ["a", ("b", 1.0)]
    found["model"]["w"] += 1  # what is loaded is one's own: the file stays as it is
    assert checkpoint.load(tmp_path / "x.pt")["model"]["w"].equal(SOUND["model"]["w"])


def nested():
    """2^40 lists in forty."""
    value = ["x"]
    for _ in range(40):
        value = [value, value]
    return value


def bottomless():
    value = []
    value.append(value)
    return value


VALUES = {
    "lists that share lists": nested,
    "a list in itself": bottomless,
    "deep lists": lambda: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],
    "a stretched tensor": lambda: torch.zeros(1).expand(1 << 40),
    "a tensor that overlaps itself": lambda: torch.zeros(1 << 10).as_strided((1 << 10, 1 << 10), (0, 1)),
    "a sparse tensor": lambda: torch.sparse_coo_tensor(torch.zeros(1, 1, dtype=torch.long), torch.ones(1), (1 << 40,)),
    "a tensor of no device": lambda: torch.empty(1 << 40, device="meta"),
    "a quantized tensor": lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.quint8),
    "bytes that can change": lambda: bytearray(5),
    "a complex number": lambda: 1j,
    "a tensor as a key": lambda: {torch.zeros(1): 1},
    "keys of other kinds": lambda: {(1, 2): 1},
}


@pytest.mark.filterwarnings("ignore:Sparse invariant", "ignore:.*quantized", "ignore:TypedStorage")
@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES)
def test_values_that_no_run_writes(tmp_path, make):
    path = written(tmp_path / "x.pt", SOUND | {"data": {"value": make()}})
    with pytest.raises(BadInput, match=r"x\.pt: the checkpoint is damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"step": -1},
        {"step": 2**60},
        {"step": "3"},
        {"step": None},
        {"model": []},
        {"loss": torch.zeros(1)},
        {"data": 3},
        {"facts": ["n_targets"]},
        {"recent": 3},
        {"recent": [3]},
        {"recent": [{"a": "b"}]},
        {"recent": [{"a": float("nan")}]},
        {"recent": [{"a": 1.0}] * 4},  # of 3 steps
    ],
    ids=str,
)
def test_parts_of_another_kind(tmp_path, change):
    with pytest.raises(BadInput, match="not a checkpoint of dlthink"):
        checkpoint.load(written(tmp_path / "x.pt", SOUND | change))


class Evil:
    def __reduce__(self):
        return os.system, ("touch owned",)


def test_a_pickle_that_runs_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = tmp_path / "x.pt"
    torch.save(SOUND | {"data": Evil()}, whole)
    with pytest.raises(BadInput, match=r"wants \w+\.system to be called") as refusal:
        checkpoint.load(whole)
    assert "weights_only" not in str(refusal.value)  # nobody is told to read it without that
    whole.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(BadInput, match="not a torch file"):
        checkpoint.load(whole)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("limit", "steps"),
    [
        (("STEPS", 500), b"q\0"),
        (("STEPS", 500), b"}a"),
        (("PICKLED", 1000), b"Na"),
        (("WIDE", 500), b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x1fN"),  # 2^61 - 1, whose multiples have one hash
    ],
    ids=["names", "dictionaries", "bytes", "wide numbers"],
)
def test_a_value_that_takes_too_many_steps_to_build(tmp_path, monkeypatch, steps, limit):
    """torch is not asked: of a few MB of these it would take half a minute."""
    path = written(tmp_path / "x.pt", SOUND)
    found = entries(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in found.items():
            archive.writestr(name, b"\x80\x02]q\0" + 600 * steps + b"." if name.endswith("data.pkl") else content)
    monkeypatch.setattr(checkpoint, *limit)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("loaded"))
    with pytest.raises(BadInput, match="too many values"):
        checkpoint.load(path)


def test_an_archive_that_lists_a_million_entries(tmp_path, monkeypatch):
    path = written(tmp_path / "x.pt", SOUND)
    with zipfile.ZipFile(path, "a") as archive:
        for i in range(60):
            archive.writestr(f"x/{i}", b"")
    assert checkpoint.load(path)["step"] == 3
    monkeypatch.setattr(checkpoint, "LISTED", 2000)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("read"))
    with pytest.raises(BadInput, match="too many entries"):
        checkpoint.load(path)


def zeros(path, **how):
    """A checkpoint of 64 MB of zeros, its archive written anew."""
    written(path, SOUND | {"model": {"w": torch.zeros(1 << 24)}})
    found = entries(path)
    with zipfile.ZipFile(path, "w", **how) as archive:
        for name, content in found.items():
            archive.writestr(name, content)
    return path


def test_a_compressed_archive_is_not_unfolded(tmp_path):
    path = zeros(tmp_path / "x.pt", compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 17
    with pytest.raises(BadInput, match=r"\(it is compressed"):
        checkpoint.load(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_one_place_for_many(tmp_path):
    path = written(tmp_path / "x.pt", SOUND)
    first = next(iter(entries(path)))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(first, b"again")
    with pytest.raises(BadInput, match="more than the file has"):
        checkpoint.load(path)
    written(path, SOUND | {"model": {"w": torch.zeros(1000)}})
    with zipfile.ZipFile(path, "a") as archive:  # a directory in which many names are one place
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
        for i in range(9):
            again = zipfile.ZipInfo(f"archive/data/{i + 7}")
            for name in ("CRC", "compress_size", "file_size", "header_offset"):
                setattr(again, name, getattr(largest, name))
            archive.filelist.append(again)
        archive._didModify = True
    with pytest.raises(BadInput, match="more than the file has"):
        checkpoint.load(path)


def test_an_archive_behind_another(tmp_path):
    """Readers differ in which of the two they see."""
    path, sound = tmp_path / "x.pt", io.BytesIO()
    torch.save(SOUND, sound)
    path.write_bytes(zeros(tmp_path / "y.pt", compression=zipfile.ZIP_DEFLATED).read_bytes() + sound.getvalue())
    with pytest.raises(BadInput, match="more than the file has"):
        checkpoint.load(path)


def test_gigabytes_of_zeros(tmp_path):
    path = tmp_path / "x.pt"
    with path.open("wb") as file:
        try:
            file.truncate(checkpoint.LARGEST + 1)  # sparse
        except OSError:
            pytest.skip("no sparse files here")
    with pytest.raises(BadInput, match=r"4\.0 GB are more"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "optim", [partial(torch.optim.Adam, fused=True), partial(torch.optim.SGD, lr=0.1, momentum=0.9)]
)
@pytest.mark.parametrize(
    "remembered", [torch.zeros(3), torch.zeros(1, 40), torch.zeros(30, 40, dtype=torch.int8), 0.0, None], ids=str
)
def test_what_an_optimizer_remembers_is_as_large_as_its_weights(optim, remembered):
    """A fused kernel writes as many numbers as the weight has, wherever that ends: it killed the process."""
    weight = torch.nn.Parameter(torch.zeros(30, 40))
    weight.grad = torch.ones(30, 40)
    player = Player("network", [weight], optim([weight]), lambda *_: {}, optim)
    player.optimizer.step()
    saved = copy.deepcopy(player.optimizer.state_dict())
    player.restore(copy.deepcopy(saved))
    name = "exp_avg" if "exp_avg" in saved["state"][0] else "momentum_buffer"
    saved["state"][0][name] = remembered
    if getattr(remembered, "dtype", None) == torch.int8:
        player.restore(saved)  # torch makes it what the weight is
        assert player.optimizer.state[weight][name].dtype == torch.float32
    else:
        with pytest.raises(ValueError, match=rf"{name} of a weight of \[30, 40\]"):
            player.restore(saved)


@pytest.mark.parametrize("position", [625, 10**6, -5, 1.5, "0"])
def test_a_generator_that_would_read_beyond_its_numbers(position):
    """numpy took any position, and a million killed the process."""
    kept = rng.state()
    name, keys, _, *rest = kept["numpy"]
    with pytest.raises(ValueError, match="no position"):
        rng.restore(kept | {"numpy": [name, keys, position, *rest]})
    rng.restore(kept)
