"""A cost or network in the user's own file: `loss=my_cost` finds `my_cost.py` in the working folder.

The file is read, not run: its last class with a `forward` becomes the choice, and the arguments of its `__init__` that
have plain defaults become settings (`loss.delta=2`). A folder given by `--config-dir` does the same with YAML files.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from dlthink.config.paths import conf_folder, options
from dlthink.errors import BadInput

PLAIN = (bool, int, float, str, list, tuple, type(None))  # what YAML can say
MOST = 1 << 20  # bytes of a file of one's own


def reach(modules: Iterable[str]) -> None:
    """Make the working folder importable, after all that is installed, where one of these modules lies in it.

    Never otherwise: a folder may hold files called as a package that dlthink looks for and does not find.
    """
    here = str(Path.cwd())
    if {"", here} & set(sys.path):
        return
    if any(PathFinder.find_spec(module.partition(".")[0], [here]) for module in modules):
        sys.path.append(here)


def register(overrides: list[str]) -> None:
    """Make costs and networks in the working folder that the command line names choices of their group."""
    for override in overrides:
        match = re.fullmatch(r"(loss|model)=([\w,]+)", override)
        for name in match[2].split(",") if match else ():
            file = Path(f"{name}.py")
            if name not in options(match[1], conf_folder()) and file.is_file():
                from hydra.core.config_store import ConfigStore

                reach([name])
                ConfigStore.instance().store(group=match[1], name=name, node=describe(file))


def beside() -> list[str]:
    """The files in the working folder that have a class with a `forward`, as a choice of cost or network says them."""
    found = []
    for file in sorted(Path().glob("*.py"))[:1000]:
        with suppress(BadInput, OSError):
            describe(file)
            found.append(file.stem)
    return found


def describe(file: Path) -> dict:
    """The configuration node of the last class with a `forward` in `file`."""
    if file.stat().st_size > MOST:
        raise BadInput(f"{file}: is larger than {MOST >> 20} MB; a cost is a page of Python")
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # too deep is one of the last two
        raise BadInput(f"{file}: not readable as Python ({error})") from error
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and _method(node, "forward")]
    if not classes:
        raise BadInput(f"{file}: no class with a forward(out, y) in it")
    node = {"_target_": f"{file.stem}.{classes[-1].name}"}
    start = _method(classes[-1], "__init__")
    if start is not None:
        pairs = list(zip(reversed(start.args.args), reversed(start.args.defaults), strict=False))
        pairs += [(a, d) for a, d in zip(start.args.kwonlyargs, start.args.kw_defaults, strict=True) if d is not None]
        for argument, default in pairs:
            try:
                node[argument.arg] = ast.literal_eval(default)
            except (ValueError, TypeError, RecursionError):
                continue  # not a plain value: stays the class's own business
    return node


def node_of(own: type) -> dict:
    """The configuration node of a class that is loaded: a notebook's."""
    if "." in own.__qualname__:
        raise BadInput(f"{own.__qualname__}: define it at the top of a module or notebook, where it can be found again")
    node = {"_target_": f"{own.__module__}.{own.__qualname__}"}
    for name, argument in inspect.signature(own).parameters.items():
        if isinstance(argument.default, PLAIN):
            node[name] = list(argument.default) if isinstance(argument.default, tuple) else argument.default
    return node


def _method(owner: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((n for n in owner.body if isinstance(n, ast.FunctionDef) and n.name == name), None)
