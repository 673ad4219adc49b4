"""What made a run: versions, git state, the words on the command line."""

import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGES = ("dlthink", "torch", "hydra-core", "omegaconf", "tensorboard", "numpy", "matplotlib")


def provenance(words: list[str], choices: dict[str, str]) -> dict:
    """Everything needed to make the run again, in JSON's types."""
    return {
        "command": ["dlthink", "train", *words],
        "choices": choices,
        **_program(),
        "git": {"working folder": git_state(Path.cwd()), "dlthink": _own_state()},
        "executable": sys.executable,
    }


@cache
def _program() -> dict:
    """Versions and platform, which stay what they are as long as the process runs."""
    return {
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
    }


@cache
def _own_state() -> dict | None:
    """The state of dlthink's own files as they were imported: before the first run of this process."""
    return git_state(Path(__file__).parent)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def git_state(folder: Path) -> dict | None:
    """Commit, and whether tracked files differ from it; None outside a repository or without git."""
    git = ["git", "-c", "core.fsmonitor=false"]  # a repository can name a program there
    asked = [*git, "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no"]
    try:
        said = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    lines = said.splitlines()
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), None)
    if commit in (None, "(initial)"):
        return None
    return {"commit": commit, "changed": any(not line.startswith("#") for line in lines)}
