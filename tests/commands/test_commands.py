"""The verbs, as typed."""

import csv
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
import yaml

from dlthink.config.compose import composed
from dlthink.files import downloads
from dlthink.files.lock import hold
from dlthink.runs import job as jobs
from dlthink.training.interrupt import Interrupt
from dlthink.training.logger import Logger
from tests.conftest import REPOSITORY, SMALL, refused

DLTHINK = [sys.executable, "-m", "dlthink"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY)}


def test_train_ends_with_the_table_and_the_folder(cli, tmp_path):
    code, out, err = cli("train", "into=here", *SMALL)
    lines = out.splitlines()
    assert code == 0 and lines[-1] == "run: here" and err == ""  # no bar where there is no terminal
    assert [line for line in lines if line.startswith("bits_per_spike ")] and lines.index("run: here") > 5
    metrics = json.loads((tmp_path / "here" / "metrics.json").read_text())["test"]
    start = next(k for k, line in enumerate(lines) if line.split() == ["test", "value"]) + 1
    shown = [line.replace(" ↑ ", " ").replace(" ↓ ", " ").split() for line in lines[start : start + len(metrics)]]
    assert {k: float(v) for k, v in shown} == pytest.approx(metrics, rel=1e-3)
    assert "log_score ↑" in out and lines[start + len(metrics)].startswith("  bits_per_spike   ")
    assert any(line.startswith("next: ") for line in lines)
    assert "tensorboard --logdir here;" in out


def test_tables_of_the_data_are_written_into_the_folder(cli, tmp_path, monkeypatch):
    rows = [["photo", "same as"], ["a, b.jpg", 'the "first"'], ["caf\udce9.jpg", 2]]  # a name that is no UTF-8
    monkeypatch.setattr("dlthink.data.recordings.spikes.Spikes.tables", {"clean.csv": rows}, raising=False)
    assert cli("train", "into=here", *SMALL)[0] == 0
    table = (tmp_path / "here" / "clean.csv").read_bytes()
    assert table == b'photo,same as\n"a, b.jpg","the ""first"""\ncaf\xe9.jpg,2\n'


def test_a_folder_that_holds_a_run_is_not_overwritten(cli, finished):
    before = (finished / "metrics.csv").read_bytes()
    refused(cli("train", f"into={finished}", *SMALL), "resume=")
    assert (finished / "metrics.csv").read_bytes() == before


def test_two_runs_never_share_a_folder(cli, tmp_path):
    for _ in range(2):
        assert cli("train", *SMALL)[0] == 0
    assert len(list((tmp_path / "outputs").glob("*/*/metrics.json"))) == 2


def test_sweep(cli, tmp_path):
    code, out, _ = cli("train", "-m", "loss=poisson,mse", "seed=0,1", "into=sweep", *SMALL)
    assert code == 0 and "run: " not in out and "\nbits_per_spike" not in out  # one table, of all runs
    names = [f"{i}-loss={loss},seed={i % 2}" for i, loss in enumerate(["poisson", "poisson", "mse", "mse"])]
    stories = [json.loads((tmp_path / "sweep" / name / "provenance.json").read_text()) for name in names]
    assert [s["choices"]["loss"] for s in stories] == ["poisson", "poisson", "mse", "mse"]
    # a line at the end of each, and the answer at the end of all
    told = [line for line in out.splitlines() if " of 4 runs done after " in line]
    assert len(told) == 4 and "about" in told[0] and "left: 0-loss=poisson,seed=0 val log_score -" in told[0]
    assert "left" not in told[3]
    answer = out[out.index(told[3]) :]
    assert "paired by 2 repetitions and 20 items" in answer and "log_score ↑" in answer
    # it goes on after a stop: what finished is left alone, what was interrupted is resumed, the rest is run
    first, last = (tmp_path / "sweep" / names[k] for k in (0, 3))
    before = {name: (tmp_path / "sweep" / name / "metrics.json").read_text() for name in names}
    kept = (first / "checkpoints" / "best.pt").stat().st_mtime_ns
    (tmp_path / "sweep" / names[1] / "metrics.json").unlink()
    shutil.rmtree(last)
    code, again, _ = cli("train", "-m", "resume=sweep")
    assert code == 0 and "4 of 4 runs done" in again and again.count("was there") == 2
    said = "4 runs, 2 of them finished; how long the other 2 take is said when one of them has been trained"
    assert again.startswith(f"{said}\n")
    assert f"\n{names[1]}:\n" in again and f"\n{names[3]}:\n" in again  # what goes on, and what begins, is named
    assert (first / "checkpoints" / "best.pt").stat().st_mtime_ns == kept
    assert {name: (tmp_path / "sweep" / name / "metrics.json").read_text() for name in names} == before
    refused(cli("train", "-m", "resume=sweep", "seed=5"), "seed=5", "goes on as it began")
    refused(cli("train", "-m", f"resume=sweep/{names[0]}"), "not the folder of a sweep")
    # a run that was begun when trainer=smoke, or a default, said something else
    config = first / "config.yaml"
    config.write_text(config.read_text().replace("  steps: 6", "  steps: 5"))
    code, out, err = cli("train", "-m", "resume=sweep")
    assert code == 2 and "began with another configuration" in err and "(trainer.steps was 5, is 6)" in err
    assert "1 of 4 runs done" in out and "2 of 4 runs done" not in out
    file = tmp_path / "sweep" / "sweep.json"
    file.write_text(file.read_text().replace("poisson", "huber"))
    refused(cli("train", "-m", "resume=sweep"), "sweep.json", "was not written here")


def test_two_sweeps_in_one_folder(cli, tmp_path):
    words = ["train", "-m", "seed=0,1", "into=sweep", *SMALL]
    assert cli(*words)[0] == 0
    before = sorted(tmp_path.rglob("*"))
    code, again, _ = cli(*words)
    assert code == 0 and again.count("was there") == 2
    refused(cli(*words, "loss=mse"), "sweep: holds another sweep (they differ in loss=mse)", "-m resume=sweep")
    with hold(tmp_path / "sweep"):
        refused(cli(*words), f"sweep: process {os.getpid()} on", "is training here")
    refused(cli("train", "-m", "seed=0,1", "into=new", "data=spikz"), "spikz")
    assert sorted(tmp_path.rglob("*")) == before


def test_two_runs_of_a_sweep_never_share_a_folder(cli, tmp_path):
    code, _, err = cli("train", "-m", "seed=0,1", "into=sweep", "hydra.sweep.subdir=same", *SMALL)
    assert code == 2 and "sweep/same: holds a run already" in err


def test_a_refused_run_does_not_stop_the_sweep(cli, tmp_path):
    code, out, err = cli("train", "-m", "data.bin=0,0.05", "into=sweep", *SMALL)
    assert code == 2 and "data.bin=0" in err and out.count(" runs done ") == 2
    assert sorted(p.name for p in (tmp_path / "sweep").iterdir()) == ["1-data.bin=0.05", "multirun.yaml", "sweep.json"]


def test_what_cannot_be_trained_is_refused_before_a_sweep_begins(cli, tmp_path):
    """A cost of one's own is imported for it. Whoever searches is told before the first trial, too."""
    (tmp_path / "own.py").write_text(
        "from torch import nn\nclass Mine(nn.Module):\n    targets, outputs_per_target = {'reals'}, 1\n"
        "    def forward(self, out, y): return {'d': (out - y).square().mean()}\n"
        "    def predict(self, out): return {'mean': out}\n"
    )
    words = ["loss=mse,poisson,own", "seed=0,1", "into=new", *SMALL]
    for line in (["train", "-m", *words], ["search", *words]):
        refused(cli(*line), "loss=own is for reals, the data has counts; ", "costs that fit: categorical", "poisson")
    refused(cli("train", "-m", "trainer.steps=1,some", "into=new", *SMALL[:4]), "trainer.steps=some", "a whole number")
    refused(
        cli("train", "-m", "loss=mse,student_t", "loss.df=3,4", "into=new", "data=molecules"), "loss=mse: loss.df: "
    )
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == ["own.py"]


def test_a_sweep_may_end_at_its_first_failure(cli, tmp_path):
    code, out, err = cli("train", "-m", "data.bin=0,0.05", "fail_fast=true", "into=sweep", *SMALL)
    assert code == 2 and "data.bin=0" in err and "runs done" in out and not (tmp_path / "sweep").exists()
    refused(cli("train", "-m", "seed=0,1", "fail_fast=yes"), "fail_fast=yes", "true or false")
    refused(cli("train", "fail_fast=true"), "fail_fast=true", "add -m")


def test_a_mistake_of_ours_in_one_run_leaves_out_no_other(cli, monkeypatch):
    train = jobs._train

    def wrong(config, *of):
        return 1 / 0 if config.seed == 0 else train(config, *of)

    monkeypatch.setattr(jobs, "_train", wrong)
    code, out, err = cli("train", "-m", "seed=0,1", "into=sweep", *SMALL)
    assert code == 1 and "ZeroDivisionError" in err and "2 of 2 runs done" in out
    assert err.splitlines()[-1] == "dlthink: 1 of 2 runs failed: 0-seed=0"


def test_a_launcher_that_refuses_its_settings(cli, tmp_path, monkeypatch):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="pip install 'dlthink[sweep]'")
    monkeypatch.setattr("dlthink.runs.worker.fork_once", lambda n_jobs: None)
    words = ["train", "-m", "hydra/launcher=joblib", "seed=0,1"]
    for setting in "batch_size=0", "pre_dispatch=0":
        refused(cli(*words, f"hydra.launcher.{setting}", "hydra.launcher.n_jobs=2"), "hydra/launcher=joblib: ")
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_runs_side_by_side_return_the_worst_exit_code(tmp_path):
    """In processes of their own, of which nothing else comes back."""
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="pip install 'dlthink[sweep]'")
    words = ["train", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "data.bin=0,-1", "into=sweep"]
    done = subprocess.run([*DLTHINK, *words], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 2 and "data.bin=0" in done.stderr and "data.bin=-1" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_run_that_is_killed_among_others_is_told(tmp_path):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="pip install 'dlthink[sweep]'")
    (tmp_path / "own.py").write_text(
        "import os\nfrom torch import nn\nclass Mine(nn.Module):\n    targets, outputs_per_target = {'counts'}, 1\n"
        "    def forward(self, out, y): os.kill(os.getpid(), 9)\n"
        "    def predict(self, out): return {'rate': out.exp()}\n"
    )
    words = ["train", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "loss=own", "seed=0,1", *SMALL]
    done = subprocess.run([*DLTHINK, *words], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 2 and "a run of the sweep was killed" in done.stderr.splitlines()[-1]


def test_the_latest_run_wherever_a_run_is_named(cli):
    assert cli("train", *SMALL)[0] == 0
    folder = cli("train", *SMALL)[1].splitlines()[-1].removeprefix("run: ")
    assert cli("evaluate", "run=latest", "output=a.json")[0] == 0
    assert cli("evaluate", f"run={folder}", "output=b.json")[0] == 0
    assert cli("train", "resume=latest", "trainer.steps=7")[1].splitlines()[-1] == f"run: {folder}"
    code, out, _ = cli("compare", "latest")
    assert code == 0 and "log_score" in out
    with open("a.json") as one, open("b.json") as other:
        assert one.read() == other.read()


def test_choices_suit_the_data_and_the_command_line_wins(cli):
    code, out, _ = cli("train", "--cfg", "job")
    assert code == 0 and yaml.safe_load(out)["data"]["_target_"].endswith("Spikes")
    chosen = composed(["data=grasshopper"], {})[0]
    assert chosen.loss._target_.endswith("Poisson") and chosen.data.bin == 0.001
    won = composed(["data=spikes", "model=glm", "loss=mse", "trainer=smoke", "optim=sgd"], {})[0]
    assert [won[p]._target_.split(".")[-1] for p in ("model", "loss", "optim")] == ["GLM", "MSE", "SGD"]
    assert won.trainer.steps == 6
    full = composed(["trainer=lbfgs"], {})[0]
    assert full.optim._target_ == "torch.optim.LBFGS" and full.trainer.batch is None
    for words in (["data=table"], ["experiment=grasshopper_gru"], ["data=table", "experiment=uci"]):  # suit AdamW, say
        assert composed([*words, "trainer=lbfgs"], {})[0].optim._target_ == "torch.optim.LBFGS", words
    assert composed(["data=table"], {})[0].optim._target_ == "torch.optim.AdamW"
    assert composed(["trainer=lbfgs", "optim=adam"], {})[0].optim._target_ == "torch.optim.Adam"


@pytest.mark.parametrize("split", ["test", "val"])
def test_evaluate_equals_the_end_of_training_digit_for_digit(cli, finished, split):
    code, out, _ = cli("evaluate", f"run={finished}", f"split={split}", "output=again.json")
    assert code == 0
    with open("again.json") as file:
        assert json.load(file) == json.loads((finished / "metrics.json").read_text())[split]
    lines = out.splitlines()
    notes = [line for line in lines if line.startswith("note: ")]
    assert lines[len(notes)].split() == [split, "value"]
    assert [note for note in notes if note.startswith("note: read 4 units")]  # what train says of its data


def test_settings_of_training_are_no_word_of_an_examination(cli, finished, tmp_path):
    for setting in ("optim.lr=3", "trainer.steps=5", "trainer.l2=0.1"):
        refused(cli("evaluate", f"run={finished}", setting), f"{setting.partition('=')[0]}: is a setting of training")
    asked = ["predict", f"run={finished}", "input=x.npz", "output=y.csv", "trainer.ema=0.9"]
    refused(cli(*asked), "trainer.ema: is a setting of training")
    assert cli("evaluate", f"run={finished}", "trainer.examine_batch=16", "trainer.device=cpu")[0] == 0


def test_another_ride_is_other_data(cli, finished):
    """Its neurons have other rates, and its blocks were never split into training and test."""
    for words in ["evaluate", f"run={finished}"], ["train", f"resume={finished}"]:
        refused(cli(*words, "data.seed=7"), "data.seed=7: the run was trained with 0, which decides")
    code, _, err = cli("evaluate", f"run={finished}", "on=spikes", "data.seed=7", "name=other", "data.neurons=4")
    assert code == 0, err
    numbers = [json.loads((finished / f"metrics{which}.json").read_text())["test"] for which in ("", "_other")]
    assert numbers[0] != numbers[1]


@pytest.fixture
def recording(tmp_path):
    """The user's own file: a few minutes of two covariates and three units."""
    rng = np.random.default_rng(0)
    times = np.arange(0, 120, 0.02)
    covariates = np.c_[np.sin(times), np.cos(0.3 * times)] + 0.05 * rng.normal(size=(len(times), 2))
    spikes = [
        np.flatnonzero(rng.random(len(times)) < 0.1 * np.exp(0.8 * covariates[:, i % 2])) * 0.02 for i in range(3)
    ]
    path = tmp_path / "mine.npz"
    np.savez(
        path,
        spike_times=np.concatenate(spikes),
        spike_units=np.repeat(["a", "b", "c"], [len(s) for s in spikes]),
        covariates=covariates,
        covariate_times=times,
    )
    return path


def test_own_recording_from_training_to_predictions(cli, recording, tmp_path):
    words = ["data=recording", f"data.path={recording}", "into=run", "model.width=8", "trainer=smoke"]
    words += ["trainer.device=cpu"]
    assert cli("train", *words)[0] == 0
    code, out, _ = cli("predict", "run=run", f"input={recording}", "output=rates.csv")
    assert code == 0 and "rates.csv" in out
    with open("rates.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["time", "rate[a]", "rate[b]", "rate[c]"]
    assert len(rows) in (2389, 2390)  # of 2400 bins, all that have a whole window
    assert float(rows[1]["time"]) - float(rows[0]["time"]) == pytest.approx(0.05)
    # the same numbers as the network gives on the prepared bins
    from dlthink.data.recordings.recording import Recording

    saved = torch.load(tmp_path / "run" / "checkpoints" / "best.pt", weights_only=True)
    data = Recording(path=str(recording), state=saved["data"])
    from dlthink.losses.counts.poisson import Poisson
    from dlthink.models.mlp import MLP

    model, loss = MLP(2, 3, 11, width=8), Poisson(3)
    model.load_state_dict(saved["model"])
    loss.load_state_dict(saved["loss"])
    with torch.no_grad():
        expected = loss.predict(model.eval()(data.train.take(torch.arange(5))[0]))["rate"]
    got = [[float(row[f"rate[{u}]"]) for u in "abc"] for row in rows[:5]]
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5)


def test_paths_with_spaces_and_other_letters(cli, recording, tmp_path):
    place = tmp_path / "Größe ö" / "a=b, c (1)"
    place.mkdir(parents=True)
    file = recording.rename(place / "mine 1.npz")
    words = ["data=recording", f"data.path={file}", f"into={place}/run", "model.width=8", "trainer=smoke"]
    code, _, err = cli("train", *words)
    assert code == 0, err
    assert cli("evaluate", f"run={place}/run")[0] == 0
    code, _, err = cli("predict", f"run={place}/run", f"input={file}", f"output={place}/rates 1.csv")
    assert code == 0 and (place / "rates 1.csv").exists(), err


@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on(cli, tmp_path):
    words = ["train", "into=run", "data.minutes=2", "data.neurons=4", "trainer.epochs=100000"]
    words += ["trainer.validate_every=100000", "trainer.save_minutes=0.001"]
    process = subprocess.Popen([*DLTHINK, *words], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (tmp_path / "run" / "checkpoints" / "last.pt").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "dlthink train resume=run" in err and "Traceback" not in err
    step = torch.load(tmp_path / "run" / "checkpoints" / "last.pt", weights_only=True)["step"]
    assert step > 0
    code, out, _ = cli("train", "resume=run", f"trainer.steps={step + 3}")
    assert code == 0 and out.splitlines()[-1] == "run: run"


def test_sigterm_saves_too(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(Logger, "scalars", lambda *_: signal.raise_signal(signal.SIGTERM))
    monkeypatch.setattr(
        Interrupt, "_note", lambda self, number, frame: setattr(self, "signal", number)
    )  # however often
    code, _, err = cli("train", "into=run", *SMALL)
    assert code == 143 and "dlthink train resume=run" in err
    assert torch.load(tmp_path / "run" / "checkpoints" / "last.pt", weights_only=True)["step"] == 2


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_is_stopped_while_it_writes_leaves_nothing(cli, finished, tmp_path, monkeypatch, number, code):
    def stop(*_):
        assert [file.name[0] for file in (tmp_path / "out").iterdir()] == ["."]
        signal.raise_signal(number)

    (tmp_path / "out").mkdir()
    monkeypatch.setattr("dlthink.files.atomic.os.replace", stop)
    here = signal.getsignal(number)
    if here == signal.SIG_IGN:  # a job in the background is begun deaf to Ctrl-C
        signal.signal(number, signal.default_int_handler)
    before = signal.getsignal(number)
    ended, _, err = cli("evaluate", f"run={finished}", "output=out/figures.json")
    after = signal.getsignal(number)
    signal.signal(number, here)
    assert (ended, err) == (code, "dlthink: stopped\n") and not list((tmp_path / "out").iterdir())
    assert after == before


def test_a_damaged_last_checkpoint_falls_back_and_says_so(cli, finished, tmp_path):
    shutil.copytree(finished, "run")
    last = tmp_path / "run" / "checkpoints" / "last.pt"
    last.write_bytes(last.read_bytes()[:1000])
    code, out, err = cli("train", "resume=run")
    assert code == 0 and "last.pt" in err and "Going on from" in err and "run: run" in out


# ------------------------------------------------------------------------------------------------------------ fetch


class Shop(http.server.SimpleHTTPRequestHandler):
    """A server that can resume, unless it is told not to, and can break off after some bytes."""

    content, give, asked, resumes = b"", None, [], True

    def do_GET(self):
        span = self.headers.get("Range") if self.resumes else None
        begin = int(span.removeprefix("bytes=").rstrip("-")) if span else 0
        type(self).asked.append(begin)
        if span and begin >= len(self.content):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(self.content) - begin))
        self.end_headers()
        end = len(self.content) if self.give is None else begin + self.give
        self.wfile.write(self.content[begin:end])

    def log_message(self, *_):
        pass


@pytest.fixture
def shop(monkeypatch, tmp_path):
    Shop.content, Shop.give, Shop.asked, Shop.resumes = os.urandom(300_000), None, [], True
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = downloads.File(f"http://127.0.0.1:{server.server_port}/ride.bin", hashlib.sha256(Shop.content).hexdigest())
    monkeypatch.setitem(downloads.DOWNLOADS, "ride", downloads.Download((file,), "free", "dlthink train"))
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "data"))
    yield Shop
    server.shutdown()


def test_fetch(cli, shop, tmp_path):
    code, out, _ = cli("fetch", "ride")
    path = tmp_path / "data" / "ride" / "ride.bin"
    assert code == 0 and str(path) in out and path.read_bytes() == shop.content
    assert cli("fetch", "ride")[0] == 0 and len(shop.asked) == 1  # what is there is not asked for again


def test_fetch_goes_on_where_it_broke_off(cli, shop, tmp_path):
    shop.give = 200_000
    code, _, err = cli("fetch", "ride")
    assert code == 2 and "what has come is kept" in err
    shop.give = None
    assert cli("fetch", "ride")[0] == 0
    assert shop.asked[0] == 0 and shop.asked[-1] > 0
    assert (tmp_path / "data" / "ride" / "ride.bin").read_bytes() == shop.content


@pytest.mark.parametrize("kept, resumes", [(1000, False), (300_000, True)], ids=["cannot resume", "all is there"])
def test_fetch_goes_on_whatever_the_server_answers(cli, shop, tmp_path, kept, resumes):
    folder = tmp_path / "data" / "ride"
    folder.mkdir(parents=True)
    (folder / "ride.bin.part").write_bytes(shop.content[:kept])
    shop.resumes = resumes
    assert cli("fetch", "ride")[0] == 0
    assert (folder / "ride.bin").read_bytes() == shop.content and not (folder / "ride.bin.part").exists()


def test_fetch_refuses_another_file(cli, shop, tmp_path):
    shop.content = b"something else"
    code, _, err = cli("fetch", "ride")
    assert code == 2 and "ride.bin" in err
    assert not (tmp_path / "data" / "ride" / "ride.bin").exists()


def test_fetch_without_a_server_and_without_a_name(cli, shop):
    code, _, err = cli("fetch", "rid")
    assert code == 2 and "did you mean ride?" in err
    code, out, _ = cli("fetch")
    assert code == 0 and "linear_track" in out


def test_fetch_without_a_published_checksum_warns_when_the_file_changes(cli, shop, tmp_path, monkeypatch):
    address = downloads.DOWNLOADS["ride"].files[0].url
    file = downloads.File(f"{address}/download", None, "grows.sd")
    assert file.name == "grows.sd"
    monkeypatch.setitem(downloads.DOWNLOADS, "grows", downloads.Download((file,), "free", "dlthink train"))
    folder = tmp_path / "data" / "grows"
    first = shop.content
    code, out, _ = cli("fetch", "grows")
    assert code == 0 and (folder / "grows.sd").read_bytes() == first
    assert hashlib.sha256(first).hexdigest() in out and "none is published" in out and "warning" not in out
    assert "warning" not in cli("fetch", "grows")[1] and len(shop.asked) == 1
    (folder / "grows.sd").unlink()
    shop.content = b"a newer edition"
    code, out, _ = cli("fetch", "grows")
    assert code == 0 and "warning" in out and hashlib.sha256(first).hexdigest() in out
    assert "warning" not in cli("fetch", "grows")[1]


def test_settings_changed_on_resuming_are_the_run_s_from_then_on(cli, finished, tmp_path):
    shutil.copytree(finished, "here")
    before = json.loads((tmp_path / "here" / "provenance.json").read_text())
    assert cli("train", "resume=here", "trainer.steps=9")[0] == 0
    from omegaconf import OmegaConf

    assert OmegaConf.load(tmp_path / "here" / "config.yaml").trainer.steps == 9
    assert json.loads((tmp_path / "here" / "provenance.json").read_text()) == before
