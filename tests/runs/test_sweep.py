"""The folder of a sweep, and what lies in it while it runs."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
import torch

from dlthink.config.compose import composed
from dlthink.errors import BadInput, Terminated
from dlthink.files.lock import NAME
from dlthink.runs import sweep, worker
from dlthink.runs.folder import open_run
from dlthink.training.interrupt import Interrupt, tell


def test_its_folder_is_known_before_it_begins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(sweep.place(["seed=0,1"])).startswith("outputs/multirun/2")
    assert str(sweep.place(["hydra.sweep.dir='my sweep'"])) == "my sweep"
    assert len(str(sweep.place(["hydra.sweep.dir=a-${now:%H}"]))) == len("a-23")
    with pytest.raises(BadInput, match=r"hydra.sweep.dir=.*name the folder itself"):
        sweep.place(["hydra.sweep.dir=${seed}"])


@pytest.mark.parametrize("folder", ["it's", "$HOME", "a b,c=[d]{e}", "back\\", "ü"])
def test_a_folder_is_handed_on_whatever_letters_it_has(folder):
    word = sweep.into(sweep.Path(folder), ["hydra.sweep.dir=x"])[0].replace("hydra.sweep.dir", "+data.dir")
    assert composed(["data=spikes", word], {})[0].data.dir == folder


@pytest.mark.parametrize("launcher, stays", [("basic", False), ("joblib", False), ("slurm", True)])
def test_what_its_runs_say_stays_where_they_go_on_without_it(tmp_path, launcher, stays):
    """On a cluster, when the command that began it is stopped. Nothing lies in the working folder."""
    whole = tmp_path / "new" / "whole"
    with pytest.raises(Terminated), sweep.alone(whole, launcher) as file:
        these = sweep.Sweep(file, ["seed=0,1"], 2)
        these.begin()
        assert sorted(path.name for path in whole.iterdir()) == [sweep.ENDED, NAME]
        raise Terminated
    assert [path.name for path in tmp_path.rglob("*")] == (["new", "whole", sweep.ENDED] if stays else [])


def test_whoever_comes_second_takes_nothing_away(tmp_path):
    with sweep.alone(tmp_path / "whole", "basic") as file:
        sweep.Sweep(file, ["seed=0,1"], 2).begin()
        with pytest.raises(BadInput, match="is training here"), sweep.alone(tmp_path / "whole", "basic"):
            pass
        assert file.is_file()


def test_a_run_that_outlives_its_sweep_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv(sweep.PLACE, str(tmp_path / "whole" / sweep.ENDED))
    with pytest.raises(BadInput, match=r"this sweep was stopped.*-m resume=.*whole"):
        sweep.Sweep.current()


@pytest.fixture
def these(tmp_path):
    begun = sweep.Sweep(tmp_path / sweep.ENDED, ["seed=0,1,2,3"], 4, launcher=sweep.BESIDE)
    begun.begin()
    return begun


def test_what_is_left_is_judged_by_the_runs_that_took_their_time(these, monkeypatch):
    monkeypatch.setattr(sweep.time, "time", lambda: these.began + 60)
    assert these.ended(0, "0-seed=0") == "1 of 4 runs done after 60 s: 0-seed=0 was there"
    assert these.ended(2, "1-seed=1") == "2 of 4 runs done after 60 s: 1-seed=1 failed"  # its time says nothing
    assert these.ended(0, "2-seed=2", " val 1") == "3 of 4 runs done after 60 s, about 60 s left: 2-seed=2 val 1"
    assert these.failed() == ["1-seed=1"] and these.codes() == [0, 2, 0]


def test_runs_that_were_there_already_are_no_time_that_is_left(tmp_path, monkeypatch):
    """Whichever comes first: side by side, those that are there may be found later."""
    begun = sweep.Sweep(tmp_path / sweep.ENDED, ["seed=range(40)"], 40, launcher=sweep.BESIDE, there=36)
    begun.begin()
    monkeypatch.setattr(sweep.time, "time", lambda: begun.began + 60)
    assert begun.ended(0, "39", " val 1") == "1 of 40 runs done after 60 s, about 3 min left: 39 val 1"
    assert begun.ended(0, "0") == "2 of 40 runs done after 60 s, about 3 min left: 0 was there"
    assert begun.ended(0, "38", " val 1") == "3 of 40 runs done after 60 s, about 60 s left: 38 val 1"


def test_what_jobs_of_a_cluster_say_is_said_where_the_command_is(tmp_path, monkeypatch, capsys):
    begun = sweep.Sweep(tmp_path / sweep.ENDED, ["seed=0,1"], 2, fail_fast=True, launcher="slurm")
    begun.begin()
    monkeypatch.setattr(sweep.time, "time", lambda: begun.began + 60)
    job = replace(begun)  # as it knows the sweep in its own process
    with begun.followed():
        job.ended(0, "0-seed=0", " val 1")
        job.ended(2, "1-seed=1", why="dlthink: seed=1: is no good")
        job.stop(2)
    assert capsys.readouterr().out.splitlines() == [
        "1 of 2 runs done after 60 s, about 60 s left: 0-seed=0 val 1",
        "dlthink: seed=1: is no good",
        "2 of 2 runs done after 60 s: 1-seed=1 failed",
    ]
    assert begun.stopped() == 2 and begun.failed() == ["1-seed=1"]


def test_a_line_that_another_machine_has_begun_to_write_is_read_when_it_is_whole(tmp_path):
    begun = sweep.Sweep(tmp_path / sweep.ENDED, ["seed=0,1"], 2, launcher="slurm")
    begun.begin()
    begun.ended(0, "0-seed=0", " val 1")
    with begun.file.open("a") as file:
        file.write('{"stop"')
        file.flush()
        assert begun.codes() == [0] and begun.stopped() is None
        file.write(": 2}\n")
    assert begun.stopped() == 2


def test_a_sweep_is_no_run_and_says_what_can_be_done_with_it(tmp_path):
    (tmp_path / "0-seed=0").mkdir()
    (tmp_path / "0-seed=0" / "config.yaml").touch()
    with pytest.raises(BadInput, match=r"holds several runs; name one of them, .*0-seed=0; .*dlthink train -m resume="):
        open_run(str(tmp_path))


def test_a_sweep_goes_on_elsewhere_with_the_same_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "outputs/multirun/a/b"
    folder.mkdir(parents=True)
    (folder / "multirun.yaml").touch()
    begun = ["seed=0,1", "hydra/launcher=slurm", "hydra.launcher.partition=gpu"]
    sweep.keep(folder, begun)
    here = f"hydra.sweep.dir='{folder}'"
    asked = ["-m", f"resume={folder}"]
    assert sweep.words_to_go_on(asked) == [*begun, here]
    beside = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "fail_fast=true"]
    assert sweep.words_to_go_on([*asked, *beside]) == ["seed=0,1", here, *beside]
    more = ["hydra.launcher.partition=cpu"]
    assert sweep.words_to_go_on([*asked, *more]) == ["seed=0,1", "hydra/launcher=slurm", here, *more]
    assert sweep.words_to_go_on(["-m", "resume=latest", "fail_fast=true"])[-1] == "fail_fast=true"
    assert sweep.began(folder, ["seed=0,1", "hydra/launcher=joblib"])  # the same command, typed again
    with pytest.raises(BadInput, match=r"holds another sweep \(they differ in seed=0,1\)"):
        sweep.began(folder, ["seed=0,2", "hydra/launcher=slurm"])
    with pytest.raises(BadInput, match=r"trainer.steps=5: a sweep goes on as it began, but for hydra/launcher="):
        sweep.words_to_go_on([*asked, "trainer.steps=5"])


def test_a_signal_is_told_to_the_runs_and_the_same_again_ends_the_command(these):
    reached = []
    with pytest.raises(Terminated), these.heard():
        signal.raise_signal(signal.SIGTERM)
        reached.append(these.stopped())
    assert reached == [143] and these.over()
    with pytest.raises(KeyboardInterrupt), these.heard():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError


@pytest.mark.parametrize("gone", [False, True])
def test_a_run_leaves_when_its_sweep_is_over_and_its_process_when_the_command_is_gone(these, monkeypatch, gone):
    command = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    before = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    left = []

    def leave(code):
        left.append(code)
        these.file.unlink()

    monkeypatch.setattr(worker, "EVERY", 0.01)
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(these, "command", command.pid)
    try:
        with pytest.raises(Terminated), worker.at_work(these):
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
            command.communicate() if gone else these.stop(1)
            while True:
                time.sleep(0.01)
        with Interrupt() as stop:
            tell(signal.SIGTERM)
            tell(signal.SIGTERM)  # is no second one
            assert stop.signal == signal.SIGTERM
        if not gone:
            these.file.unlink()
        for one in threading.enumerate():
            if one.name == f"watch {these.file}":
                one.join(60)
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        command.communicate()
    assert left == [143] * gone


def test_processes_take_turns_at_the_gpus(these, monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", asked.append)
    for process in 7, 8, 9, 8:
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        worker.take_turn(these.turn(), "auto")
    worker.take_turn(1, "cpu")
    worker.take_turn(1, "cuda:0")
    assert asked == [0, 1, 0, 1]


@pytest.mark.skipif(not os.path.isfile("/proc/self/stat"), reason="the system does not say what is a zombie")
def test_a_command_that_has_ended_is_gone_though_nobody_asked_for_its_code():
    """Who starts dlthink from a script of their own, and has not waited for it yet."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert sweep.alive(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not sweep.alive(process.pid)
    process.communicate()
    assert not sweep.alive(process.pid)
