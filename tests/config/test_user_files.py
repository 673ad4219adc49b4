"""A file of one's own is read, not run, and never for long; the working folder is reached where it is asked for."""

import sys

import pytest

from dlthink.config import user_files
from dlthink.errors import BadInput

COST = """class Cost:
    def __init__(self, n_targets, a=1, b='x', c=[1, 2], d=len, *, e=None): ...
    def forward(self): ...
"""


def test_its_settings_are_the_plain_defaults(tmp_path):
    (tmp_path / "mine.py").write_text(f"raise SystemExit\n{COST}")
    found = user_files.describe(tmp_path / "mine.py")
    assert found == {"_target_": "mine.Cost", "a": 1, "b": "x", "c": [1, 2], "e": None}


@pytest.mark.parametrize(
    "content",
    {
        "too large": b"#" * (1 << 20) + b"\n" + COST.encode(),
        "deep brackets": b"x = " + b"(" * 5000 + b")" * 5000,
        "deep sums": b"x = " + b"-" * 100_000 + b"1",
        "no text": b"\xff\xfe\x00\x00",
        "a null byte": b"x = 1\x00",
    }.items(),
    ids=lambda item: item[0],
)
def test_a_file_that_cannot_be_read(tmp_path, content):
    (tmp_path / "mine.py").write_bytes(content[1])
    with pytest.raises(BadInput, match=r"mine\.py(:\d+)?: "):
        user_files.describe(tmp_path / "mine.py")


def test_a_default_too_deep_is_the_class_s_own(tmp_path):
    (tmp_path / "mine.py").write_text(COST.replace("a=1", f"a={'[' * 90}{']' * 90}"))
    assert user_files.describe(tmp_path / "mine.py")["b"] == "x"


def test_of_several_classes_the_one_that_is_meant(tmp_path):
    """The one called like the file, wherever it stands; never one that another is made from."""
    cost, file = "class {}({}):\n    targets = {{'reals'}}\n    def forward(self, out, y): ...\n", tmp_path / "mine.py"
    file.write_text(cost.format("Mine", "object") + cost.format("Other", "object"))
    assert user_files.describe(file)["_target_"] == "mine.Mine"
    file.write_text(cost.format("Base", "object") + cost.format("Cost", "Base"))
    assert user_files.describe(file)["_target_"] == "mine.Cost"
    file.write_text(cost.format("One", "object") + cost.format("Other", "object"))
    with pytest.raises(BadInput, match=r"holds 2 costs, One .* and Other"):
        user_files.describe(file)


@pytest.mark.parametrize("name", ["time", "json", "torch", "mse", "my cost", "class"])
def test_names_that_python_or_dlthink_take_are_refused(name):
    with pytest.raises(BadInput, match=name):
        user_files.check_name("loss", name)


def test_the_working_folder_is_reached_only_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    (tmp_path / "mine.py").write_text("raise SystemExit")
    before = list(sys.path)
    user_files.register(["data=spikes", "loss=poisson", "loss=other"])
    user_files.reach(["other", "dlthink.losses", "torch"])
    assert sys.path == before
    user_files.reach(["mine.Cost"])
    assert sys.path == [*before, str(tmp_path)] and "mine" not in sys.modules  # behind all that is installed
