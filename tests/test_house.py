"""The house stays as docs/architecture.md draws it: who may import whom, how large a file grows, its name."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from dlthink.checks.functionals import claimed
from dlthink.config import build
from dlthink.config.paths import conf_folder, first_comment, options
from dlthink.errors import BadInput
from tests.problems import composed, problems

PACKAGE = Path(build.__file__).parent.parent
ROOMS = ("losses", "models", "data", "metrics")
UPSTAIRS = ("training", "checks", "runs", "commands", "config")
CELLAR = ("distributions", "files")  # what every room may lean on
FILES = sorted(PACKAGE.rglob("*.py"))
BANNED = re.compile(r"util|helper|common|base_|manager|registry|misc")


@cache
def _imported(file):
    """(Everything of dlthink that a file imports, wherever in it; the part of it that only annotations need)"""
    tree, found, typed = ast.parse(file.read_text()), {False: set(), True: set()}, set()
    for node in ast.walk(tree):  # from the outside in
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            typed |= {*node.body}
        if isinstance(node, ast.Import):
            found[node in typed] |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found[node in typed] |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {only: {name for name in names if name.split(".")[0] == "dlthink"} for only, names in found.items()}
    return ours[False] | ours[True], ours[True] - ours[False]


def imports(file, types=True):
    """Everything of dlthink that a file imports. types: also what only annotations need."""
    every, typed = _imported(file)
    return every if types else every - typed


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_of_the_ground_floor_never_meet(room):
    above = [f"dlthink.{name}" for name in (*ROOMS, *UPSTAIRS) if name != room]
    for file in (PACKAGE / room).rglob("*.py"):
        assert not [name for name in imports(file) if name.startswith(tuple(above))], file


def test_the_loop_knows_no_tenant():
    rooms = tuple(f"dlthink.{room}" for room in ROOMS)
    for file in [*PACKAGE.glob("*.py"), *(f for room in UPSTAIRS for f in (PACKAGE / room).rglob("*.py"))]:
        assert not [name for name in imports(file) if name.startswith(rooms)], file
    text = "".join(f.read_text() for f in (PACKAGE / "training").glob("*.py")).lower()
    assert not re.findall(r"spike|molecul|\bface|season|poisson|\bgan\b", text)


@pytest.mark.parametrize("room", CELLAR)
def test_what_every_room_leans_on_leans_on_none(room):
    others = tuple(f"dlthink.{name}" for name in (*ROOMS, *UPSTAIRS, *CELLAR) if name != room)
    for file in (PACKAGE / room).rglob("*.py"):
        assert not [name for name in imports(file) if name.startswith(others)], file


def test_a_recalibration_knows_distributions_alone():
    above = tuple(f"dlthink.{name}" for name in (*ROOMS, *UPSTAIRS))
    for file in (PACKAGE / "calibration").rglob("*.py"):
        assert not [name for name in imports(file) if name.startswith(above)], file


def test_training_knows_neither_commands_nor_the_folder_of_a_run():
    for file in (PACKAGE / "training").rglob("*.py"):
        above = tuple(f"dlthink.{room}" for room in ("checks", "commands", "config", "runs"))
        assert not [name for name in imports(file) if name.startswith(above)]


def test_checks_ask_any_cost_and_know_none():
    """What a kind of target needs lies in one file per kind; all else asks every kind alike."""
    for file in (PACKAGE / "checks").rglob("*.py"):
        assert not [n for n in imports(file) if n.startswith(("dlthink.commands", "dlthink.config", "dlthink.runs"))]
    for file in (PACKAGE / "checks").glob("*.py"):
        assert not re.findall(r"""(?:==|\bin) *["'](?:counts|reals|identities|seasons)""", file.read_text()), file


def test_no_file_imports_itself_by_way_of_others():
    """Not even within a function; what a package offers, in its __init__.py, is no part of it."""
    modules = {f: ".".join(f.relative_to(PACKAGE.parent).with_suffix("").parts) for f in FILES if f.stem != "__init__"}
    needs = {name: imports(file, types=False) & {*modules.values()} - {name} for file, name in modules.items()}
    while leaves := {name for name, others in needs.items() if not others}:
        needs = {name: others - leaves for name, others in needs.items() if name not in leaves}
    assert not needs, "in a circle, or above one"


def test_only_the_loop_writes_to_the_board():
    logger = {"dlthink.training.logger", "dlthink.training.logger.Logger"}
    writers = [f.name for f in FILES if logger & imports(f) and "Logger(" in f.read_text()]
    assert writers == ["loop.py"]
    assert [f.name for f in FILES if "SummaryWriter" in f.read_text()] == ["logger.py"]


def test_what_is_filled_into_a_line_is_shown_as_a_terminal_may_show_it():
    """A stranger's file may hold a name that clears the screen; `plain` spells it."""
    bare = [
        f"{file.name}:{node.lineno}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and re.fullmatch(r"print|tqdm\.write|(self\.)?bar\.write", ast.unparse(node.func))
        and any(isinstance(word, ast.JoinedStr) for word in node.args)
    ]
    assert bare == []


def test_instantiate_is_called_once():
    calls = re.findall(r"\binstantiate\(", "\n".join(f.read_text() for f in FILES))
    assert len(calls) == 1


def test_a_file_is_one_idea():
    for file in FILES:
        text = file.read_text()
        assert len(text.splitlines()) <= 400, file
        assert not BANNED.search(file.stem), file
        assert file.stem == "__init__" or ast.get_docstring(ast.parse(text)), f"{file}: says what it is in line 1"


CHOICES = [
    (g, n, f)
    for g in ("data", "model", "loss", "optim", "trainer", "experiment")
    for n, f in options(g, conf_folder()).items()
]


@pytest.mark.parametrize("group, name, file", CHOICES, ids=[f"{g}={n}" for g, n, _ in CHOICES])
def test_every_choice_composes_names_a_class_and_explains_itself(group, name, file):
    assert first_comment(file)
    if group in ("data", "experiment"):
        assert file.read_text().startswith("# @package _global_\n")
    if group not in ("loss", "model"):
        build.check(OmegaConf.create(OmegaConf.to_container(composed(f"{group}={name}"))))
        return
    node = OmegaConf.load(file)
    if "defaults" in node:
        node = composed(f"{group}={name}")[group]
    refused = {}
    for problem in ("spikes", "spikes data.moments=estimated", "molecules", "faces", "seasons", "table"):
        parts = OmegaConf.to_container(composed(*f"data={problem}".split()))
        try:
            return build.check(OmegaConf.create(parts | {group: OmegaConf.to_container(node)}))
        except BadInput as error:
            refused[problem] = error
    pytest.fail(f"fits no problem: {refused}")


NESTED = ("discriminators", "bases")  # what stands within another choice, not among them


@pytest.mark.parametrize("room, group", [("losses", "loss"), ("models", "model")])
def test_every_cost_and_network_has_its_file_its_yaml_and_its_test(room, group):
    files = {f.stem: f for f in (PACKAGE / room).rglob("[!_]*.py") if f.parent.name not in NESTED}
    nodes = {name: yaml.safe_load(f.read_text()) for name, f in options(group, conf_folder()).items()}
    assert set(files) <= set(nodes)
    for name in set(nodes) - set(files):  # a recipe: one of these with other values
        own, _ = nodes[name]["defaults"]
        assert own in files and nodes[own]["_target_"] == nodes[name]["_target_"]
        assert nodes[name].keys() - {"defaults"} <= nodes[own].keys()
    tests = "\n".join(f.read_text() for f in (Path(__file__).parent / room).rglob("test_*.py"))
    for name, file in files.items():
        mirrored = Path(__file__).parent / file.relative_to(PACKAGE).with_name(f"test_{name}.py")
        assert mirrored.exists() or ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) in tests


@pytest.mark.parametrize("name, file", options("loss", conf_folder()).items())
def test_every_cost_says_what_it_elicits(name, file):
    """In the words of checks/functionals.py; `dlthink check` looks whether it is so."""
    assert claimed(build.find(OmegaConf.load(file), "loss").__doc__), "add to its docstring: Elicits the mean. (say)"


def test_a_data_file_overrides_choices_and_no_values_of_other_rooms():
    for _, files in problems().values():
        said = [set(yaml.safe_load(file.read_text())) for file in files]
        assert set.union(*said) == {"defaults", "data", "metrics"}


@pytest.mark.parametrize("name, file", options("experiment", conf_folder()).items())
def test_the_head_of_an_experiment_says_the_command_the_figure_and_the_time(name, file):
    head = [line for line in file.read_text().splitlines() if line.startswith("# ")][1:]
    text = " ".join(line.lstrip("# ") for line in head)
    typed = re.findall(r"dlthink train (?:-m )?experiment=(\w+)", text)
    assert typed == [name] and re.search(r"\d\.\d|0\.\d", text.partition(typed[0])[2])
    assert re.search(r"\d (CPU )?(minute|second)s?\b", text)


RECIPES = {  # what docs/results/ knows to be best for its time, as each data set begins with it
    "nmrshiftdb2": {"loss": ("CRPS", {"family": "laplace", "calibrate": "isotonic"}), "data": ("Nmrshiftdb2", {})},
    "lfw": {"model": ("FaceNet", {"mirror": True}), "trainer": ("Trainer", {"steps": 3800})},
    "face_folder": {"model": ("FaceNet", {"mirror": True}), "trainer": ("Trainer", {"epochs": 80, "at_least": 400})},
    "yosemite": {"loss": ("ProjectedGAN", {"mmd": 1.0, "cycle": 0.3}), "model": ("CycleGAN", {"guided_filter": 8})},
    "two_folders": {"loss": ("ProjectedGAN", {"mmd": 0.0, "cycle": 5.0}), "model": ("CycleGAN", {"guided_filter": 8})},
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_data_set_begins_with_the_best_recipe_known_and_the_command_line_has_the_last_word(name):
    config = composed(f"data={name}")
    for part, (target, values) in RECIPES[name].items():
        assert config[part]["_target_"].endswith(f".{target}")
        assert {key: config[part][key] for key in values} == values
    smoke = composed(f"data={name}", "trainer=smoke")
    assert smoke.trainer.steps == 6 and smoke.trainer.validate_every == 3


AS_TYPED = {  # results that a data set has as typed
    "ride": "data=spikes",
    "simulated_shifts": "data=molecules",
    "lfw": "data=lfw data.fold=10",
    "yosemite_winter": "data=yosemite model.same=false",
}


@pytest.mark.parametrize("name", AS_TYPED)
def test_what_results_praise_is_what_the_data_begins_with(name):
    assert composed(f"experiment={name}") == composed(*AS_TYPED[name].split())
