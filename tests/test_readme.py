"""What the README says is what happens."""

import json
import re

import pytest

from dlthink.config.compose import composed
from dlthink.runs.latest import run_folder
from tests.conftest import REPOSITORY, SMALL

README = (REPOSITORY / "README.md").read_text()
CODE = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PAGES = README + "".join((REPOSITORY / "docs" / name).read_text() for name in ("running.md", "scenarios.md"))
COMMANDS = re.findall(r"^(dlthink train\b.*?)(?:  +#.*)?$", PAGES, re.MULTILINE)


def test_the_cost_of_ones_own_works_as_printed(cli, tmp_path):
    (text,) = CODE
    assert len(text.strip().splitlines()) <= 12
    name = re.search(r"Save this as `(\w+)\.py`", README)[1]
    (command,) = [c for c in COMMANDS if f"loss={name}," in c]
    (tmp_path / f"{name}.py").write_text(text)
    code, out, err = cli(*command.split()[1:], "hydra.sweep.dir=sweep", *SMALL)
    assert code == 0, err
    assert "3 of 3 runs done" in out
    results = [json.loads((run_folder(tmp_path / "sweep" / str(i)) / "metrics.json").read_text()) for i in range(3)]
    results = [numbers["test"] for numbers in results]
    assert results[0].keys() == results[1].keys() == results[2].keys()  # the examination is the data's
    # and afterwards, when its file is named as trusted
    code, _, err = cli("evaluate", "run=sweep/0")
    assert code == 2 and f"allow={name}" in err
    code, out, _ = cli("evaluate", "run=sweep/0", f"allow={name}", "output=again.json")
    assert code == 0 and json.loads((tmp_path / "again.json").read_text()) == results[0]


def test_a_cost_of_ones_own_by_config_dir(cli, tmp_path):
    """The other way: a YAML with settings and a comment, in a folder that may be shared."""
    (text,) = CODE
    (tmp_path / "shared_error.py").write_text(text)
    (tmp_path / "mine" / "loss").mkdir(parents=True)
    (tmp_path / "mine" / "loss" / "rooted.yaml").write_text("# mine\n_target_: shared_error.RootError\n")
    code, out, err = cli("train", "--config-dir", "mine", "loss=rooted", "hydra.run.dir=run", *SMALL)
    assert code == 0 and "run: run" in out, err
    assert re.search("rooted +mine", cli("train", "--config-dir", "mine", "--help")[1])


def test_settings_of_a_cost_of_ones_own(cli, tmp_path):
    (text,) = CODE
    text = text.replace(
        "    def forward",
        "    def __init__(self, scale: float = 2.0):\n        super().__init__()\n"
        "        self.scale = scale\n\n    def forward",
    )
    (tmp_path / "scaled.py").write_text(text)
    assert cli("train", "loss=scaled", "loss.scale=3", "hydra.run.dir=run", *SMALL)[0] == 0
    assert "scale: 3" in (tmp_path / "run" / "config.yaml").read_text()
    code, _, err = cli("train", "loss=scaled", "loss.scale=big", *SMALL)
    assert code == 2 and "loss.scale=big" in err


def test_the_three_lines_of_a_first_cost(cli, tmp_path):
    """As typed: `new`, `check`; then `train`, on less data."""
    typed = re.findall(r"^dlthink ([^#\n]*\bmy_cost\b[^#\n]*?) *(?:#.*)?$", README, re.MULTILINE)
    assert [line.partition(" ")[0] for line in typed] == ["new", "check", "train"]
    for line in typed:
        code, out, err = cli(*line.split(), *(SMALL if line.startswith("train") else []))
        assert code == 0, out + err


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if not re.search("resume=|--help|mine.npz|root_error|my_cost|launcher|loss=all", c)]
)
def test_every_command_composes(command):
    words = [word for word in command.split()[2:] if word != "-m"]
    for word in list(words):
        if "," in word:
            words[words.index(word)] = word.partition(",")[0]
    composed(words, {})


def test_every_target_of_make_is_there():
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)|`make (\w+)`", README, re.MULTILINE)
    assert len(targets) >= 3
    for target in map("".join, targets):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_link_leads_somewhere():
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (REPOSITORY / link).exists()
