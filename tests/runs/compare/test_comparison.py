"""Settings of runs, read part by part: the same as of the whole file, whatever a stranger wrote."""

import json
import os
import shutil

import numpy as np
import pytest
from scipy import stats

from dlthink.errors import BadInput
from dlthink.runs.compare.comparison import Comparison, Estimate, _whole, direction, find, read, settings

TEXTS = {
    "as runs write it": "data:\n  _target_: a.B\n  path: null\n  loss: {x: 3}\nloss:\n  delta: 1.0\nseed: 3\n# 0a\n",
    "lists at the margin": "data:\n  names:\n  - a\n  - b\nmore:\n- 1\n- 2\nseed: 0\n",
    "words over several lines": "data:\n  path: 'one\n\n    two'\nnote: \"x\n  seed: 1\"\nseed: 0\n",
    "braces over several lines": "data: {a: 1,\nb: 2}\nseed: 0\n",
    "a word that looks like a part": "note: 'x\nseed: 1'\nloss:\n  a: 1\n",
    "keys of other letters": "Data:\n  a: 1\n'b c': 2\nseed: 0\n",
    "comments": "# first\ndata:\n  a: 1  # second\n# third\nseed: 0\n",
    "no part at all": "{}\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_parts_are_read_as_the_whole_is(tmp_path, text):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    assert settings(file) == _whole(file)


@pytest.mark.parametrize(
    "text", ["seed: 0\nseed: 1\n", "data:\n  a: &x 1\nb: *x\n", "a: 1\n---\nb: 2\n", "a: !!int 1\n"]
)
def test_what_is_refused_as_a_whole_is_refused_in_parts(tmp_path, text):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"config\.yaml"):
        settings(file)


@pytest.mark.parametrize("value", ["true", '"1"', "[1]", "1e999", "NaN", f"1{'0' * 400}"])
def test_a_figure_is_a_number_or_null(tmp_path, value):
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    (tmp_path / "metrics.json").write_text('{"test": {"mae": null, "rmse": 1.5}}')
    assert read(tmp_path, "test").numbers["rmse"] == 1.5
    (tmp_path / "metrics.json").write_text(f'{{"test": {{"mae": {value}}}}}')
    with pytest.raises(BadInput, match=r"metrics\.json: damaged"):
        read(tmp_path, "test")


def test_figures_without_end_are_no_run_s(tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    for numbers in ({f"a{i}": 1.0 for i in range(10_001)}, {"a" * 201: 1.0}):
        (tmp_path / "metrics.json").write_text(json.dumps({"test": numbers}))
        with pytest.raises(BadInput, match=r"more than 10,000 figures, or a name of more than 200 letters"):
            read(tmp_path, "test")


def test_of_a_run_made_again_the_newer_one_counts(runs, tmp_path):
    first = runs("a", 0, np.zeros(3))
    second = shutil.copytree(first, tmp_path / "again")
    (second / "metrics.json").write_text('{"test": {"log_score": 1.0}}')
    for folder, score in ((first, 0.0), (second, 1.0)):
        for other in (first, second):
            os.utime(other / "metrics.json", (200, 200) if other == folder else (100, 100))
        compared = Comparison(find([tmp_path], "test")[0], ["seed"])
        assert compared.repeats == 1 and compared.estimates("log_score") == [Estimate(score, None, 1)]


def test_a_mean_and_its_standard_error():
    values = [1.0, 2.5, -3.0, 0.7]
    assert Estimate.of(values) == Estimate(pytest.approx(np.mean(values)), pytest.approx(stats.sem(values)), 4)


def test_of_two_scores_the_longer_one_names_a_figure():
    scores = {"mae": "min", "mae_gain": "max"}
    assert [direction(name, scores) for name in ("mae_x", "mae_gain_x", "mae_gain")] == ["min", "max", "max"]


def test_a_setting_that_nobody_typed_tells_runs_apart_where_what_was_typed_does_not(runs, tmp_path):
    for loss in "ab":
        runs(loss, 0, np.zeros(3))
    assert Comparison(find([tmp_path], "test")[0], ["seed"]).keys == ["loss"]
    other = shutil.copytree(tmp_path / "a00", tmp_path / "changed")
    (other / "config.yaml").write_text((other / "config.yaml").read_text().replace("name: a", "name: a\n  delta: 2"))
    assert Comparison(find([tmp_path], "test")[0], ["seed"]).keys == ["loss", "loss.delta"]
