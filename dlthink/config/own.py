"""A cost or network in the user's own file: `loss=my_cost` finds `my_cost.py` in the working folder.

The file is read, not run: its last class with a `forward` becomes the choice, and the arguments of its `__init__` that
have plain defaults become settings (`loss.delta=2`). A folder given by `--config-dir` does the same with YAML files.
"""

import ast
import re
import sys
from pathlib import Path

from dlthink.config.paths import conf_folder, options
from dlthink.errors import BadInput


def register(overrides: list[str]) -> None:
    """Make the working folder's modules importable, and those named on the command line choices of their group."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    for override in overrides:
        match = re.fullmatch(r"(loss|model)=([\w,]+)", override)
        for name in match[2].split(",") if match else ():
            file = Path(f"{name}.py")
            if name not in options(match[1], conf_folder()) and file.is_file():
                from hydra.core.config_store import ConfigStore

                ConfigStore.instance().store(group=match[1], name=name, node=describe(file))


def describe(file: Path) -> dict:
    """The configuration node of the last class with a `forward` in `file`."""
    try:
        tree = ast.parse(file.read_text())
    except (SyntaxError, UnicodeDecodeError) as error:
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
            except ValueError:
                continue  # not a plain value: stays the class's own business
    return node


def _method(owner: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((n for n in owner.body if isinstance(n, ast.FunctionDef) and n.name == name), None)
