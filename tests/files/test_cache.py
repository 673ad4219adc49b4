"""`dlthink.files.cache`: what is kept lies under the code that made it."""

import sys
from functools import partial

import pytest

from dlthink.files.cache import cache_key, source


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a module inside, and what its source is by now."""
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "painter"
    folder.mkdir()
    for name in ("__init__", "brush"):
        (folder / f"{name}.py").write_text(f'"""{name}."""\n')

    def now(name="painter"):
        source.cache_clear()
        return source(name)

    yield folder, now
    source.cache_clear()
    for name in [name for name in sys.modules if name.startswith("painter")]:
        del sys.modules[name]


def test_a_package_is_all_its_modules(package):
    folder, now = package
    before, module = now(), now("painter.brush")
    assert now() == before != module
    (folder / "brush.py").write_text("width = 3\n")
    assert now() != before and now("painter.brush") != module
    (folder / "brush.py").write_text('"""brush."""\n')
    assert now() == before and now("painter.brush") == module


def test_a_module_is_itself_alone(package):
    folder, now = package
    before = now("painter.brush")
    (folder / "__init__.py").write_text("more = 1\n")
    assert now("painter.brush") == before


def test_keys_differ_by_settings_and_by_contents():
    key = partial(cache_key, ("dlthink.files.cache",))
    keys = [key((1, "a")), key((1, "b")), key((1, "a"), [b"x"]), key((1, "a"), [b"y"])]
    assert len(set(keys)) == 4
    assert key((1, "a"), [b"x", b"y"]) == key((1, "a"), [b"xy"])
    assert cache_key(("dlthink.files.cache", "dlthink.errors"), (1, "a")) not in keys
