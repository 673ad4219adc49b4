"""Table of groups: which metrics stand in its picture."""

import numpy as np
import pytest

from dlthink.errors import BadInput
from dlthink.runs.compare.comparison import Comparison, Estimate, find
from dlthink.runs.compare.comparison_table import Table
from dlthink.runs.signature import sign
from tests.runs.conftest import SCORES


@pytest.mark.parametrize("asked, labels", [(True, ["log_score", "mae"]), (False, ["log_score"])])
def test_a_picture_has_what_was_asked_for_or_else_the_first_metric(runs, tmp_path, asked, labels):
    for seed in range(2):
        runs("a", seed, np.full(3, 1.0 + seed))
        runs("b", seed, np.full(3, 2.0 + seed))
    compared = Comparison(find([tmp_path], "test")[0], ["seed"])
    table = Table(compared, "test", ["log_score", "mae"], asked, SCORES, None, [])
    *panels, differences = table.figure().axes
    assert [panel.get_xlabel().split()[0].strip("←") or "mae" for panel in panels] == labels
    assert "minus that of loss=b" in differences.get_xlabel()
    with pytest.raises(BadInput, match=r"differ in data\.path"):
        Table(compared, "test", ["log_score"], asked, SCORES, None, ["data.path"]).figure()


def table(tmp_path, names=("log_score",), reference=None):
    compared = Comparison(find([tmp_path], "test")[0], ["seed"])
    return Table(compared, "test", [*names], False, SCORES, reference, [])


def test_a_baseline_stands_beside_and_is_told_where_it_is_ahead(runs, tmp_path):
    for seed in range(2):
        runs("a", seed, np.full(3, 1.0 + seed), beside={"constant": 0.5, "linear": 1.75 + seed})
        runs("b", seed, np.full(3, 0.1 + seed), beside={"constant": 0.5, "linear": 1.75 + seed})
    said = table(tmp_path, ["log_score", "mae"]).lines()
    assert said[0].splitlines()[3:] == [
        "baseline: constant        0.5 +- 0",
        "baseline: linear         2.25 +- 0.50",
    ]
    assert said[-1] == "linear, a baseline, is ahead of them all by log_score: 2.25."
    rows, answer = table(tmp_path).page()
    assert [row[0] for row in rows] == ["test", "loss=a", "loss=b", "baseline: constant", "baseline: linear"]
    assert answer[-1] == said[-1] and len(table(tmp_path).numbers()) == 3  # CSV is of groups


def test_what_differs_between_groups_was_predicted_on_other_data(runs, tmp_path):
    for loss, constant in ("a", 0.5), ("b", 0.25):
        runs(loss, 0, np.ones(3), beside={"constant": constant, "linear": 0.1})
    assert table(tmp_path).baselines.keys() == {"linear"}


def test_the_winner_predicts_by_its_best_run_on_validation(runs, tmp_path):
    for seed, val in enumerate([1.0, 3.0, 2.0]):
        runs("a", seed, np.full(3, 1.0 - seed), val=val, predicts="folder", asks=["direction"])
        runs("b", seed, np.full(3, 0.0 - seed), val=9.0)
    assert table(tmp_path).lines()[-1] == (
        f"predict with loss=a, by its best run on validation: dlthink predict run={tmp_path}/a10 input=PHOTOS "
        f"output=FOLDER direction=DIRECTION"
    )
    # beside a group that somebody names it is the best one all the same
    assert table(tmp_path, reference=1).lines()[-1].startswith("predict with loss=a, by its best run")
    assert "predict" not in table(tmp_path, ["oracle"]).lines()[-1]  # nobody says what is better


def test_a_class_of_one_s_own_is_allowed_in_a_run_that_was_written_here(runs, tmp_path):
    for loss in "ab":
        folder = runs(loss, 0, np.ones(3), val=1.0)
        text = (folder / "config.yaml").read_text().replace("name: a", "_target_: my_cost.MyCost")
        (folder / "config.yaml").write_text(text)
    strange = table(tmp_path).lines()[-1]
    (tmp_path / "a00/config.yaml").write_text(sign((tmp_path / "a00/config.yaml").read_text()))
    assert table(tmp_path).lines()[-1] == f"{strange} allow=my_cost" and "allow=" not in strange


def test_a_spread_of_rounding_is_none():
    score = 0.9661016949152542
    assert Estimate.of([score, score, score + 1e-16]).error == 0.0 and Estimate.of([1.0, 1.0 + 1e-9]).error > 0
