"""The pages of the course: their commands compose, their code runs, their notebooks are theirs, their tests exist."""

import importlib
import json
import re
from pathlib import Path

import pytest

import dlthink
from dlthink.api import compose
from dlthink.config import build
from dlthink.config.compose import composed
from scripts.notebooks import COURSE, cells, code_of, pages, written
from tests.checks import test_slips, test_slips_of_domains

PAGES = {page.stem: page.read_text(encoding="utf-8") for page in pages()}
ALL = {page.stem: page.read_text(encoding="utf-8") for page in COURSE.glob("*.md")}
SMOKE = {  # data and networks of a second
    "spikes": ["data.minutes=1", "data.neurons=4", "data.rate=20", "model.width=8"],
    "molecules": ["data.molecules=200", "model.width=8", "model.depth=1"],
    "faces": ["data.identities=30", "data.photos_each=4", "data.size=24", "model.width=4", "trainer.batch=8"],
    "seasons": [
        *("data.scenes=8", "data.val_scenes=8", "data.test_scenes=8", "data.size=32"),
        *("model.width=4", "model.blocks=1", "trainer.batch=1"),
    ],
}
SLIPS = (test_slips, test_slips_of_domains)


def typed(page):
    """Every command of a page, once."""
    blocks = re.findall(r"^```\n(.*?)^```$", ALL[page], re.DOTALL | re.MULTILINE)
    lines = re.findall(r"^dlthink (.*?)(?:  +#.*)?$", "\n".join(blocks), re.MULTILINE)
    return list(dict.fromkeys(lines))


@pytest.mark.parametrize("page", ALL)
def test_the_commands_of_a_page_can_be_typed_in_their_order(cli, page):
    """`new` writes its file; what trains or is checked composes and fits; the rest has its own tests."""
    for line in typed(page):
        verb, *words = line.split()
        if verb == "new":
            assert cli(verb, *words)[0] == 0
        elif verb in ("train", "check"):
            words = [word.partition(",")[0] for word in words if not word.startswith(("-m", "hydra.", "figure="))]
            config, _, _ = composed(words, {})
            build.check(config) if verb == "train" else build.check_loss(config)
        else:
            assert verb in ("compare", "evaluate", "predict"), line


@pytest.mark.parametrize("page", PAGES)
def test_the_notebook_is_the_one_that_the_script_makes(page):
    file = COURSE / f"{page}.ipynb"
    assert file.read_text(encoding="utf-8") == written(COURSE / f"{page}.md"), "python scripts/notebooks.py"
    made = json.loads(file.read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "code"]
    extra = {"molecules": "[molecules]", "seasons": "[seasons]"}.get(page, "")  # what its data need beside the core
    assert code[0].splitlines()[1] == f'%pip install --quiet "../..{extra}"'
    assert code[1:] == [block.strip("\n") for block in code_of(PAGES[page])]
    assert "<details" not in "".join(text for kind, text in cells(PAGES[page]) if kind != "markdown")


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_that_a_page_names_are_there(page):
    named = re.findall(r"^\|.*\| `(\w+)` \|$", PAGES[page], re.MULTILINE)
    assert named and not [name for name in named if not any(hasattr(tests, name) for tests in SLIPS)]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_unfolds(page):
    assert PAGES[page].count("<details") == PAGES[page].count("</details>") == PAGES[page].count("<summary>") >= 4


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_solution_is_a_file_that_passes_by_itself(cli, page):
    exercise = PAGES[page].partition("## Your turn")[2]
    (name,) = re.findall(r"^dlthink new loss (\w+)", exercise, re.MULTILINE)
    assert f"That is `{name}.py`." in exercise
    Path(f"{name}.py").write_text(code_of(exercise)[0])
    assert cli("check", f"loss={name}")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs_and_its_costs_are_what_it_says(page, tmp_path, monkeypatch):
    """In a smoke setting; classes that the page calls slips fail their check, its solution passes."""
    smoke = [*SMOKE[page], "trainer=smoke", "trainer.steps=4"]  # whatever the page says
    reports = {}

    def checked(cost, *words, **how):
        found = check(cost, *words, **how)
        reports[cost if isinstance(cost, str) else cost.__name__] = found
        return found

    check = dlthink.check
    monkeypatch.setattr("dlthink.api.compose", lambda *words, **own: compose(*words, *smoke, **own))
    monkeypatch.setattr("dlthink.api.check", checked)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"page_{page}"  # a module: a cost of one's own must be found again
    (tmp_path / f"{name}.py").write_text("\n".join(code_of(PAGES[page])))
    importlib.import_module(name)
    solution = list(reports)[-1]
    assert reports[solution].passed, reports[solution]
    slips = [cost for cost in reports if cost != solution and not re.match("[a-z]", cost)]
    assert slips and not [cost for cost in slips if reports[cost].passed]
