"""Begin a file of one's own: a template becomes NAME.py in the working folder, under the name that was asked for."""

import importlib
from pathlib import Path

from omegaconf import OmegaConf

from dlthink import templates
from dlthink.config import build
from dlthink.config.compose import composed
from dlthink.config.user_files import check_name
from dlthink.did_you_mean import hint
from dlthink.errors import BadInput

FOLDER = Path(templates.__file__).parent
CLASS = {"loss": "MyCost", "model": "MyModel", "data": "MyData"}  # what the class of a template is called
NEXT = {
    "loss": "dlthink check loss={name}, then dlthink train loss={name} {data}",
    "model": "dlthink train model={name} {data}",
    "data": "dlthink train data={name}",
}


def begin(group: str, name: str, words: list[str]) -> str:
    """Write NAME.py for the data that `words` say; a line with what to do next.

    Raises BadInput where such a file is there, the name cannot be one, or no template fits.
    """
    check_name(group, name)
    file = Path(f"{name}.py")
    for word in words:
        if not word.startswith("data"):
            raise BadInput(f"{word}: there is no such word here{hint(word.partition('=')[0], ['data'], '')}")
    config, _, choices = composed(words, {})
    kind, facts = build.answers(config)
    template = _of_kind(group, kind, choices["data"]) if group != "model" else _of_facts(facts, choices["data"])
    text = template.read_text().replace(CLASS[group], _class_of(name)).replace(f"my_{_noun(group)}", name)
    try:
        with file.open("x") as written:  # never over what is there
            written.write(text)
    except FileExistsError as error:
        raise BadInput(f"{file}: is there already, and stays as it is; choose another name") from error
    typed = " ".join(words) or f"data={choices['data']}"
    return f"{file}: {_first_line(template)}. Next: {NEXT[group].format(name=name, data=typed)}"


def _of_kind(group: str, kind: str, data: str) -> Path:
    """The template for this kind of target; counts with exposure are counts, too."""
    file = FOLDER / group / f"{kind.split()[-1]}.py"
    if not file.is_file():
        known = sorted(path.stem for path in (FOLDER / group).glob("[!_]*.py"))
        raise BadInput(f"data={data}: there is no {group} to begin from for {kind}, but for {', '.join(known)}")
    return file


def _of_facts(facts: tuple[str, ...], data: str) -> Path:
    """The network that asks for most of what this data state, and for nothing else."""
    fitting = []
    for file in sorted((FOLDER / "model").glob("[!_]*.py")):
        own = vars(importlib.import_module(f"dlthink.templates.model.{file.stem}"))[CLASS["model"]]
        if not build.unstated(own, OmegaConf.create(), {*facts, *build.COMPUTED}):
            fitting.append((len(build.parameters(own).keys() & set(facts)), file))
    if not fitting:
        raise BadInput(f"data={data}: there is no network to begin from for what it gives to see")
    return max(fitting)[1]


def _class_of(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _noun(group: str) -> str:
    return "cost" if group == "loss" else group


def _first_line(template: Path) -> str:
    """A cost of counts to begin from."""
    line = template.read_text().splitlines()[0].strip('"')
    return line.partition(":")[0][0].lower() + line.partition(":")[0][1:]
