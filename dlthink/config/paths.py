"""Where configuration and documents lie: inside an installed package, beside it in a checkout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

GROUPS = {
    "data": "the problem: its samples, and the metrics that examine any cost",
    "loss": "the cost: what you want",
    "model": "the network: how it is reached",
    "optim": "the optimizer",
    "trainer": "the loop: how long, how precise, how often",
    "experiment": "a whole recipe in one word",
}


def conf_folder() -> Path:
    """The folder of train.yaml. A wheel ships it as dlthink/conf; a checkout keeps it at the top, in plain sight."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def page(name: str) -> str:
    """Where a page of the documents lies, docs/NAME from the working folder where that is the shorter: a wheel ships
    the pages that messages name, as dlthink/docs."""
    file = conf_folder().parent / "docs" / name
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def options(group: str, *folders: Path) -> dict[str, Path]:
    """The choices of a group by name, from the given conf folders."""
    files = [file for folder in folders for file in sorted((folder / group).glob("*.yaml"))]
    return {file.stem: file for file in files}


def choices_by_group(made: Mapping[str, Any]) -> dict[str, str]:
    """Of all that Hydra has chosen, what a run is told by: groups, and places within one (model@model.of)."""
    return {name: choice for name, choice in made.items() if name.partition("@")[0] in GROUPS and choice}


def first_comment(file: Path) -> str:
    """The line that a choice says of itself: its first comment that is not a directive."""
    for line in file.read_text().splitlines():
        if line.startswith("#") and not line.startswith("# @"):
            return line.lstrip("# ")
    return ""
