"""Settings of runs, read part by part: the same as of the whole file, whatever a stranger wrote."""

import pytest

from dlthink.errors import BadInput
from dlthink.runs.comparison import _settings, _whole, read

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
    assert _settings(file) == _whole(file)


@pytest.mark.parametrize(
    "text", ["seed: 0\nseed: 1\n", "data:\n  a: &x 1\nb: *x\n", "a: 1\n---\nb: 2\n", "a: !!int 1\n"]
)
def test_what_is_refused_as_a_whole_is_refused_in_parts(tmp_path, text):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"config\.yaml"):
        _settings(file)


@pytest.mark.parametrize("value", ["true", '"1"', "[1]", "1e999", "NaN", f"1{'0' * 400}"])
def test_a_figure_is_a_number_or_null(tmp_path, value):
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    (tmp_path / "metrics.json").write_text('{"test": {"mae": null, "rmse": 1.5}}')
    assert read(tmp_path, "test").numbers["rmse"] == 1.5
    (tmp_path / "metrics.json").write_text(f'{{"test": {{"mae": {value}}}}}')
    with pytest.raises(BadInput, match=r"metrics\.json: damaged"):
        read(tmp_path, "test")
