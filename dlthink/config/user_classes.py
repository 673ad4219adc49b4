"""The classes of a file of the user's own, read and not run: which of them is the cost, which settings it has."""

import ast
from pathlib import Path

from dlthink.errors import BadInput

MOST = 1 << 20  # bytes of a file of one's own


class Source:
    """The classes of a file, read and not run. Raises BadInput with the line where it is no Python."""

    def __init__(self, file: Path):
        if file.stat().st_size > MOST:
            raise BadInput(f"{file}: is larger than {MOST >> 20} MB; a cost is a page of Python")
        try:
            body = ast.parse(file.read_bytes()).body
        except SyntaxError as error:
            where = f"{file}:{error.lineno}" if error.lineno else str(file)
            raise BadInput(f"{where}: not readable as Python ({error.msg})") from error
        except (ValueError, RecursionError, MemoryError) as error:  # too deep is one of the last two
            raise BadInput(f"{file}: not readable as Python ({error})") from error
        self.classes = [node for node in body if isinstance(node, ast.ClassDef)]
        imports = [n for n in body if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("dlthink.")]
        self.ours = {alias.asname or alias.name for node in imports for alias in node.names}

    def lineage(self, node: ast.ClassDef) -> list[ast.ClassDef]:
        """A class and those of this file that it is made from, nearest first."""
        lineage = [node]
        for one in lineage:
            lineage += [c for c in self.classes if c.name in _bases(one) and c not in lineage]
        return lineage

    def says(self, node: ast.ClassDef, name: str) -> bool:
        """Has the class a value of this name, or one of dlthink's costs to take it from?"""
        return any(name in _values(c) or self.ours & set(_bases(c)) for c in self.lineage(node))

    def fits(self, group: str) -> list[ast.ClassDef]:
        """The classes that `loss=`, `model=` or `data=` may mean, in order: not those that others are made from."""
        bases = {name for node in self.classes for name in _bases(node)}
        if group == "data":
            return [c for c in self.classes if c.name not in bases and self.method(c, "fact_names")]
        usable = [c for c in self.classes if c.name not in bases and (self.method(c, "forward") or self._ours(c))]
        costs = [c for c in usable if self.says(c, "targets")]
        if group == "loss":
            return costs or usable
        return [c for c in usable if c not in costs] or usable

    def _ours(self, node: ast.ClassDef) -> bool:
        return any(self.ours & set(_bases(c)) for c in self.lineage(node))

    def method(self, node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
        """A method that the class has by this file."""
        found = (n for c in self.lineage(node) for n in c.body if isinstance(n, ast.FunctionDef) and n.name == name)
        return next(found, None)

    def kind(self, name: str, file: Path) -> str:
        """The kind of target of a data set: the word that its `targets` returns. Raises BadInput where it is none."""
        method = next((self.method(c, "targets") for c in self.classes if c.name == name), None)
        returned = [n.value.value for n in ast.walk(method) if _returns_a_word(n)] if method else []
        if len(returned) != 1:
            raise BadInput(f'{file}: {name}.targets(cls, settings) must end in a word alone, return "reals" say')
        return returned[0]

    def settings(self, node: ast.ClassDef) -> dict:
        """The arguments of its constructor that have plain defaults; others stay the class's own business."""
        start = self.method(node, "__init__")
        if start is None:
            return {}
        pairs = list(zip(reversed(start.args.args), reversed(start.args.defaults), strict=False))
        pairs += [(a, d) for a, d in zip(start.args.kwonlyargs, start.args.kw_defaults, strict=True) if d is not None]
        found = {}
        for argument, default in pairs:
            try:
                found[argument.arg] = ast.literal_eval(default)
            except (ValueError, TypeError, RecursionError):
                continue
        return found


def _returns_a_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _bases(node: ast.ClassDef) -> list[str]:
    return [base.id for base in node.bases if isinstance(base, ast.Name)]


def _values(node: ast.ClassDef) -> set[str]:
    """Names that the body of a class gives a value, alone or in `a, b = 1, 2`."""
    places = [t for n in node.body if isinstance(n, ast.Assign) for t in n.targets]
    places += [n.target for n in node.body if isinstance(n, ast.AnnAssign)]
    return {t.id for place in places for t in ast.walk(place) if isinstance(t, ast.Name)}
