"""What made a run: versions, git state, the words on the command line."""

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("dlthink", "torch", "hydra-core", "omegaconf", "tensorboard", "numpy", "matplotlib")


def provenance(words: list[str], choices: dict[str, str]) -> dict:
    """Everything needed to make the run again, in JSON's types."""
    return {
        "command": ["dlthink", "train", *words],
        "choices": choices,
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "git": {"working folder": git_state(Path.cwd()), "dlthink": git_state(Path(__file__).parent)},
        "executable": sys.executable,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def git_state(folder: Path) -> dict | None:
    """Commit, and whether tracked files differ from it; None outside a repository or without git."""
    try:
        run = {"cwd": folder, "capture_output": True, "text": True, "timeout": 10, "check": True}
        git = ["git", "-c", "core.fsmonitor=false"]  # a repository can name a program there
        commit = subprocess.run([*git, "rev-parse", "HEAD"], **run).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain", "--untracked-files=no"], **run).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": bool(changed.strip())}
