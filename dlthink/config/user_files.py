"""A cost, network or data set in the user's own file: `loss=my_cost` finds `my_cost.py` in the working folder.

The file is read, not run: its class becomes the choice, and the arguments of its `__init__` that have plain defaults
become settings (`loss.delta=2`). A folder given by `--config-dir` does the same with YAML files.
"""

import inspect
import keyword
import re
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from dlthink.config.data_choices import of_rows
from dlthink.config.paths import conf_folder, options
from dlthink.config.user_classes import Source
from dlthink.errors import BadInput

PLAIN = (bool, int, float, str, list, tuple, type(None))  # what YAML can say
FILES = 200  # of a folder, that are looked into


def reach(modules: Iterable[str]) -> None:
    """Make the working folder importable, after all that is installed, where one of these modules lies in it.

    Never otherwise: a folder may hold files called as a package that dlthink looks for and does not find.
    """
    here = str(Path.cwd())
    if {"", here} & set(sys.path):
        return
    if any(PathFinder.find_spec(module.partition(".")[0], [here]) for module in modules):
        sys.path.append(here)


def own_modules(names: Iterable[str]) -> list[str]:
    """Of names of classes, the modules that are the user's own: neither dlthink's nor torch's."""
    return sorted({module for name in names if (module := name.partition(".")[0]) not in ("dlthink", "torch")})


def register(overrides: list[str]) -> None:
    """Make costs, networks and data sets in the working folder that the command line names choices of their group."""
    for override in overrides:
        match = re.fullmatch(r"(loss|model|data)=(.+)", override)
        for name in match[2].split(",") if match else ():
            file = Path(f"{name}.py")
            if len(file.parts) == 1 and file.is_file():
                _register(match[1], name, file)


def _register(group: str, name: str, file: Path) -> None:
    from hydra.core.config_store import ConfigStore

    if name in options(group, conf_folder()):
        if not any(Source(file).fits(group)):
            return  # some file of another purpose
        raise BadInput(f"{group}={name} comes with dlthink, and {file} is called the same: give your file another name")
    check_name(group, name)
    sys.modules.pop(name, None)  # what an earlier run in this process took from a file of this name
    reach([name])
    node = describe(file, group)
    if group != "data":
        ConfigStore.instance().store(group=group, name=name, node=node)
        return
    whole = of_rows(Source(file).kind(node["_target_"].rpartition(".")[2], file)) | {"data": node}
    ConfigStore.instance().store(group=group, name=name, node=whole, package="_global_")


def check_name(group: str, name: str) -> None:
    """Can a file of one's own be called so? Raises BadInput where Python would take another, or dlthink has one."""
    if name in options(group, conf_folder()):
        raise BadInput(f"{group}={name} comes with dlthink: give yours another name")
    if not _importable(name) or _taken(name):
        why = "is the name of another module" if _importable(name) else "is no name that Python can import here"
        plain = re.sub(r"[^0-9a-zA-Z]+", "_", Path(name).name.removesuffix(".py")).strip("_").lower()
        free = _importable(plain) and not _taken(plain) and plain not in options(group, conf_folder())
        raise BadInput(f"{name}.py: {name} {why}; call the file {plain if free else f'my_{plain}'}.py, say")


def _importable(name: str) -> bool:
    """Can Python import it, and a word of the command line say it?"""
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name)


def _taken(name: str) -> bool:
    """Would Python import another module than the working folder's?"""
    elsewhere = [folder for folder in sys.path if folder and Path(folder).resolve() != Path.cwd()]
    found = PathFinder.find_spec(name, elsewhere)
    return name in sys.stdlib_module_names or (found is not None and found.origin is not None)


def describe(file: Path, group: str = "loss") -> dict:
    """The configuration node of the cost (or network) in `file`.

    A cost is the class that says `targets`; of several, the one called like the file. A network is the one called like
    the file, or the last. Raises BadInput where there is none, or no telling which.
    """
    source = Source(file)
    classes = source.fits(group)
    if not classes:
        has = {"loss": "a forward(out, y)", "model": "a forward(x)", "data": "fact_names(settings)"}[group]
        raise BadInput(f"{file}: no class with {has} in it")
    alike = [c for c in classes if c.name.lower() == file.stem.replace("_", "").lower()]
    if group == "loss" and len(classes) > 1 and not alike and source.says(classes[-1], "targets"):
        names = " and ".join(f"{c.name} (line {c.lineno})" for c in classes)
        raise BadInput(f"{file}: holds {len(classes)} costs, {names}: keep one, or call one like the file")
    chosen = (alike or classes)[-1]
    settings = source.settings(chosen)
    if group == "data":
        settings.pop("state", None)  # a checkpoint's
    return {"_target_": f"{file.stem}.{chosen.name}"} | settings


def beside(group: str) -> dict[str, list[str]]:
    """The user's own choices of a group: names of files in the working folder, and of the classes in each."""
    found = {}
    for file in sorted(Path.cwd().glob("*.py"))[:FILES] if group in ("loss", "model", "data") else ():
        try:
            source = Source(file)
        except (BadInput, OSError):
            continue
        if classes := source.fits(group):
            found[file.stem] = [c.name for c in classes]
    return found


def node_of(own: type) -> dict:
    """The configuration node of a class that is loaded: a notebook's."""
    if "." in own.__qualname__:
        raise BadInput(f"{own.__qualname__}: define it at the top of a module or notebook, where it can be found again")
    node = {"_target_": f"{own.__module__}.{own.__qualname__}"}
    for name, argument in inspect.signature(own).parameters.items():
        if isinstance(argument.default, PLAIN):
            node[name] = list(argument.default) if isinstance(argument.default, tuple) else argument.default
    return node
