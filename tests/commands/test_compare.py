"""`dlthink compare`: hand-computed means and standard errors, what tells runs apart, and every bad input."""

import csv
import json
import math
import os
import time

import pytest
import yaml

from tests.conftest import SMALL, refused
from tests.test_light import loaded

DEFAULTS = {
    "seed": 0,
    "trainer": {"epochs": 30},
    "loss": {"_target_": "dlthink.losses.counts.poisson.Poisson"},
    "data": {"fold": 0, "bin": 0.05, "path": None},
}
TYPED_AS = {
    "poisson": {"_target_": "dlthink.losses.counts.poisson.Poisson"},
    "huber": {"_target_": "Huber", "delta": 1.0},
}
BEST = ["log_score", "max"]


@pytest.fixture
def made(tmp_path):
    """`made(folder, numbers, "loss=huber", ...)` writes a run's folder as if `dlthink train` had."""

    def make(folder, numbers, *words, best=BEST, targets=None, **changed):
        config, choices = json.loads(json.dumps(DEFAULTS)), {"data": "spikes", "loss": "poisson"}
        for word in words:
            key, _, value = word.partition("=")
            if key in choices or key == "experiment":
                choices[key] = value
                config |= {key: dict(TYPED_AS[value])} if key == "loss" else {}
                continue
            *parents, name = key.split(".")
            node = config
            for parent in parents:
                node = node[parent]
            node[name] = yaml.safe_load(value)
        for key, value in changed.items():  # settings that nobody typed
            part, _, name = key.partition("__")
            config[part][name] = value
        place = tmp_path / folder
        place.mkdir(parents=True)
        (place / "config.yaml").write_text(yaml.safe_dump(config))
        story = {"choices": choices, "command": ["dlthink", "train", *words]}
        story |= ({"best": best} if best else {}) | ({"targets": targets} if targets else {})
        (place / "provenance.json").write_text(json.dumps(story))
        if numbers is not None:
            (place / "metrics.json").write_text(json.dumps({"val": dict.fromkeys(numbers, 7.0), "test": numbers}))
        return place

    return make


def rows(out):
    """{label: cells} of the printed table; a cell is `mean +- error` or a mean. Arrows are left out."""
    table, _, _ = out.replace(" ↑", "").replace(" ↓", "").partition("\n\n")
    lines = [line for line in table.splitlines() if "  " in line]
    return {line.split("  ")[0]: [cell.strip() for cell in line.split("  ")[1:] if cell.strip()] for line in lines}


@pytest.fixture
def two_costs(made):
    """Two costs, three seeds; 1, 2, 6 has the mean 3 and the sd sqrt(7): the standard error is 1.5275."""
    for seed, (first, second) in enumerate([(1.0, 2.0), (2.0, 2.5), (6.0, 5.0)]):
        for name, score in ("poisson", first), ("huber", second):
            numbers = {"mae": 10 * score, "log_score": score, "mae_low": 0.0, "mae_high": 9.0}
            made(f"sweep/{name}{seed}", numbers, f"loss={name}", f"seed={seed}")


def test_mean_and_standard_error_of_each_group_by_hand(cli, two_costs):
    code, out, err = cli("compare", "sweep")
    assert code == 0 and err == ""
    table = rows(out)
    assert table["test"] == ["n", "log_score", "mae"]  # first what picked the checkpoint; no ends of intervals
    # 2, 2.5, 5: mean 19/6, squares 49/36 + 16/36 + 121/36 = 186/36, over 2 and 3: 0.9280
    assert table["loss=huber"] == ["3", "3.17 +- 0.93", "31.7 +- 9.3"]
    assert table["loss=poisson"] == ["3", "3.0 +- 1.5", "30 +- 15"]


def test_csv_has_all_digits_and_all_metrics(cli, two_costs, tmp_path):
    assert cli("compare", "sweep", "output=Größe 1.csv")[0] == 0
    with open(tmp_path / "Größe 1.csv", newline="", encoding="utf-8") as file:
        table = {row["loss"]: row for row in csv.DictReader(file)}
    ends = ["log_score_difference", "log_score_difference_low", "log_score_difference_high", "log_score_p"]
    assert list(table["huber"]) == ["loss", "n", "log_score", "log_score_se", "mae", "mae_se", *ends]
    assert [table["huber"][end] for end in ends] == [""] * 4  # the best has none to itself
    # poisson minus huber: -1, -0.5, 1: mean -1/6, error 0.6009, Student's t of 2 at 97.5 %: 4.3027
    assert [float(table["poisson"][end]) for end in ends[:3]] == pytest.approx([-0.16667, -2.7522, 2.4189], abs=1e-4)
    assert float(table["poisson"]["log_score_se"]) == pytest.approx(math.sqrt(7 / 3), rel=1e-12)
    assert float(table["huber"]["mae"]) == pytest.approx(190 / 6, rel=1e-12)
    assert not list(tmp_path.glob("*.tmp"))


def test_groups_are_compared_pair_by_pair_and_the_answer_is_a_sentence(cli, two_costs):
    answer = cli("compare", "sweep")[1].partition("\n\n")[2].splitlines()
    assert answer == [
        "log_score, difference to loss=huber, paired by 3 repetitions,",
        "in brackets a 95 % interval:",
        "  loss=poisson  -0.2 (-2.8 to 2.4)  cannot be told apart, p = 0.81",
        "loss=huber is ahead by log_score, but cannot be told from loss=poisson: not even 100 repetitions would.",
        "predict with loss=huber, by its best run on validation: dlthink predict run=sweep/huber0 input=FILE "
        "output=predicted.csv",
    ]
    # whether a high mae is good is not said by these runs: the first one is the reference, and there is no winner
    answer = cli("compare", "sweep", "metrics=mae")[1].partition("\n\n")[2].splitlines()
    assert answer[0].startswith("mae, difference to loss=huber") and len(answer) == 3


def test_the_group_to_compare_with_can_be_named(cli, two_costs):
    answer = cli("compare", "sweep", "to=loss=poisson")[1].partition("\n\n")[2].splitlines()
    assert answer[2:-1] == ["  loss=huber  +0.2 (-2.4 to 2.8)  cannot be told apart, p = 0.81"]
    assert cli("compare", "sweep", "to=poisson")[1].partition("\n\n")[2].splitlines() == answer
    refused(cli("compare", "sweep", "to=loss=poison"), "to=loss=poison", "did you mean loss=poisson?")


def test_better_is_smaller_where_the_runs_say_so_and_only_shared_repetitions_make_pairs(cli, made):
    for seed, (first, second) in enumerate([(1.0, 2.0), (3.0, 3.0), (9.0, 4.0), (0.0, None)]):
        made(f"runs/{seed}a", {"crps": first}, "loss=poisson", f"seed={seed}", best=["crps", "min"])
        if second is not None:
            made(f"runs/{seed}b", {"crps": second}, "loss=huber", f"seed={seed}", best=["crps", "min"])
    out = cli("compare", "runs")[1]
    assert list(rows(out)) == ["test", "loss=huber", "loss=poisson"]  # best first
    assert [cells[0] for cells in rows(out).values()] == ["n", "3", "4"]
    # -1, 0, 5: mean 4/3, sd 3.2146
    assert "  loss=poisson  +1.3 (-6.7 to 9.3)  cannot be told apart" in out and "paired by 3 repetitions" in out


def test_a_table_in_markdown(cli, two_costs, tmp_path):
    assert cli("compare", "sweep", "output=a.md")[0] == 0
    lines = (tmp_path / "a.md").read_text().splitlines()
    assert lines[:3] == [
        "| test | n | log_score ↑ | mae |",
        "|---|---|---|---|",
        "| loss=huber | 3 | 3.17 +- 0.93 | 31.7 +- 9.3 |",
    ]
    assert lines[-1].startswith("loss=huber is ahead by log_score")


@pytest.mark.parametrize(
    "word, begins", [("output=a.png", b"\x89PNG"), ("output=b.SVG", b"<?xml"), ("figure=c.pdf", b"%PDF")]
)
def test_a_picture_is_written_by_its_ending(cli, two_costs, tmp_path, word, begins):
    code, out, err = cli("compare", "sweep", word, "metrics=log_score,mae")
    assert code == 0 and err == "" and "loss=huber is ahead" in out
    assert (tmp_path / word.partition("=")[2]).read_bytes().startswith(begins)
    refused(cli("compare", "sweep", word, "over=loss,seed"), "over= makes all 6 finished runs repetitions")


def test_a_table_and_a_picture_of_it(cli, two_costs, tmp_path):
    assert cli("compare", "sweep", "output=a.csv", "figure=a.png")[0] == 0
    assert (tmp_path / "a.csv").stat().st_size and (tmp_path / "a.png").stat().st_size


def test_ten_folds_as_in_view_2(cli, made):
    scores = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99]
    for fold, score in enumerate(scores, 1):
        made(f"lfw/{fold}", {"eer": 0.1, "lfw_accuracy": score}, f"data.fold={fold}", best=None)
    table = rows(cli("compare", "lfw", "metrics=lfw_accuracy")[1])
    # 0.945, and 0.01 sqrt(82.5 / 9 / 10) = 0.00957
    assert table == {"test": ["n", "lfw_accuracy"], "all runs": ["10", "0.9450 +- 0.0096"]}


def test_a_single_run_has_a_mean_alone_and_val_is_the_other_split(cli, made):
    made("run", {"log_score": 0.123456789})
    assert rows(cli("compare", "run")[1])["all runs"] == ["1", "0.123457"]
    assert rows(cli("compare", "run", "split=val")[1]) == {"val": ["n", "log_score"], "all runs": ["1", "7"]}


@pytest.mark.parametrize(
    "values, shown",
    [
        ([0.5, 0.5], "0.5 +- 0"),
        ([1e-14, 3e-14], "2e-14 +- 1e-14"),
        ([1e12, 3e12], "2e+12 +- 1e+12"),
        ([1000.0, 3000.0], "2000 +- 1e+03"),
        ([0.5, None], "nan"),
        ([-0.68431, -0.68455], "-0.68443 +- 0.00012"),
    ],
)
def test_digits(cli, made, values, shown):
    for seed, value in enumerate(values):
        made(f"runs/{seed}", {"log_score": value}, f"seed={seed}")
    assert rows(cli("compare", "runs")[1])["all runs"] == ["2", shown]


# ---------------------------------------------------------------------------------------------- what tells them apart


def labels(result):
    code, out, _ = result
    assert code == 0
    return list(rows(out))[1:]


def test_a_choice_explains_what_it_brings_and_what_was_typed_is_told(cli, made):
    made("runs/0", {"log_score": 1.0}, "loss=poisson")
    made("runs/1", {"log_score": 1.0}, "loss=huber")
    assert labels(cli("compare", "runs")) == ["loss=poisson", "loss=huber"]
    made("runs/2", {"log_score": 1.0}, "loss=huber", "loss.delta=2.5")
    made("runs/10", {"log_score": 1.0}, "data.path=my file, 1.npz")
    assert labels(cli("compare", "runs")) == [
        "loss=poisson data.path=null",
        "loss=huber data.path=null loss.delta=1.0",
        "loss=huber data.path=null loss.delta=2.5",
        "loss=poisson data.path=my file, 1.npz",
    ]


def test_what_nobody_typed_is_told_unless_a_choice_explains_it(cli, made):
    made("runs/0", {"log_score": 1.0}, "loss=poisson")
    made("runs/1", {"log_score": 1.0}, "loss=huber", trainer__epochs=60)  # resumed for longer
    assert labels(cli("compare", "runs")) == ["loss=poisson trainer.epochs=30", "loss=huber trainer.epochs=60"]


def test_a_recipe_explains_what_it_sets(cli, made):
    made("runs/0", {"log_score": 1.0}, "experiment=long", trainer__epochs=60)
    made("runs/1", {"log_score": 1.0})
    assert labels(cli("compare", "runs")) == ["experiment=long", "without experiment"]


def test_over_says_what_repeats(cli, two_costs, made):
    assert labels(cli("compare", "sweep", "over=loss")) == ["seed=2", "seed=1", "seed=0"]  # best first
    assert labels(cli("compare", "sweep", "over=loss,seed")) == ["all runs"]
    assert len(labels(cli("compare", "sweep", "over="))) == 6
    for fold in range(2):
        made(f"folds/{fold}", {"log_score": 1.0}, f"data.fold={fold}")
    assert labels(cli("compare", "folds")) == ["all runs"]
    assert labels(cli("compare", "folds", "over=seed")) == ["data.fold=0", "data.fold=1"]


def test_runs_without_their_story_are_told_apart_by_their_configuration(cli, two_costs, tmp_path):
    for file in tmp_path.rglob("huber*/provenance.json"):
        file.unlink()
    code, out, _ = cli("compare", "sweep", "metrics=mae")
    assert code == 0 and [cells[0] for cells in rows(out).values()] == ["n", "3", "3"]
    assert "loss._target_=Huber loss.delta=1.0" in out


# -------------------------------------------------------------------------------------------------------- which metrics


def test_as_many_metrics_as_fit_and_a_line_for_the_rest(cli, made):
    own = [f"quite_long_name_{letter * 3}" for letter in "abcdefghij"]
    numbers = {name: 1.0 for name in own} | {f"{name}_lookup": 2.0 for name in own} | {"log_score": 3.0}
    made("runs/0", numbers, "loss=poisson")
    made("runs/1", numbers | {"epistemic": 1.0}, "loss=huber")
    out = cli("compare", "runs")[1]
    *table, first, second = out.partition("\n\n")[0].splitlines()
    shown = rows(out)["test"][1:]
    assert shown == ["log_score", *own[: len(shown) - 1]] and max(map(len, table)) <= 120 < len(table[0]) + 21
    said = f"{11 - len(shown)} more, by metrics=NAME,NAME: {', '.join(own[len(shown) - 1 :])}"
    assert f"{first} {second.strip()}" == said and max(len(first), len(second)) <= 120
    # asked for by name: a baseline, what not all have, and everything however wide
    table = rows(cli("compare", "runs", f"metrics=epistemic,{own[0]}_lookup")[1])
    assert table["loss=poisson"] == ["1", "nan", "2"] and table["loss=huber"] == ["1", "1", "2"]
    assert len(rows(cli("compare", "runs", f"metrics={','.join(numbers)}")[1])["test"]) == 22


# --------------------------------------------------------------------------------------------------------- which runs


def test_the_newest_sweep_is_the_default(cli, made, tmp_path):
    refused(cli("compare"), "outputs/multirun", "no sweep")
    for k, name in enumerate(["old", "new", "older"]):
        made(f"outputs/multirun/2026-01-01/{name}/0", {"log_score": float(k)})
        file = tmp_path / "outputs/multirun/2026-01-01" / name / "multirun.yaml"
        file.write_text("")
        os.utime(file, (0, time.time() - (0 if name == "new" else 100)))
    out = cli("compare")[1]
    assert out.splitlines()[0] == "outputs/multirun/2026-01-01/new:" and rows(out)["all runs"] == ["1", "1"]


def test_a_sweep_without_a_run_is_not_the_newest(cli, made, tmp_path):
    """A refused sweep leaves nothing; a stopped one, or one of an older version, may have left its file."""
    made("outputs/multirun/2026-01-01/old/0", {"log_score": 1.0})
    (tmp_path / "outputs/multirun/2026-01-01/old/multirun.yaml").write_text("")
    os.utime(tmp_path / "outputs/multirun/2026-01-01/old/multirun.yaml", (0, 0))
    code, _, err = cli("train", "-m", "data.fold=7,9", *SMALL)
    assert code == 2 and err.count("dlthink: data.fold=") == 2
    assert [place.name for place in tmp_path.glob("outputs/multirun/*/*")] == ["old"]
    empty = tmp_path / "outputs/multirun/2026-01-02/empty/0"
    empty.mkdir(parents=True)
    (empty.parent / "multirun.yaml").write_text("")
    assert cli("compare")[1].splitlines()[0] == "outputs/multirun/2026-01-01/old:"


def test_folds_that_dropped_different_targets_are_told_group_by_group(cli, made):
    for fold, units in enumerate([["0", "1"], ["0", "1", "2"], ["0", "1", "2"]]):
        made(f"p{fold}", {"log_score": 1.0}, f"data.fold={fold}", targets=units)
        made(f"h{fold}", {"log_score": 1.0}, f"data.fold={fold}", "loss=huber", targets=["0", "1"])
    code, _, err = cli("compare", ".")
    assert code == 0 and err.count("\n") == 1
    assert "loss=poisson: these runs have not all the same targets; left out: 2 in 1 of 3 (first p0)" in err
    made("p3", {"log_score": 1.0}, "data.fold=3")  # a run of before does not say
    assert cli("compare", ".")[2] == err


def test_unfinished_runs_and_repeats_are_counted_and_left_out(cli, made, two_costs):
    made("sweep/running", None, "loss=huber", "seed=3")
    made("sweep/diverged", None, "loss=huber", "seed=4")
    code, out, err = cli("compare", "sweep")
    assert code == 0 and err == "dlthink: runs left out: 2 not finished\n" and rows(out)["loss=huber"][0] == "3"
    again = made("sweep/a_again", {"log_score": 100.0}, "loss=huber", "seed=0")
    os.utime(again / "metrics.json", (0, time.time() + 10))
    code, out, err = cli("compare", "sweep")
    assert err == "dlthink: runs left out: 2 not finished, 1 with the very settings of a newer one\n"
    assert rows(out)["loss=huber"][:2] == ["3", "36 +- 32"]  # 100, 2.5, 5


def test_a_run_that_lies_below_two_of_the_folders_counts_once(cli, two_costs):
    code, out, err = cli("compare", "sweep", "./sweep/huber0", "sweep/huber1")
    assert code == 0 and err == "" and rows(out)["loss=huber"][0] == "3"


def test_folders_with_spaces_signs_and_other_letters(cli, made):
    made("Größe ö/a=b, c (1)/0", {"log_score": 1.0}, "data.path=Größe.npz")
    assert cli("compare", "Größe ö")[0] == 0
    made("seed=1/0", {"log_score": 1.0})
    code, out, _ = cli("compare", "Größe ö/a=b, c (1)", "seed=1")
    assert code == 0 and labels((code, out, "")) == ["data.path=null", "data.path=Größe.npz"][::-1]


@pytest.mark.parametrize(
    "words, says",
    [
        (["nowhere"], ["nowhere: there is no such folder"]),
        (["empty"], ["empty: no finished run in it"]),
        (["begun"], ["begun: no finished run in it (1 not finished)"]),
        (["sweep", "metrics=log_scor"], ["metrics=log_scor", "did you mean log_score?"]),
        (["sweep", "over=sed"], ["over=sed", "did you mean seed?"]),
        (["sweep", "split=train"], ["split=train", "test or val"]),
        (["sweep", "metric=mae"], ["metric", "did you mean metrics?"]),
        (["sweep", "data.path=x"], ["data.path=x", "neither a folder"]),
        (["loss=poisson,mse"], ["loss=poisson,mse", "neither a folder"]),
        (["run=sweep"], ["run=sweep: folders stand alone here: dlthink compare sweep"]),
        (["sweep", "output=table.txt"], ["output=table.txt", "CSV or MD or PNG or SVG or PDF is written"]),
        (["sweep", "figure=table.csv"], ["figure=table.csv", "PNG or SVG or PDF is written"]),
        (["sweep", "output=sweep"], ["output=sweep", "must be a file"]),
        (["sweep", "output=no/such.csv"], ["output=no/such.csv", "must be a file"]),
        (["sweep", "other"], ["no metric in common"]),
    ],
)
def test_bad_words(cli, two_costs, made, tmp_path, words, says):
    (tmp_path / "empty").mkdir()
    made("begun/0", None)
    made("other/0", {"eer": 1.0}, best=["eer", "min"])
    refused(cli("compare", *words), *says)


@pytest.mark.parametrize(
    "name, content",
    [
        ("metrics.json", b'{"val": {"mae": 1.0}, "test": {"mae"'),
        ("metrics.json", b""),
        ("metrics.json", b"\xff\xfe\x00"),
        ("metrics.json", b"[1, 2]"),
        ("metrics.json", b'{"val": {"mae": 1.0}}'),
        ("metrics.json", b'{"test": {"mae": "low"}}'),
        ("metrics.json", b'{"test": [1.0]}'),
        ("provenance.json", b"{"),
        ("provenance.json", b'{"choices": []}'),
        ("provenance.json", b'{"targets": 5}'),
        ("config.yaml", b"a: [b"),
        ("config.yaml", b"just words"),
    ],
)
def test_damaged_files(cli, two_costs, tmp_path, name, content):
    (tmp_path / "sweep" / "huber1" / name).write_bytes(content)
    refused(cli("compare", "sweep"), f"sweep/huber1/{name}")


def test_no_torch_is_loaded(two_costs, tmp_path):
    ((out, heavy),) = loaded([(["compare", "sweep"], {})], tmp_path)
    assert "loss=huber" in out and heavy == ["scipy"]


# -------------------------------------------------------------------------------------------------------- a real sweep


@pytest.mark.slow
def test_a_sweep_ends_with_how_to_compare_its_runs(cli, tmp_path):
    code, out, _ = cli("train", "-m", "loss=poisson,mse", "seed=0,1", "hydra.sweep.dir='my sweep'", *SMALL)
    assert code == 0 and out.splitlines()[-1] == "compare them: dlthink compare 'my sweep'"
    code, out, err = cli("compare", "my sweep")
    lines, table = out.splitlines(), rows(out)
    assert code == 0 and err == "" and table["test"][:2] == ["n", "log_score"]
    assert set(list(table)[1:3]) == {"loss=poisson", "loss=mse"} and table["loss=mse"][0] == "2"
    assert any("paired by 2 repetitions and 20 items" in line for line in lines)
    scores = [json.loads((tmp_path / f"my sweep/{k}-loss=poisson,seed={k}/metrics.json").read_text()) for k in (0, 1)]
    scores = [numbers["test"]["log_score"] for numbers in scores]
    mean, error = map(float, table["loss=poisson"][1].split(" +- "))
    assert mean == pytest.approx(sum(scores) / 2, abs=error / 10)
    assert error == pytest.approx(abs(scores[0] - scores[1]) / 2, rel=0.06)
    assert "compare them" not in cli("train", "-m", "seed=0", *SMALL)[1]  # a single run


def test_the_default_folder_of_a_sweep_is_the_one_named(cli):
    out = cli("train", "-m", "seed=0,1", *SMALL)[1]
    folder = out.splitlines()[-1].removeprefix("compare them: dlthink compare ")
    assert out.startswith("2 runs: how long all take is said when one has been trained\n0-seed=0:\n")
    assert os.path.isfile(f"{folder}/1-seed=1/metrics.json")
    assert cli("compare")[1].splitlines()[0] == f"{folder}:"


def test_a_run_says_whether_it_was_still_improving(cli, tmp_path):
    """Of 8 steps the last is the best; half as many were too few, and compare says so."""
    words = [*SMALL, "trainer.steps=8", "trainer.validate_every=2", "optim.lr=0.02"]
    assert cli("train", "-m", "loss=poisson,mse", "into=sweep", *words)[0] == 0
    for folder in (tmp_path / "sweep").glob("*/metrics.json"):
        training = json.loads(folder.read_text())["training"]
        assert training["steps"] == 8 and training["best"] == 8 and training["late_gain"] > 0
    assert "still improving on validation at their last steps: all 2 runs; more" in cli("compare", "sweep")[1].lower()


def test_a_picture_of_one_run_or_one_cost_says_what_it_lacks(cli, made):
    made("sweep/0", {"log_score": 1.0}, "loss=huber", "seed=0")
    code, _, err = cli("compare", "sweep", "figure=a.png")
    assert code == 2 and "there is one finished run, sweep/0: name others beside it" in err and "group" not in err
    made("sweep/1", {"log_score": 1.5}, "loss=huber", "seed=1")
    code, _, err = cli("compare", "sweep", "output=a.png")
    assert code == 2 and "all 2 finished runs are of one (loss=huber): train another beside it" in err
    assert cli("compare", "sweep", "over=", "figure=a.png")[0] == 0


# ----------------------------------------------------------------------------------------------- what a stranger wrote

STRANGE = {
    "a number beyond floats": '{"test": {"a": 1' + "0" * 400 + "}}",
    "infinity": '{"test": {"a": 1e999}}',
    "not a number": '{"test": {"a": NaN}}',
    "a switch": '{"test": {"a": true}}',
    "a word": '{"test": {"a": "1"}}',
    "a list": '{"test": [1]}',
    "nothing": '{"test": null}',
    "a long name": '{"test": {"' + "a_" * 500 + '": 1}}',
    "many names": json.dumps({"test": {f"a_{i}": i for i in range(20_000)}}),
    "no split": "{}",
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_figures_that_no_run_writes(cli, made, content):
    place = made("a", {"mae": 1.0})
    (place / "metrics.json").write_text(content)
    refused(cli("compare", place), "metrics.json", "damaged")


def test_many_names_take_no_time_that_grows_with_their_square(cli, made):
    place = made("a", {f"{'a_' * (i % 30)}{i}": 1.0 for i in range(9000)})
    code, out, err = cli("compare", place)
    assert code == 0 and "more, by metrics=NAME,NAME: " in out, err


def test_names_that_would_command_the_terminal(cli, made):
    for i, folder in enumerate("ab"):
        made(folder, {"\x1b[31mmae\x07": i, "\ud800": 1, "\u202emae": 1}, data__path=f"\x1b]0;owned\x07{i}")
    code, out, err = cli("compare", "a", "b", "over=seed")
    assert code == 0 and "\\x1b[31mmae\\x07" in out and "\\ud800" in out and "\\u202e" in out
    assert not {"\x1b", "\x07", "\ud800", "\u202e"} & set(out + err)


def test_a_curve_along_a_setting(cli, made, tmp_path):
    for seed in range(2):
        for share in (0.1, 0.5, 1.0):
            for name, factor in ("poisson", 1.0), ("huber", 2.0):
                numbers = {"log_score": -((share / factor) ** -0.5), "mae": 1.0}
                words = [f"loss={name}", f"trainer.epochs={share}", f"seed={seed}"]
                made(f"sweep/{name}{share}{seed}", numbers, *words)
    code, out, err = cli("compare", "sweep", "x=trainer.epochs", "y=log_score", "output=a.csv", "figure=a.png")
    assert code == 0 and err == "" and (tmp_path / "a.png").stat().st_size
    second, first, _, said = out.splitlines()
    assert first == "loss=poisson  log_score at trainer.epochs (runs)  0.1: -3.16228 (2), 0.5: -1.41421 (2), 1: -1 (2)"
    assert second.startswith("loss=huber") and len((tmp_path / "a.csv").read_text().splitlines()) == 7
    assert 1.8 < float(said.split()[2]) < 2.2 and "times as much as loss=poisson for the same log_score" in said
    refused(cli("compare", "sweep", "y=log_score"), "y=log_score", "x=data.fraction")
    refused(cli("compare", "sweep", "x=trainer.epochs", "metrics=mae"), "metrics=mae", "y=mae")
    refused(cli("compare", "sweep", "x=trainer.epochs", "y=ma"), "y=ma", "did you mean mae?")
    refused(cli("compare", "sweep", "x=trainer.epoch"), "x=trainer.epoch", "trainer.epochs")
    assert cli("compare", "sweep", "x=trainer.epochs", "output=a.md")[0] == 0
    lines = (tmp_path / "a.md").read_text().splitlines()
    assert lines[2] == "| loss=huber | 0.1 | 2 | -4.47214 | -4.47214 | -4.47214 |" and lines[-1] == said


def test_costs_on_several_data_sets_are_ranked(cli, made, tmp_path):
    for k, path in enumerate("abcd"):
        for name, score in ("poisson", 1.0), ("huber", 2.0):
            made(f"sweep/{path}{name}", {"log_score": score + 100 * k}, f"loss={name}", f"data.path={path}")
    code, out, err = cli("compare", "sweep", "output=ranks.csv", "figure=ranks.png")
    assert code == 0 and err == ""
    assert out.splitlines()[:2] == ["mean ranks over 4 data sets (1: best)", "  loss=huber    1.000  (1 1 1 1)"]
    assert "F(1, 3) = inf, p < 0.001" in out and (tmp_path / "ranks.png").stat().st_size
    assert (tmp_path / "ranks.csv").read_text().startswith("runs,mean_rank,data.path=a,data.path=b")
    assert cli("compare", "sweep", "across=data.path", "output=ranks.md")[1] == out
    head, _, first, *said = (tmp_path / "ranks.md").read_text().splitlines()
    assert head.startswith("| runs | mean_rank | data.path=a |")
    assert first == "| loss=huber | 1.000 | 1 | 1 | 1 | 1 |  |"
    assert [line for line in said if line][1:] == out.splitlines()[3:]
    assert len(labels(cli("compare", "sweep", "across="))) == 8  # each a group of its own
    refused(cli("compare", "sweep", "across=data.fold"), "across=data.fold", "loss, data.path")
    refused(cli("compare", "sweep", "sort=log_score"), "sort=log_score", "one data set")
    refused(cli("compare", "sweep", "across=loss,data.path"), "8 data sets: 1;", "2 groups and 3 data sets")


def test_groups_on_different_data_are_no_better_or_worse(cli, made, tmp_path):
    for target, score in ("a", 1.0), ("b", 5.0):
        for seed in range(3):
            words = [f"data.target={target}", "data.path=one.csv", f"seed={seed}"]
            made(f"sweep/{target}{seed}", {"log_score": score + 0.01 * seed**2}, *words)
    code, out, _ = cli("compare", "sweep", "output=a.csv")
    assert code == 0 and labels((code, out, "")) == ["data.target=b", "data.target=a"]
    assert out.splitlines()[-1].startswith("groups differ in data.target: figures on different data say nothing")
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == "data.target,n,log_score,log_score_se"
    refused(cli("compare", "sweep", "figure=a.png"), "groups differ in data.target", "across=")
    assert "best by log_score, beyond doubt" in cli("compare", "sweep", "across=")[1]


def test_a_sweep_over_problems_that_share_no_metric_is_no_failure(cli, made, tmp_path, capsys):
    from dlthink.commands.train import _say_how_to_compare

    made("sweep/0", {"log_score": 1.0})
    made("sweep/1", {"eer": 1.0}, best=["eer", "min"])
    assert cli("compare", "--help")[0] == 0  # the working folder
    _say_how_to_compare(tmp_path / "sweep")
    out = capsys.readouterr().out
    assert "note: these runs have no metric in common" in out and "dlthink compare sweep" in out
