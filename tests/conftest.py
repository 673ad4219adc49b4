"""Ways to run dlthink in tests."""

import gc
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks; two spinning threads are slower than one

import pytest
import torch

from dlthink import efficientnet_lite
from dlthink.__main__ import main
from dlthink.training.logger import Logger
from tests.composed_once import composed_once

REPOSITORY = Path(__file__).parent.parent
SMALL = ["data.minutes=2", "data.neurons=4", "data.rate=12", "model.width=8", "trainer=smoke", "trainer.device=cpu"]

needs_lite1 = pytest.mark.skipif(not efficientnet_lite.installed(1), reason=efficientnet_lite.package(1))

torch.set_num_threads(1)


def pytest_collection_finish():
    """What is imported by now stays: the garbage collector need not walk through it, nor come as often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def refused(result, *words):
    """A call of `cli` that ended in one line, which has these words in it."""
    code, out, err = result
    assert code == 2
    assert err.count("\n") == 1 and err.startswith("dlthink: ") and "Traceback" not in err + out
    for word in words:
        assert word in err


@pytest.fixture(autouse=True)
def seeded():
    """First weights are the same whichever test came before; what a test is about draws from a generator of its own."""
    torch.default_generator.manual_seed(0)  # torch.manual_seed goes through every kind of device


@pytest.fixture
def drawn():
    """A test that asks for this gets the figures of training, too."""


@pytest.fixture(autouse=True)
def undrawn(request, monkeypatch):
    """Training draws no figures: they take half of a small run."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(Logger, "figures", lambda *_: None)


@pytest.fixture(scope="session", autouse=True)
def quick_composition():
    with composed_once():
        yield


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """`cli("train", ...)` in an empty working folder, in this process: (exit code, stdout, stderr).

    Hydra does not compose twice, the first time only to see whether the configuration asks for a sweep, which the
    command line does not let it.
    """
    monkeypatch.setattr("hydra._internal.hydra.Hydra.get_mode", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))

    def call(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a small finished run on the ride."""
    folder = tmp_path_factory.mktemp("finished")
    here = os.getcwd()
    os.chdir(folder)
    try:
        assert main(["train", "data=spikes", "hydra.run.dir=run", *SMALL]) == 0
    finally:
        os.chdir(here)
    return folder / "run"
