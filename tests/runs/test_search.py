"""A search: what is drawn, what is remembered, and what ends it; training is a function with a known best place."""

import json
import math
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from dlthink.errors import BadInput, Terminated
from dlthink.runs.search import Search
from dlthink.runs.search_space import Space

SPACE = ["optim.lr=interval(1e-5,1)", "model.width=4,8", "model.depth=int(interval(1,9))"]


def error_of(lr, width, depth, seed=0):
    """Least at lr = 1e-2, width 8, depth 4."""
    return (math.log10(lr) + 2) ** 2 + (width == 4) + 0.1 * abs(depth - 4) + 0.01 * seed


def tried(folder):
    return json.loads(Path(folder, "search.json").read_text())["tried"]


def search(words, train, folder="found"):
    return Search(Space.of(words), Path(folder), train)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """What stands in for `dlthink train`; `lines` are its words each time, and a run is what `compare` reads of it."""
    monkeypatch.chdir(tmp_path)

    def fake(words):
        fake.lines.append(words)
        values = dict(word.split("=", 1) for word in words if "=" in word)
        lr, width, depth = float(values["optim.lr"]), int(values["model.width"]), int(values["model.depth"])
        sweep = "-m" in words
        for seed in values.get("seed", "0").split(",") if sweep else "0":
            place = tmp_path / values["into"] / (str(seed) if sweep else "")
            place.mkdir(parents=True)
            (place / "config.yaml").write_text(f"seed: {seed}\n")
            (place / "provenance.json").write_text(json.dumps({"best": ["mae", "min"], "choices": {}, "command": []}))
            numbers = {"mae": error_of(lr, width, depth, int(seed))}
            (place / "metrics.json").write_text(json.dumps({"val": numbers, "test": numbers}))
        return 0

    fake.lines = []
    return fake


def test_finds_what_is_best_and_says_that_it_was_chosen(trained, capsys):
    assert search([*SPACE, "loss=mse"], trained).run(40) == 0
    kept = tried("found")
    best = min(one["figure"] for one in kept)
    assert best < 0.35 < sorted(one["figure"] for one in kept)[20]
    said = capsys.readouterr().out
    assert f"{best:.6g}; chosen as the best, that flatters; its test mae: {best:.6g}" in said
    assert "train with it: dlthink train loss=mse optim.lr=0.0" in said and " model.width=8 model.depth=" in said
    widths = [word for line in trained.lines for word in line if word.startswith("model.width")]
    assert widths[20:].count("model.width=8") > 13  # it has learned


def test_a_trial_is_the_mean_over_its_seeds(trained):
    search([*SPACE, "seed=0,1,2"], trained).run(2)
    assert all(line[0] == "-m" and "seed=0,1,2" in line for line in trained.lines) and len(trained.lines) == 2
    kept = tried("found")[1]
    lr, width, depth = (float(word.partition("=")[2]) for word in kept["words"])
    assert kept["figure"] == pytest.approx(error_of(lr, width, depth) + 0.01)


def test_a_stop_changes_nothing(trained):
    search(SPACE, trained, "whole").run(14)
    for trials in (5, 12, 14):
        search(SPACE, trained, "parts").run(trials)
    whole, parts = tried("whole"), tried("parts")
    assert whole == parts and len({tuple(one["words"]) for one in whole}) == 14


def stopped_by_the_code(words):
    return 143


def stopped_by_the_end(words):
    raise SystemExit(143)


def stopped_between(words):
    raise Terminated


@pytest.mark.parametrize("stop", [stopped_by_the_code, stopped_by_the_end, stopped_between])
def test_a_trial_that_a_signal_stops_ends_the_search_and_does_not_count(trained, stop, capsys):
    """A trial that is gone on with returns 143, one that has begun ends with it."""
    search(SPACE, trained).run(1)
    with pytest.raises((SystemExit, Terminated)) if stop is not stopped_by_the_code else nullcontext() as ended:
        assert search(SPACE, stop).run(5) == 143
    told = capsys.readouterr().err or str(ended.value)
    assert "go on with it by the same words and into=found" in told and told.count("\n") < 2
    assert len(tried("found")) == 1


def test_trials_that_fail_are_told_and_bad_input_ends_it(trained, capsys):
    codes = iter([1, 1, 2])
    assert search(SPACE, lambda words: next(codes)).run(2) == 1
    assert "failed, see its log" in capsys.readouterr().out
    assert search(SPACE, lambda words: next(codes)).run(9) == 2


def test_a_narrow_interval_keeps_the_digits_that_tell_its_values_apart(trained):
    narrow = ["optim.lr=interval(0.123446,0.1234461)", *SPACE[1:]]
    search(narrow, trained).run(4)
    values = {float(one["words"][0].partition("=")[2]) for one in tried("found")}
    assert len(values) == 4 and all(0.123446 <= value <= 0.1234461 for value in values)


def test_a_figure_that_is_no_number_never_wins(trained, monkeypatch, capsys):
    figures = iter([None, 3.0, 2.0])  # as metrics.json says nan
    monkeypatch.setitem(globals(), "error_of", lambda *_: next(figures))
    assert search(SPACE, trained).run(3) == 0
    assert [one["figure"] for one in tried("found")] == [None, 3.0, 2.0]
    assert "trial 2, 2; chosen" in capsys.readouterr().out


def test_the_log_says_why_a_trial_failed_and_so_does_the_terminal(trained, capsys):
    assert search(SPACE, lambda words: print("the term mse is nan", file=sys.stderr) or 1).run(1) == 1
    assert "mse is nan" in Path("found/log.txt").read_text() and "mse is nan" in capsys.readouterr().err


def test_what_is_refused_at_once_leaves_no_folder(trained):
    assert search(SPACE, lambda words: 2).run(1) == 2
    assert not Path("found").exists()


def test_a_search_stopped_in_its_first_trial_takes_no_other_words(trained):
    def stopped(words):
        Path("found/trial-0").mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(SPACE, stopped).run(1)
    with pytest.raises(BadInput, match="another search lies here"):
        search([*SPACE, "loss=mse"], trained).run(1)


@pytest.mark.parametrize(
    "words, said",
    [
        (["loss=mse"], "nothing to search over"),
        (["seed=0,1"], "nothing to search over"),
        (["resume=found", SPACE[0]], "its own command"),
        (["loss=glob(*)"], "cannot be searched over"),
        ([SPACE[0], "hydra.sweep.dir=x"], "into=FOLDER"),
        (["optim.lr=interval(1,0.1)"], "above its beginning"),
        (["optim.lr=tag(log,interval(0,1))"], "a logarithm needs"),
        (["model.width=range(1,1)"], "no value at all"),
    ],
)
def test_refused(words, said):
    with pytest.raises(BadInput, match=said):
        Space.of(words)


@pytest.mark.parametrize(
    "kept, said",
    [
        ({"asked": []}, "another search lies here"),
        ({"best": ["mae", "least"]}, "damaged"),
        ({"tried": [{"words": ["x"], "figure": "low"}]}, "damaged"),
        ({"tried": [{"words": ["optim.lr=7", "model.width=4", "model.depth=1"], "figure": 1.0}]}, "not of this search"),
    ],
)
def test_what_lies_there_is_judged(trained, kept, said):
    search(SPACE, trained).run(1)
    file = Path("found/search.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | kept))
    with pytest.raises(BadInput, match=said):
        search(SPACE, trained).run(2)
    assert len(trained.lines) == 1


def test_a_folder_of_something_else_is_left_alone(trained, tmp_path):
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "thesis.tex").touch()
    with pytest.raises(BadInput, match="holds other things"):
        search(SPACE, trained).run(1)
    assert [path.name for path in (tmp_path / "found").iterdir()] == ["thesis.tex"]


def test_from_the_command_line(cli):
    words = ["optim.lr=interval(1e-3,1e-2)", "data.minutes=2", "data.neurons=4", "trainer=smoke", "model.width=8"]
    code, out, err = cli("search", "trials=1", "into=found", *words)
    assert code == 0 and "best of 1 trials by val log_score" in out and "note:" not in out
    code, out, err = cli("search", "trials=none", *words)
    assert code == 2 and "trials=none: must be a whole number" in err
    code, out, err = cli("search", "-m", *words)
    assert code == 2 and "-m: flags are of dlthink train" in err
    code, out, err = cli("search", "trials=2", "trials=3", *words)
    assert code == 2 and "trials=3: trials= is there already, trials=2" in err


def test_its_folder_is_judged_as_every_folder_that_is_written(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("dlthink.commands.train.main", lambda words: 2)
    (tmp_path / "thesis.tex").touch()
    for value, said in (
        ("thesis.tex", "is a file"),
        ("", "nothing stands behind"),
        ("thesis.tex/x", "thesis.tex is a file"),
    ):
        code, _, err = cli("search", f"into={value}", *SPACE)
        assert code == 2 and f"into={value}" in err and said in err, value
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "found").mkdir(parents=True)
    (tmp_path / "home" / "found" / "thesis.tex").touch()
    code, _, err = cli("search", "into=~/found", *SPACE)
    assert code == 2 and "holds other things" in err
