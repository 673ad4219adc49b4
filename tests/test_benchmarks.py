"""Benchmarks build data and networks by hand: each still fits the house, two steps of it."""

import sys

import pytest
import torch

from tests.conftest import REPOSITORY


@pytest.fixture
def benchmarks(monkeypatch):
    """Their folder can be imported from, as it can where they run."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts" / "benchmarks"))
    yield
    for name in set(sys.modules) - before:
        if "benchmarks" in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


FEW = ["trainer.steps=2", "trainer.validate_every=2", "trainer.device=cpu"]


def test_windows_of_counts(benchmarks):
    import ours

    data = ours.windows(torch.randn(42, 3), torch.ones(40, 2), history=2)
    assert data.train.take(torch.arange(40))[0].shape == (40, 3, 3)
    run = ours.train(["data=spikes", "model=mlp", "model.width=4", "trainer.batch=8", *FEW], data)
    assert run.step == 2 and all(run.seconds >= 0)


def test_photos_of_two_seasons(benchmarks):
    import ours
    import seasons

    small = ["loss=cyclegan", "model.width=4", "model.blocks=1", "loss.discriminator.width=4", "trainer.batch=1"]
    run = ours.train(["data=seasons", *small, *FEW], seasons.photos(32), metrics=ours.Unexamined())
    assert run.step == 2 and all(run.seconds >= 0)


def test_moments_of_samples(benchmarks, monkeypatch):
    import moments

    monkeypatch.setattr(moments, "BINS", 3000)
    monkeypatch.setattr(moments, "COVARIATES", 4)
    x, y = moments.drawn(white=False, neurons=1)
    seconds, cost = moments.expected(x, y, white=False)
    assert all(seconds >= 0) and 0.5 < cost < 2


def test_rows_of_a_table(benchmarks, monkeypatch, tmp_path):
    pytest.importorskip("pyarrow", reason="tables need pandas and pyarrow")
    monkeypatch.setenv("DLTHINK_ROWS", "900")
    import ours
    import tables

    from dlthink.data.tables.reals import Reals

    tables.drawn(tmp_path / "table.parquet")
    data = Reals(str(tmp_path / "table.parquet"), target="y", baselines=["constant"])
    run = ours.train([*tables.WORDS, *FEW], data, metrics=ours.Unexamined())
    _, net = tables.by_hand(data.train, run.loss.mean.item(), run.loss.std.item())
    assert sum(p.numel() for p in net.parameters()) == sum(p.numel() for p in run.model.parameters())
