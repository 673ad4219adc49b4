"""What `make docs` adds to docs/: the README as first page, and the other documents of the top folder.

A hook of mkdocs (mkdocs.yml names it), so that each document is written once and its links lead where they do in the
repository. `tests/test_links.py` asks every link of every document; mkdocs, by `strict`, every link of the site.
"""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

TOP = Path(__file__).parent.parent
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)(?=[)#])")  # of Markdown, to a file


def moved(text: str, page: str, place: str) -> str:
    """The text of `page`, a path from the top folder, with its links as they are seen from `place` in docs/."""

    def link(found: re.Match[str]) -> str:
        to = posixpath.normpath(posixpath.join(posixpath.dirname(page), found[1]))
        to = PAGES.get(to, to.removeprefix("docs/"))
        return posixpath.relpath(to, posixpath.dirname(place) or ".")

    return by_line(lambda line: LINK.sub(link, line), text)


def by_line(change: Callable[[str], str], text: str) -> str:
    """The text with every line changed that is no code."""
    lines, code = [], False
    for line in text.splitlines():
        code ^= line.lstrip().startswith("```")
        lines.append(line if code else change(line))
    return "\n".join(lines) + "\n"


def on_files(files, config):
    """mkdocs: the pages of the site, to which those of the top folder are added."""
    from mkdocs.structure.files import File

    for page, place in PAGES.items():
        files.append(File.generated(config, place, content=(TOP / page).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown, page, config, files):
    """mkdocs: a page as it was written, with its links led on."""
    place = page.file.src_uri
    written = {place: page for page, place in PAGES.items()}
    return moved(markdown, written.get(place, f"docs/{place}"), place)
