"""Wheel, sdist, editable install and bare checkout all find their configuration, from any working folder."""

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import REPOSITORY

pytest.importorskip("hatchling")
PAGE = r"""\bpage\(["'](\S+?)["']\)"""  # of the documents, named in a message


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel and an sdist of the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=REPOSITORY, check=True, capture_output=True
    )
    return folder


def composed(path, cwd):
    """`dlthink train --cfg job` with only `path` to import dlthink from, and where that dlthink lies."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONPATH": str(path)}
    program = "import sys, dlthink; from dlthink.__main__ import main; print(dlthink.__file__); sys.exit(main())"
    command = [sys.executable, "-c", program, "train", "data=recording", "--cfg", "job"]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    where, _, config = done.stdout.partition("\n")
    assert where.startswith(str(path))
    return config


def test_wheel(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    named = {page for file in (REPOSITORY / "dlthink").rglob("*.py") for page in re.findall(PAGE, file.read_text())}
    assert "scenarios.md" in named and {f"dlthink/docs/{page}" for page in named} <= set(names)
    assert "dlthink/conf/train.yaml" in names and "dlthink/training/trainer.py" in names
    assert not [n for n in names if n.startswith(("tests", "scripts", "outputs"))]
    assert "dlthink.data.recordings.recording.Recording" in composed(tmp_path / "site", tmp_path)


@pytest.mark.slow
def test_sdist_is_a_checkout_that_builds(built, tmp_path):
    (sdist,) = built.glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path)
    (checkout,) = [p for p in tmp_path.iterdir() if p.is_dir()]
    assert {"README.md", "Makefile", "conf", "tests", "docs"} <= {p.name for p in checkout.iterdir()}
    assert "dlthink.data.recordings.recording.Recording" in composed(checkout, tmp_path)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    (wheel,) = (tmp_path / "again").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "dlthink/conf/train.yaml" in archive.namelist()


def test_bare_checkout(tmp_path):
    assert "dlthink.data.recordings.recording.Recording" in composed(REPOSITORY, tmp_path)


def test_the_installed_command(tmp_path):
    """`make test` installs an editable dlthink: its command works from a foreign folder."""
    command = os.path.join(os.path.dirname(sys.executable), "dlthink")
    if not os.path.exists(command):
        pytest.skip("dlthink is not installed in this environment")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [command, "train", "--cfg", "job"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0 and "dlthink.losses.counts.poisson.Poisson" in done.stdout


CALLED = {"yaml": "pyyaml", "PIL": "pillow", "hydra": "hydra-core", "sklearn": "scikit-learn"}  # as it is installed


def test_what_is_imported_is_stated():
    """What comes along with another package may stay away with its next version."""
    stated = set(re.findall(r'"([a-z0-9-]+)(?:[<>=]|")', (REPOSITORY / "pyproject.toml").read_text()))
    for file in (REPOSITORY / "dlthink").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"dlthink"}:
                assert CALLED.get(name, name.replace("_", "-")) in stated, f"{file}: {name}"
