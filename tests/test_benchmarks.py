"""Benchmarks build data and networks by hand: each still fits the house, two steps of it."""

import json
import sys

import pytest
import torch
from torch.distributions import Normal

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


def test_seconds_of_splits_that_both_have_learned(benchmarks, tmp_path, capsys):
    import uci

    for split in (0, 1):
        (tmp_path / "yacht" / f"split_{split}").mkdir(parents=True)
        ours = {"split": split, "cpu_seconds": 9.0, "wall_seconds": 10.0}
        (tmp_path / "yacht" / f"split_{split}" / "RESULT.json").write_text(json.dumps(ours))
    (tmp_path / "yacht" / "ngboost_1.json").write_text(json.dumps({"cpu_seconds": 3.0, "wall_seconds": 4.0}))
    uci.rows(tmp_path)
    row = json.loads(capsys.readouterr().out)
    assert row["name"].startswith("yacht") and row["ours"] == [[9.0, 10.0]] and row["peer"] == [[3.0, 4.0]]


def test_what_chemprop_says_of_test(benchmarks, tmp_path):
    import properties

    table = tmp_path / "esol.csv"
    table.write_text("smiles,logS,split_0\nC,9,train\nCC,1,test\nCO,2.5,test\n")
    command = tmp_path / "chemprop"
    single = "smiles,logS,logS_unc\nCC,1.5,4\nCO,2,0.25"
    both = "smiles,logS_model_0,logS_model_1,logS_unc_model_0,logS_unc_model_1\nCC,1,3,1,2\nCO,2,2,0.01,0.03"
    predict = f"echo '{single}' > $5; echo '{both}' > ${{5%.csv}}_individual.csv"
    command.write_text(f"#!/bin/sh\nif [ $1 = predict ]; then {predict}; fi\n")
    command.chmod(0o755)
    for members, means, variances in ((1, [1.5, 2.0], [4.0, 0.25]), (2, [2.0, 2.0], [2.5, 0.02])):
        seconds, numbers = properties.chemprop(str(command), table, 0, tmp_path, members, 50)
        assert (tmp_path / "test.csv").read_text().split() == ["smiles", "CC", "CO"]
        means, y = torch.tensor(means), torch.tensor([1.0, 2.5])
        nll = -Normal(means, torch.tensor(variances).sqrt()).log_prob(y).mean().item()
        assert numbers["rmse"] == pytest.approx((means - y).square().mean().sqrt().item()), members
        assert numbers["nll"] == pytest.approx(nll, rel=1e-5) and all(seconds >= 0), members
        assert numbers["coverage_90"] == (1.0 if members == 1 else 0.5), members
    line = properties.said_of(numbers | {"rmse": 0.1}, numbers)
    assert line.endswith("not better: nll")
