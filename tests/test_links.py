"""Every link of every document leads to a file and a heading that are there; the site leads on as they do."""

import re

import pytest

from scripts.site import LINK, PAGES, by_line, moved
from tests.conftest import REPOSITORY

DOCUMENTS = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
LINKS = re.compile(r"\]\(([^)\s]*)\)")


def prose(file):
    """The text of a document without its code."""
    kept = []
    by_line(lambda line: kept.append(re.sub(r"`[^`]*`", "", line)) or line, file.read_text(encoding="utf-8"))
    return "\n".join(kept)


def anchors(file):
    """What headings are called in links: small letters, words and hyphens (GitHub's rule, and the site's)."""
    text = []
    by_line(lambda line: text.append(line) or line, file.read_text(encoding="utf-8"))
    heads = [re.sub(r"[`*]|\[|\]\([^)]*\)", "", line.lstrip("#").strip()) for line in text if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(file):
    lost = []
    for link in LINKS.findall(prose(file)):
        path, _, anchor = link.partition("#")
        if re.match(r"\w+:", link):
            continue
        to = (file.parent / path).resolve() if path else file
        if not to.exists() or (anchor and anchor not in anchors(to)):
            lost.append(link)
    assert not lost


def test_links_are_led_on_as_the_site_has_the_pages():
    text = "[a](docs/check.md#what) [b](CONTRIBUTING.md) ![c](docs/check.png) [d](https://x.org/docs/y) [e](#here)\n"
    assert moved(text, "README.md", "index.md") == (
        "[a](check.md#what) [b](contributing.md) ![c](check.png) [d](https://x.org/docs/y) [e](#here)\n"
    )
    back = moved(
        "[a](../../README.md#your-own-cost) [b](../check.md)\n```\n[c](../../README.md)\n```\n",
        "docs/course/spikes.md",
        "course/spikes.md",
    )
    assert back == "[a](../index.md#your-own-cost) [b](../check.md)\n```\n[c](../../README.md)\n```\n"
    assert LINK.findall("[a](x.md) [b](#y) [c](mailto:z)") == ["x.md"]


def test_every_page_is_in_the_contents_of_the_site():
    contents = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    pages = [str(file.relative_to(REPOSITORY / "docs")) for file in (REPOSITORY / "docs").rglob("*.md")]
    assert sorted(re.findall(r"[\w/]+\.md", contents)) == sorted([*pages, *PAGES.values()])
