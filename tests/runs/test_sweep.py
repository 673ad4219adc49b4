"""The folder of a sweep, and what lies in it while it runs."""

import pytest

from dlthink.config.compose import composed
from dlthink.errors import BadInput, Terminated
from dlthink.files.lock import NAME
from dlthink.runs import sweep


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
