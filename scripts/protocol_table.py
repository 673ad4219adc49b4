"""Write the table of hooks in docs/architecture.md from the docstrings of dlthink/protocols.py."""

import ast
import inspect
from pathlib import Path

from dlthink.protocols import Data, Inputs, Loss, Metrics, Model, Split

PROTOCOLS = (Data, Split, Inputs, Loss, Model, Metrics)
PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"
HEAD = "| who | hook | what it is |\n|---|---|---|\n"


def hooks(protocol: type) -> dict[str, tuple[str, bool]]:
    """Every hook of a protocol by name: (its docstring, may it be left out?), in the order of the source."""
    found: dict[str, tuple[str, bool]] = {}
    body = ast.parse(inspect.getsource(protocol)).body[0].body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef):
            free = any("optional" in ast.unparse(mark) for mark in node.decorator_list)
            found[node.name] = (ast.get_docstring(node) or "", free)
        elif isinstance(node, ast.AnnAssign):
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            found[node.target.id] = (text, False)
    return found


def row(protocol: type, name: str, text: str, free: bool) -> str:
    """One hook: in brackets when it may be left out; the first paragraph of what is said of it."""
    first = " ".join(text.partition("\n\n")[0].split())
    return f"| {protocol.__name__} | {f'(`{name}`)' if free else f'`{name}`'} | {first} |"


def table() -> str:
    """All rows, in the order of the source."""
    found = [(p, name, *said) for p in PROTOCOLS for name, said in hooks(p).items() if said[0]]
    return "\n".join(row(*each) for each in found)


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().partition(HEAD)[0] + HEAD + table() + "\n")  # it stands last
