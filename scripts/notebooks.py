"""Notebooks of the course from its pages: docs/course/NAME.md -> docs/course/NAME.ipynb.

python scripts/notebooks.py           # writes them all

Prose and commands become cells of Markdown, blocks of Python cells of code. A solution is a cell whose code is folded.
The first cell installs the checkout that the notebook lies in, with the extra that its page names.
"""

import json
import re
from pathlib import Path
from typing import Any

COURSE = Path(__file__).parent.parent / "docs" / "course"
FENCE = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
FOLDED = re.compile(r"^<details[^>]*>\n(.*?)^</details>\n", re.DOTALL | re.MULTILINE)
SUMMARY = re.compile(r"<summary>(.*?)</summary>")


def pages() -> list[Path]:
    """The pages that have code: each becomes a notebook."""
    return [page for page in sorted(COURSE.glob("*.md")) if FENCE.search(page.read_text(encoding="utf-8"))]


def code_of(page: str) -> list[str]:
    """The blocks of Python of a page, in order."""
    return FENCE.findall(page)


def cells(page: str) -> list[tuple[str, str]]:
    """("markdown" | "code" | "folded", text) of a page, in order; a solution is folded, hints stay as they are."""
    found: list[tuple[str, str]] = []
    rest = 0
    for solution in FOLDED.finditer(page):
        if FENCE.search(solution[1]):
            found += _plain(page[rest : solution.start()])
            inside = SUMMARY.sub(r"**\1** (its code is folded in the cells below)", solution[1])
            found += [("folded" if kind == "code" else kind, text) for kind, text in _plain(inside)]
            rest = solution.end()
    return found + _plain(page[rest:])


def _plain(text: str) -> list[tuple[str, str]]:
    parts = FENCE.split(text)  # prose, code, prose, ...
    kinds = (("code" if i % 2 else "markdown", part.strip("\n")) for i, part in enumerate(parts))
    return [(kind, part) for kind, part in kinds if part]


def notebook(page: str, name: str) -> dict[str, Any]:
    """The notebook of a page as nbformat 4.5 has it."""
    extra = re.search(r"pip install (?:-e )?'\.(\[\w+\])'", page)
    install = "# dlthink is two folders up; a notebook that was moved names its folder in place of ../..\n"
    install += f'%pip install --quiet "../..{extra[1] if extra else ""}"'
    made = [_cell(f"{name}-{i}", kind, text) for i, (kind, text) in enumerate([("code", install), *cells(page)])]
    return {
        "cells": made,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(name: str, kind: str, text: str) -> dict[str, Any]:
    folded = {"jupyter": {"source_hidden": True}} if kind == "folded" else {}
    cell = {"cell_type": "markdown" if kind == "markdown" else "code", "id": name, "metadata": folded}
    cell["source"] = text.splitlines(keepends=True)
    return cell if kind == "markdown" else cell | {"execution_count": None, "outputs": []}


def written(page: Path) -> str:
    """What stands in the file of a page's notebook."""
    text = page.read_text(encoding="utf-8")
    return json.dumps(notebook(text, page.stem), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    for page in pages():
        page.with_suffix(".ipynb").write_text(written(page), encoding="utf-8")
        print(page.with_suffix(".ipynb").relative_to(COURSE.parent.parent))


if __name__ == "__main__":
    main()
