"""Tables of runs in documents: the numbers of metrics.json, the command that made them."""

import subprocess
import sys

from dlthink.runs.compare import comparison
from scripts.results_table import differences, table
from tests.commands.test_compare import made  # noqa: F401
from tests.conftest import REPOSITORY


def test_a_row_for_each_group_with_every_value_and_its_command(made, tmp_path):  # noqa: F811
    for seed, (first, second) in enumerate([(1.0, 2.0), (2.0, 2.5), (6.0, 5.0)]):
        for name, score in ("poisson", first), ("huber", second):
            made(f"{name}{seed}", {"log_score": score, "mae": 1 / 3}, f"loss={name}", f"seed={seed}")
    made("alone", {"log_score": 12345.678, "mae": 0.5}, "loss=poisson", "trainer.epochs=5")
    runs, _ = comparison.find([tmp_path], "test")
    made_lines = table(runs, ["log_score", "mae", "other"], ("seed",)).splitlines()
    assert made_lines[:2] == ["| command | `log_score` | `mae` | `other` |", "| --- | --- | --- | --- |"]
    assert set(made_lines[2:]) == {
        "| `dlthink train -m loss=poisson seed=0,1,2` | 1 2 6, mean 3 (SE 1.5) | 0.3333 0.3333 0.3333, mean 0.3333 "
        "(SE 0) | nan nan nan, mean nan (SE nan) |",
        "| `dlthink train -m loss=huber seed=0,1,2` | 2 2.5 5, mean 3.167 (SE 0.93) | 0.3333 0.3333 0.3333, mean "
        "0.3333 (SE 0) | nan nan nan, mean nan (SE nan) |",
        "| `dlthink train loss=poisson trainer.epochs=5` | 1.235e+04 | 0.5 | nan |",
    }


def test_rows_by_what_tells_groups_apart_with_their_differences(made, tmp_path):  # noqa: F811
    for seed, (first, second) in enumerate([(1.0, 2.0), (2.0, 2.5), (6.0, 5.0)]):
        for name, score in ("poisson", first), ("huber", second):
            made(f"{name}{seed}", {"log_score": score, "mae": 1 / 3}, f"loss={name}", f"seed={seed}")
    runs, _ = comparison.find([tmp_path], "test")
    # 2, 2.5, 5: mean 19/6, error 0.9280; poisson less huber: -1, -0.5, 1
    assert differences(runs, ["log_score", "mae"], ("seed",), "best", "test").splitlines() == [
        "| runs | `log_score` | `mae` | minus that of loss=huber |",
        "| --- | --- | --- | --- |",
        "| loss=huber | 3.17 +- 0.93 | 0.333333 +- 0 |  |",
        "| loss=poisson | 3.0 +- 1.5 | 0.333333 +- 0 | -0.2 (-2.8 to 2.4), cannot be told apart, p = 0.81 |",
    ]
    other = differences(runs, ["log_score"], ("seed",), "loss=poisson", "test").splitlines()
    assert other[2].endswith("| +0.2 (-2.4 to 2.8), cannot be told apart, p = 0.81 |")


def test_the_script_on_a_run(finished):
    command = [sys.executable, "scripts/results_table.py", str(finished), "--digits", "3"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    head, _, row = done.stdout.splitlines()
    assert head.startswith("| command | `log_score` |") and row.startswith(
        "| `dlthink train data=spikes data.minutes=2"
    )
