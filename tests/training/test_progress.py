"""What a run tells while it trains, and when it stops being finite."""

import math

import pytest
import torch

from dlthink.errors import Diverged
from dlthink.training.sampler import Sampler
from tests.training.toy import Line, Squared, fit


def test_a_cost_that_is_not_a_number_stops_the_run(tmp_path):
    class Bursts(Squared):
        seen = 0

        def forward(self, out, y):
            self.seen += self.training
            return {"fine": super().forward(out, y)["mse"], "burst": out.mean() * (math.nan if self.seen == 27 else 1)}

    data = Line()
    with pytest.raises(Diverged) as error:
        fit(tmp_path, loss=Bursts(), data=data, steps=100, log_every=10, validate_every=10)
    text = str(error.value)
    assert "step 27" in text and "burst is nan" in text and "\n" not in text
    stream = iter(Sampler(data.train, 32, 0, torch.device("cpu")))
    assert ", ".join(map(str, [next(stream) for _ in range(27)][-1].tolist()[:8])) in text
    last = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)
    assert last["step"] == 20
    assert all(t.isfinite().all() for t in last["model"].values())


def test_what_a_cost_watches_is_logged_and_its_remark_is_said_once(tmp_path, capsys):
    class Wary(Squared):
        def watch(self, out, y):
            assert not out.requires_grad and out.shape == y.shape
            return {"largest": out.abs().max()}

        def remark(self, seen):
            return "too quiet" if seen["largest"] < 1e9 else None

    fit(tmp_path, loss=Wary(), steps=40, log_every=10)
    rows = [line.split(",") for line in (tmp_path / "metrics.csv").read_text().splitlines()]
    assert [row[0] for row in rows if row[2:4] == ["watch", "largest"]] == ["10", "20", "30", "40"]
    told = capsys.readouterr()
    assert (told.out + told.err).count("step 10: too quiet") == 1 and (told.out + told.err).count("too quiet") == 1


def test_without_a_terminal_a_line_says_step_cost_best_figure_and_time_left(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("dlthink.progress_bar.PACE", 0.0)  # at every step
    fit(tmp_path, steps=20, log_every=10, validate_every=10)
    first, *rest = (line for line in capsys.readouterr().err.splitlines() if line.startswith("step "))
    assert first.startswith("step 1 of 20 (5 %), 0 s left, mse ") and "best" not in first
    assert rest[-1] == "step 20: the end of training; examining validation and test ..."
    assert any(line.startswith("step 15 of 20 (75 %)") and ", val rmse " in line and ", best " in line for line in rest)


def test_a_run_that_patience_ends_says_what_follows_and_a_short_one_does_not(tmp_path, capsys, monkeypatch):
    fit(tmp_path / "short", steps=20)
    assert "examining" not in capsys.readouterr().err
    monkeypatch.setattr("dlthink.progress_bar.PACE", 0.0)
    fit(tmp_path / "patient", steps=2000, validate_every=5, patience=1)
    assert capsys.readouterr().err.count(": the end of training; examining validation and test ...") == 1
